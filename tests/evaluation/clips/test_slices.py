"""A seeded fraction of clips with a floor for each label."""

import numpy as np
import pytest

from ossicle.evaluation.clips.slices import slice_of

LABEL = np.repeat([0, 1, 2], [200, 30, 4])
NAMES = [f"recording {n}" for n in range(234)]


def sizes(fraction: float, floor: int) -> list[int]:
    chosen = slice_of(LABEL, NAMES, fraction, floor, seed=1)
    return [int(chosen[column == LABEL].sum()) for column in range(3)]


def test_each_label_keeps_its_share_and_rare_ones_their_floor() -> None:
    assert sizes(0.3, 0) == [60, 9, 2]
    assert sizes(0.3, 12) == [60, 12, 4]
    assert sizes(1.0, 0) == [200, 30, 4]


def test_a_smaller_fraction_lies_within_a_larger_one_and_seeds_differ() -> None:
    small, large = (slice_of(LABEL, NAMES, fraction, 0, seed=7) for fraction in (0.1, 0.4))
    assert not (small & ~large).any()
    assert (slice_of(LABEL, NAMES, 0.4, 0, seed=8) != large).any()


def test_clips_that_are_added_move_no_other_clip_of_another_label() -> None:
    more = slice_of(np.append(LABEL, 2), [*NAMES, "new"], 0.3, 0, seed=1)
    assert (more[:230] == slice_of(LABEL, NAMES, 0.3, 0, seed=1)[:230]).all()


@pytest.mark.parametrize(("fraction", "floor"), [(0.0, 1), (1.1, 1), (0.5, -1)])
def test_impossible_fractions_are_refused(fraction: float, floor: int) -> None:
    with pytest.raises(ValueError, match="must"):
        slice_of(LABEL, NAMES, fraction, floor, seed=1)
