"""Sets of time intervals as float64 arrays of shape (n, 2): start and end in seconds, start <= end."""

import numpy as np
from numpy.typing import NDArray

Intervals = NDArray[np.float64]


def as_intervals(pairs: object) -> Intervals:
    """Return a sequence of (start, end) pairs in seconds as a float64 array of shape (n, 2).

    Raises
    ------
    ValueError
        If a start is later than its end.
    """
    intervals = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    if np.any(~np.isfinite(intervals)) or np.any(intervals[:, 0] > intervals[:, 1]):
        raise ValueError("an interval needs finite times with start <= end")
    return intervals


def union(intervals: Intervals, gap_s: float = 0.0, *, touching: bool = True) -> Intervals:
    """Merge intervals that overlap, touch, or lie at most ``gap_s`` apart; return them sorted, shape (m, 2).

    ``touching = False``: intervals that touch, or lie exactly ``gap_s`` apart, stay apart.
    """
    if len(intervals) == 0:
        return intervals.reshape(0, 2)
    ordered = intervals[np.argsort(intervals[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ordered[:, 1])
    is_separate = np.greater if touching else np.greater_equal
    starts = np.flatnonzero(np.concatenate([[True], is_separate(ordered[1:, 0], reach[:-1] + gap_s)]))
    ends = np.append(starts[1:] - 1, len(ordered) - 1)
    return np.stack([ordered[starts, 0], reach[ends]], axis=1)


def running_ends(ends_s: NDArray[np.float64], first: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the largest end so far in each row's group: float64 (n,).

    Parameters
    ----------
    ends_s
        float64 (n,), seconds; rows of one group lie together.
    first
        bool (n,): the first row of each group.
    """
    reach = ends_s.copy()
    # Only groups in which an end lies before the one above it need a running maximum.
    early = np.flatnonzero((ends_s[1:] < ends_s[:-1]) & ~first[1:]) + 1
    edges = np.append(np.flatnonzero(first), len(ends_s))
    for group in np.unique(np.searchsorted(edges, early, side="right") - 1).tolist():
        rows = slice(edges[group], edges[group + 1])
        reach[rows] = np.maximum.accumulate(ends_s[rows])
    return reach


def union_by_group(
    groups: NDArray[np.integer], intervals: Intervals, gap_s: float = 0.0, *, touching: bool = True
) -> tuple[NDArray[np.int64], Intervals]:
    """Return :func:`union` of the intervals of each group, all at once.

    Parameters
    ----------
    groups
        Integers (n,): the group of each interval, in any order.
    intervals, gap_s, touching
        As in :func:`union`.

    Returns
    -------
    tuple
        The group of each joined interval, sorted, (m,), and the intervals, (m, 2), sorted within groups.
    """
    order = np.lexsort((intervals[:, 0], groups))
    ordered, group = intervals[order], groups[order].astype(np.int64)
    first = np.concatenate([[True], group[1:] != group[:-1]])[: len(group)]
    reach = running_ends(ordered[:, 1], first)
    is_separate = np.greater if touching else np.greater_equal
    begins = first.copy()
    begins[1:] |= is_separate(ordered[1:, 0], reach[:-1] + gap_s)
    starts = np.flatnonzero(begins)
    stops = np.append(starts[1:], len(ordered))[: len(starts)] - 1
    return group[starts], np.stack([ordered[starts, 0], reach[stops]], axis=1)


def gaps(intervals: Intervals, start_s: float, end_s: float) -> Intervals:
    """Return the parts of [start_s, end_s] that ``intervals`` leave free, as intervals of positive length."""
    busy = union(np.clip(intervals, start_s, end_s)) if len(intervals) else intervals.reshape(0, 2)
    edges_from = np.concatenate([[start_s], busy[:, 1]])
    edges_to = np.concatenate([busy[:, 0], [end_s]])
    keep = edges_to > edges_from
    return np.stack([edges_from[keep], edges_to[keep]], axis=1)


def both(a: Intervals, b: Intervals) -> Intervals:
    """Return the intersection of ``a`` and ``b`` as sorted intervals of positive length.

    The intervals within ``a``, and within ``b``, must be disjoint.
    """
    start = np.maximum(a[:, None, 0], b[None, :, 0])
    end = np.minimum(a[:, None, 1], b[None, :, 1])
    keep = end > start
    return union(np.stack([start[keep], end[keep]], axis=1))


def part(intervals: Intervals, gap_s: float) -> Intervals:
    """Shorten neighbouring intervals by equal amounts until they lie at least ``gap_s`` apart.

    The intervals must be sorted and disjoint. Intervals must lie apart on a frame grid to be told apart on it. No
    interval loses more than half of its length.
    """
    return part_by_group(intervals, gap_s, np.arange(len(intervals)) == 0)


def part_by_group(intervals: Intervals, gap_s: float, first: NDArray[np.bool_]) -> Intervals:
    """Return :func:`part` of the intervals of each group; ``first`` (n,) says where a group begins."""
    shortened = intervals.copy()
    missing = np.maximum(gap_s - (intervals[1:, 0] - intervals[:-1, 1]), 0.0) / 2
    missing[first[1:]] = 0.0
    quarter = (intervals[:, 1] - intervals[:, 0]) / 4
    shortened[:-1, 1] -= np.minimum(missing, quarter[:-1])
    shortened[1:, 0] += np.minimum(missing, quarter[1:])
    return shortened


def widen(intervals: Intervals, margin_s: float) -> Intervals:
    """Extend every interval by ``margin_s`` at both ends."""
    wider: Intervals = intervals + np.array([-margin_s, margin_s])
    return wider


def overlap(a: Intervals, b: Intervals) -> NDArray[np.float64]:
    """Return the length in seconds of the intersection of every ``a`` with every ``b``, shape (len(a), len(b))."""
    start = np.maximum(a[:, None, 0], b[None, :, 0])
    end = np.minimum(a[:, None, 1], b[None, :, 1])
    length: NDArray[np.float64] = np.maximum(end - start, 0.0)
    return length


def shared_s(a: Intervals, b: Intervals) -> NDArray[np.float64]:
    """Return the seconds that each ``a`` shares with all ``b`` together, shape (len(a),).

    ``b`` must be sorted and disjoint. The same as ``overlap(a, b).sum(axis=1)``; the work grows with the number of
    neighbours, not with ``len(a) * len(b)``.
    """
    first = np.searchsorted(b[:, 1], a[:, 0], side="right")
    count = np.maximum(np.searchsorted(b[:, 0], a[:, 1], side="left") - first, 0)
    shared = np.zeros(len(a))
    # Neighbours are added one after another, from the earliest on.
    for step in range(int(count.max(initial=0))):
        rows = np.flatnonzero(count > step)
        near = b[first[rows] + step]
        shared[rows] += np.maximum(np.minimum(a[rows, 1], near[:, 1]) - np.maximum(a[rows, 0], near[:, 0]), 0.0)
    return shared


def iou(a: Intervals, b: Intervals) -> NDArray[np.float64]:
    """Return the intersection over union of every ``a`` with every ``b``, shape (len(a), len(b)); 0 where both are
    empty.
    """
    both = overlap(a, b)
    either = (a[:, 1] - a[:, 0])[:, None] + (b[:, 1] - b[:, 0])[None, :] - both
    share: NDArray[np.float64] = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return share


def places(times_s: NDArray[np.float64], intervals: Intervals) -> NDArray[np.int64]:
    """Return for each time the index of the interval that it lies in, ends included; -1 where it lies in none.

    ``intervals`` must be sorted and disjoint, as :func:`union` returns them. Times (n,); result int64 (n,).

    >>> places(np.array([0.0, 1.5, 3.0]), as_intervals([(0, 1), (2, 3)])).tolist()
    [0, -1, 1]
    """
    if len(intervals) == 0:
        return np.full(len(times_s), -1, dtype=np.int64)
    last = np.searchsorted(intervals[:, 0], times_s, side="right") - 1
    return np.where((last >= 0) & (times_s <= intervals[last, 1]), last, -1)


def meets_any(a: Intervals, b: Intervals) -> NDArray[np.bool_]:
    """Return whether each ``a`` shares a positive length with any ``b``: (len(a),); ``b`` sorted and disjoint."""
    b = b[b[:, 1] > b[:, 0]]
    if len(b) == 0:
        return np.zeros(len(a), dtype=np.bool_)
    last = np.searchsorted(b[:, 0], a[:, 1], side="left") - 1
    met: NDArray[np.bool_] = (last >= 0) & (b[last, 1] > a[:, 0]) & (a[:, 1] > a[:, 0])
    return met


def agree(a: Intervals, b: Intervals, least_iou: float) -> NDArray[np.bool_]:
    """Return whether the intersection over union of each ``a`` with any ``b`` reaches ``least_iou`` (above 0).

    The result has shape (len(a),). The work grows with the number of neighbours, not with ``len(a) * len(b)``: with
    length L of an ``a``, the start of a ``b`` that agrees lies between end - L / least_iou and end - L * least_iou.
    """
    order = b[np.argsort(b[:, 0], kind="stable")]
    length = a[:, 1] - a[:, 0]
    # Slightly wider than the bounds, so that rounding leaves out none; the comparison below decides.
    slack = 1e-6 * (1 + length / least_iou)
    first = np.searchsorted(order[:, 0], a[:, 1] - length / least_iou - slack)
    stop = np.searchsorted(order[:, 0], a[:, 1] - length * least_iou + slack, side="right")
    met = np.zeros(len(a), dtype=np.bool_)
    for row in np.flatnonzero(stop > first):
        met[row] = bool((iou(a[row : row + 1], order[first[row] : stop[row]]) >= least_iou).any())
    return met
