import numpy as np

from ossicle.models.vocoder.generator import UNKNOWN
from ossicle.training.vocoder.draws import Draws


def test_every_segment_is_drawn_in_proportion_to_its_length() -> None:
    # The earlier scripts took the first 10,000 files, whatever there was.
    lengths = np.random.default_rng(0).integers(5, 60, size=300)
    draws = Draws(lengths, [0] * 300, units=20)
    drawn = [draws.draw(1, index).segment for index in range(30000)]
    count = np.bincount(drawn, minlength=300)
    expected = 30000 * lengths / lengths.sum()
    assert (count > 0).all()
    assert np.sum((count - expected) ** 2 / expected) < 300 + 5 * np.sqrt(2 * 300)


def test_starts_are_whole_units_anywhere_in_the_segment() -> None:
    draws = Draws([30, 4], [0, 1], units=10)
    every = [draws.draw(0, index) for index in range(2000)]
    long = [draw for draw in every if draw.segment == 0]
    assert {draw.first for draw in long} == set(range(21))
    assert all(draw.last - draw.first == 10 for draw in long)
    assert {(draw.first, draw.last) for draw in every if draw.segment == 1} == {(0, 4)}


def test_a_draw_is_a_function_of_seed_epoch_index_and_stream() -> None:
    draws = [Draws([500] * 3, [0] * 3, units=10, seed=seed) for seed in (0, 0, 1)]
    assert draws[0].draw(2, 7) == draws[1].draw(2, 7)
    others = [draws[2].draw(2, 7), draws[0].draw(3, 7), draws[0].draw(2, 8), draws[0].draw(2, 7, 1)]
    assert all(draw != draws[0].draw(2, 7) for draw in others)


def test_some_crops_have_an_unknown_speaker() -> None:
    draws = Draws([50, 50], [0, 1], units=10, unknown=0.25)
    speakers = [draws.draw(0, index).speaker for index in range(2000)]
    assert abs(speakers.count(UNKNOWN) / 2000 - 0.25) < 0.05
    assert {Draws([9], [0], 5).draw(0, index).speaker for index in range(50)} == {0}


def test_some_crops_are_whispered() -> None:
    draws = Draws([50, 50], [0, 1], units=10, unknown=0.5, whispered=0.2)
    every = [draws.draw(0, index) for index in range(2000)]
    assert abs(sum(draw.whispered for draw in every) / 2000 - 0.2) < 0.05
    assert {(draw.whispered, draw.speaker == UNKNOWN) for draw in every} == {
        (a, b) for a in (True, False) for b in (True, False)
    }
    assert not any(Draws([9], [0], 5).draw(0, index).whispered for index in range(50))
