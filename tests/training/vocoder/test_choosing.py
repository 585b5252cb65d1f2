"""Held-out segments in batches: of bounded size, whatever the lengths of segments."""

from ossicle.training.vocoder.choosing import held_out_batches, spread

from .made_up_speech import segment


def test_batches_are_bounded_and_cover_every_segment() -> None:
    segments = [segment(f"s{number}", "a", n, number) for number, n in enumerate((30, 5000, 0, 9000, 10))]
    batches = held_out_batches(segments, spread(segments, 10), ["a"])
    assert [[(draw.segment, draw.first, draw.last) for draw in batch] for batch in batches] == [
        [(4, 0, 10), (0, 0, 30)],
        [(1, 0, 4000)],
        [(3, 0, 4000)],
    ]
    assert max(len(batch) * max(draw.last for draw in batch) for batch in batches) <= 4000
    assert {draw.speaker for batch in batches for draw in batch} == {0}
