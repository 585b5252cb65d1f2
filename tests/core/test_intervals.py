"""Interval sets against a slow oracle: membership of every cell of a small integer line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.intervals import (
    Intervals,
    agree,
    as_intervals,
    gaps,
    iou,
    meets_any,
    overlap,
    part,
    part_by_group,
    places,
    running_ends,
    union,
    union_by_group,
    widen,
)

LINE = 40


@st.composite
def interval_sets(draw: st.DrawFn, min_size: int = 0) -> Intervals:
    pairs = draw(st.lists(st.tuples(st.integers(0, LINE), st.integers(0, LINE)), min_size=min_size, max_size=8))
    return as_intervals([(min(a, b), max(a, b)) for a, b in pairs])


def cells(intervals: Intervals) -> set[int]:
    """The unit cells [k, k + 1) inside the set."""
    return {k for start, end in intervals for k in range(int(start), int(end))}


@given(interval_sets())
def test_a_union_covers_the_same_cells_with_sorted_separate_intervals(intervals: Intervals) -> None:
    merged = union(intervals)
    assert cells(merged) == cells(intervals)
    assert np.all(merged[1:, 0] > merged[:-1, 1])
    assert np.array_equal(union(merged), merged)


@given(interval_sets(), st.permutations(range(8)))
def test_the_order_of_intervals_does_not_matter(intervals: Intervals, order: list[int]) -> None:
    shuffled = intervals[[k for k in order if k < len(intervals)]]
    assert np.array_equal(union(shuffled), union(intervals))


@given(interval_sets(), st.integers(0, 6))
def test_a_gap_is_bridged_exactly_up_to_its_limit(intervals: Intervals, gap: int) -> None:
    plain, bridged = union(intervals), union(intervals, float(gap))
    between = plain[1:, 0] - plain[:-1, 1]
    assert len(bridged) == (0 if len(plain) == 0 else 1 + int(np.sum(between > gap)))


@given(interval_sets(), st.integers(0, LINE), st.integers(0, LINE))
def test_gaps_are_the_complement_within_the_window(intervals: Intervals, a: int, b: int) -> None:
    start, end = min(a, b), max(a, b)
    free = gaps(intervals, float(start), float(end))
    assert cells(free) == set(range(start, end)) - cells(intervals)
    assert np.all(free[:, 1] > free[:, 0])


@given(interval_sets(), interval_sets())
def test_overlap_and_iou_count_cells(a: Intervals, b: Intervals) -> None:
    shared, share = overlap(a, b), iou(a, b)
    assert shared.shape == share.shape == (len(a), len(b))
    for i in range(len(a)):
        for j in range(len(b)):
            both, either = cells(a[i : i + 1]) & cells(b[j : j + 1]), cells(a[i : i + 1]) | cells(b[j : j + 1])
            assert shared[i, j] == len(both)
            assert share[i, j] == pytest.approx(len(both) / len(either) if either else 0.0)


@given(interval_sets(min_size=1))
def test_an_interval_equals_itself(a: Intervals) -> None:
    longer = a[:, 1] > a[:, 0]
    assert np.all(np.diag(iou(a, a)) == longer)


def test_widening_moves_both_ends() -> None:
    assert widen(as_intervals([(1, 2), (5, 5)]), 0.5).tolist() == [[0.5, 2.5], [4.5, 5.5]]


def test_empty_sets_keep_their_shape() -> None:
    empty = as_intervals([])
    assert empty.shape == union(empty).shape == (0, 2)
    assert gaps(empty, 0.0, 3.0).tolist() == [[0.0, 3.0]]
    assert iou(empty, as_intervals([(0, 1)])).shape == (0, 1)


@pytest.mark.parametrize("pair", [(2.0, 1.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_impossible_intervals_are_refused(pair: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="start <= end"):
        as_intervals([pair])


def test_parted_neighbours_lie_apart_and_keep_half_of_themselves():
    parted = part(as_intervals([(0.0, 0.1), (0.101, 0.2), (0.3, 0.4), (0.4, 0.404)]), 0.01)
    np.testing.assert_allclose(parted, [[0.0, 0.0955], [0.1055, 0.2], [0.3, 0.395], [0.401, 0.404]])
    far = as_intervals([(0.0, 0.1), (0.2, 0.3)])
    np.testing.assert_array_equal(part(far, 0.05), far)
    assert len(part(as_intervals([]), 0.05)) == 0


@given(interval_sets(), interval_sets())
def test_meeting_any_is_a_positive_overlap_with_one(a: Intervals, b: Intervals) -> None:
    assert meets_any(a, union(b)).tolist() == (overlap(a, union(b)) > 0).any(axis=1).tolist()


@given(interval_sets(), interval_sets(), st.sampled_from([0.1, 0.5, 1.0]))
def test_agreeing_is_an_iou_with_one(a: Intervals, b: Intervals, least: float) -> None:
    assert agree(a, b, least).tolist() == (iou(a, b) >= least).any(axis=1).tolist()


@given(interval_sets(), st.lists(st.integers(0, 2 * LINE).map(lambda half: half / 2), max_size=8))
def test_the_place_of_a_time_is_the_interval_around_it(intervals: Intervals, times: list[float]) -> None:
    merged = union(intervals)
    for time, interval in zip(times, places(np.array(times, dtype=np.float64), merged).tolist(), strict=True):
        inside = [k for k, (start, end) in enumerate(merged) if start <= time <= end]
        assert [interval] == (inside or [-1])


def test_intervals_that_touch_stay_apart_on_request() -> None:
    touching = as_intervals([(0, 1), (1, 2), (1.5, 3)])
    assert union(touching).tolist() == [[0, 3]]
    assert union(touching, touching=False).tolist() == [[0, 1], [1, 3]]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, LINE), st.integers(0, 6)), max_size=14),
    st.sampled_from([0.0, 2.0, -1e-9]),
    st.booleans(),
    st.sampled_from([0.0, 0.7, 3.0]),
)
def test_all_groups_at_once_are_each_group_by_itself(
    rows: list[tuple[int, int, int]], gap_s: float, touching: bool, apart_s: float
) -> None:
    groups = np.array([row[0] for row in rows], dtype=np.int64)
    intervals = as_intervals([(start, start + length) for _, start, length in rows])
    joined_groups, joined = union_by_group(groups, intervals, gap_s, touching=touching)
    first = np.concatenate([[True], joined_groups[1:] != joined_groups[:-1]])[: len(joined_groups)]
    parted = part_by_group(joined, apart_s, first)
    assert sorted(set(joined_groups.tolist())) == sorted(set(groups.tolist()))
    assert np.all(np.diff(joined_groups) >= 0)
    for group in set(groups.tolist()):
        expected = union(intervals[groups == group], gap_s, touching=touching)
        assert joined[joined_groups == group].tolist() == expected.tolist()
        assert parted[joined_groups == group].tolist() == part(expected, apart_s).tolist()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=14))
def test_ends_run_within_their_group(rows: list[tuple[bool, int]]) -> None:
    first = np.array([number == 0 or begins for number, (begins, _) in enumerate(rows)], dtype=np.bool_)
    ends = np.array([end for _, end in rows], dtype=np.float64)
    expected: list[float] = []
    for begins, end in zip(first, ends, strict=True):
        expected.append(end if begins else max(expected[-1], end))
    assert running_ends(ends, first).tolist() == expected
