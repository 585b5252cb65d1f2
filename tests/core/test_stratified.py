"""Stratified draws: exact counts, a floor, nested shares, and no influence of one stratum on another."""

import numpy as np
import pytest

from ossicle.core.stratified import stratified_rows

NAMES = ("common", "rare", "single", "none")
ROWS = np.repeat([0, 1, 2], [100, 7, 1])


@pytest.mark.parametrize(("share", "counts"), [(0.3, [30, 2, 1]), (0.01, [1, 1, 1]), (1.0, [100, 7, 1])])
def test_each_stratum_gives_its_share_and_one_row_at_least(share: float, counts: list[int]) -> None:
    rows = stratified_rows(ROWS, NAMES, share, seed=3)
    assert np.bincount(ROWS[rows]).tolist() == counts
    assert rows.tolist() == sorted(set(rows.tolist()))


def test_a_floor_is_never_more_than_there_is() -> None:
    assert np.bincount(ROWS[stratified_rows(ROWS, NAMES, 0.1, seed=3, floor=5)]).tolist() == [10, 5, 1]


def test_a_smaller_share_is_part_of_a_larger_one_and_another_seed_draws_others() -> None:
    small, large = (set(stratified_rows(ROWS, NAMES, share, seed=3).tolist()) for share in (0.1, 0.4))
    assert small < large
    assert small != set(stratified_rows(ROWS, NAMES, 0.1, seed=4).tolist())


def test_a_new_stratum_changes_nothing_in_the_others() -> None:
    names = ("common", "new", "rare", "single")
    codes = np.concatenate([np.array([0, 2, 3])[ROWS], [1, 1, 1]])
    with_new = stratified_rows(codes, names, 0.3, seed=3)
    assert with_new[with_new < len(ROWS)].tolist() == stratified_rows(ROWS, NAMES, 0.3, seed=3).tolist()
