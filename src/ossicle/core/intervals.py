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
    out = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    if np.any(~np.isfinite(out)) or np.any(out[:, 0] > out[:, 1]):
        raise ValueError("an interval needs finite times with start <= end")
    return out


def union(intervals: Intervals, gap_s: float = 0.0) -> Intervals:
    """Merge intervals that overlap, touch, or lie at most ``gap_s`` apart; return them sorted, shape (m, 2)."""
    if len(intervals) == 0:
        return intervals.reshape(0, 2)
    ordered = intervals[np.argsort(intervals[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ordered[:, 1])
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:, 0] > reach[:-1] + gap_s]))
    ends = np.append(starts[1:] - 1, len(ordered) - 1)
    return np.stack([ordered[starts, 0], reach[ends]], axis=1)


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
    out = intervals.copy()
    missing = np.maximum(gap_s - (intervals[1:, 0] - intervals[:-1, 1]), 0.0) / 2
    quarter = (intervals[:, 1] - intervals[:, 0]) / 4
    out[:-1, 1] -= np.minimum(missing, quarter[:-1])
    out[1:, 0] += np.minimum(missing, quarter[1:])
    return out


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


def iou(a: Intervals, b: Intervals) -> NDArray[np.float64]:
    """Return the intersection over union of every ``a`` with every ``b``, shape (len(a), len(b)); 0 where both are
    empty.
    """
    both = overlap(a, b)
    either = (a[:, 1] - a[:, 0])[:, None] + (b[:, 1] - b[:, 0])[None, :] - both
    share: NDArray[np.float64] = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return share
