import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.noise_sampling import free_stretches, mine_noise


def recording(name: str, seconds: float, reviewed: bool = True) -> Recording:
    return Recording(name, "tapes", f"{name}.wav", 8000, 1, round(seconds * 8000), name, reviewed)


@st.composite
def tapes(draw: st.DrawFn) -> tuple[list[Recording], list[Annotation]]:
    recordings, annotations = [], []
    for index in range(draw(st.integers(1, 4))):
        seconds = draw(st.floats(1, 40))
        recordings.append(recording(f"r{index}", seconds, draw(st.booleans())))
        for _ in range(draw(st.integers(0, 8))):
            start = draw(st.floats(0, seconds))
            label = draw(st.sampled_from(["hum", "trill"]))
            annotations.append(Annotation(f"r{index}", start, start + draw(st.floats(0, 3)), label))
    return recordings, annotations


@given(
    tapes(), st.integers(0, 25), st.lists(st.floats(0.1, 4), min_size=1, max_size=3), st.floats(0, 1), st.integers(0, 9)
)
@settings(deadline=None, max_examples=150)
def test_noise_never_meets_an_annotation_and_the_report_is_true(
    corpus: tuple[list[Recording], list[Annotation]], n: int, lengths: list[float], margin: float, seed: int
) -> None:
    recordings, annotations = corpus
    spans, rows = mine_noise(recordings, annotations, n, lengths, margin, seed)
    by_id = {r.id: r for r in recordings}
    for span in spans:
        owner = by_id[span.recording_id]
        assert owner.reviewed
        assert -1e-9 <= span.start_s < span.end_s <= owner.duration_s + 1e-9
        assert min(abs(span.end_s - span.start_s - length) for length in lengths) < 1e-9
        for annotation in annotations:
            if annotation.recording_id == span.recording_id:
                assert (
                    span.end_s <= annotation.start_s - margin + 1e-9 or span.start_s >= annotation.end_s + margin - 1e-9
                )
    reviewed = [r for r in recordings if r.reviewed]
    assert [row.recording_id for row in rows] == sorted(r.id for r in reviewed)
    assert sum(row.asked for row in rows) == (n if reviewed else 0)
    for row in rows:
        recording_spans = [(s.start_s, s.end_s) for s in spans if s.recording_id == row.recording_id]
        assert row.asked == row.placed + row.skipped
        assert row.placed == len(recording_spans)
        touching = sum(b[0] < a[1] - 1e-9 for i, a in enumerate(recording_spans) for b in recording_spans[i + 1 :])
        assert (touching > 0) <= (row.overlapping > 0)
    assert mine_noise(recordings[::-1], annotations[::-1], n, lengths, margin, seed) == (spans, rows)


def test_free_stretches_by_hand() -> None:
    tape = recording("r", 10.0)
    busy = [Annotation("r", 2.0, 3.0, "hum"), Annotation("r", 2.5, 4.0, "trill"), Annotation("r", 9.95, 12.0, "hum")]
    other = Annotation("elsewhere", 0.0, 10.0, "hum")
    np.testing.assert_allclose(free_stretches(tape, [*busy, other], 0.1), [[0.0, 1.9], [4.1, 9.85]])
    np.testing.assert_array_equal(free_stretches(tape, [], 0.1), [[0.0, 10.0]])


def test_starts_are_uniform_over_free_time_not_over_gaps() -> None:
    """A 1 s gap and a 9 s gap: spans of (almost) no length land in the ratio 1 to 9."""
    tape = recording("r", 11.0)
    busy = [Annotation("r", 1.0, 2.0, "hum")]
    starts = np.array([mine_noise([tape], busy, 1, [1e-6], 0.0, seed)[0][0].start_s for seed in range(2000)])
    assert 0.08 < np.mean(starts < 1.0) < 0.12
    late = (starts[starts > 1.0] - 2.0) / 9.0
    np.testing.assert_allclose(np.quantile(late, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.05)


def test_recordings_are_asked_in_proportion_to_their_free_time() -> None:
    rows = mine_noise([recording("a", 100), recording("b", 300)], [Annotation("b", 0, 200, "hum")], 40, [0.001], 0, 0)[
        1
    ]
    assert [row.asked for row in rows] == [20, 20]
    assert [row.free_s for row in rows] == [100, 100]


def test_without_room_it_overlaps_noise_then_skips() -> None:
    spans, (row,) = mine_noise([recording("r", 2.5)], [], 4, [1.0], 0.1, 0)
    assert len(spans) == 4
    assert row.placed == 4
    assert 2 <= row.overlapping <= 3
    spans, (row,) = mine_noise([recording("r", 2.5)], [Annotation("r", 1.2, 1.3, "hum")], 4, [1.5], 0.1, 0)
    assert spans == []
    assert (row.asked, row.placed, row.skipped) == (4, 0, 4)


def test_bad_requests() -> None:
    with pytest.raises(ValueError, match="positive lengths"):
        mine_noise([recording("r", 2.5)], [], 4, [], 0.1, 0)
    assert mine_noise([recording("r", 2.5, reviewed=False)], [], 4, [1.0], 0.1, 0) == ([], [])
