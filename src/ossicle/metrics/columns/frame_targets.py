"""The truth of the frames of a recording, for all labels at once: as ``metrics.frames.frame_targets`` of each label.

Only the first and the last frame of a stretch of events can be covered in part. A share within rounding of the limit is
decided by the slow function, so both always agree.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.unions import union_lists
from ossicle.metrics.frames import frame_targets, least_covered_s

# Seconds: far above the rounding of sums of times, far below the tolerance of a frame.
_CLOSE_S = 1e-7


def list_targets(lists: EventLists, edges_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether the events of each list cover at least half of each frame.

    Parameters
    ----------
    lists
        A list of events for each label.
    edges_s
        The boundaries of the frames in seconds, ascending, float64 (n_frames + 1,).

    Returns
    -------
    ndarray
        bool, shape (n_lists, n_frames).
    """
    n_frames, least_s, merged = len(edges_s) - 1, least_covered_s(edges_s), union_lists(lists)
    targets = np.broadcast_to(least_s <= 0, (len(lists), n_frames)).copy()
    start_s, end_s = merged.times.T
    inside = (start_s < edges_s[-1]) & (end_s > edges_s[0]) & (end_s > start_s)
    owner, start_s, end_s = merged.owner[inside], start_s[inside], end_s[inside]
    first = np.maximum(np.searchsorted(edges_s, start_s, side="right") - 1, 0)
    last = np.minimum(np.searchsorted(edges_s, end_s, side="left") - 1, n_frames - 1)
    _fill(targets, owner, first + 1, last)
    head_s = np.minimum(end_s, edges_s[first + 1]) - np.maximum(start_s, edges_s[first])
    tail_s = np.where(last > first, np.minimum(end_s, edges_s[last + 1]) - edges_s[last], 0.0)
    cell = np.concatenate([owner * n_frames + first, owner * n_frames + last])
    covered_s = np.bincount(cell, weights=np.concatenate([head_s, tail_s]), minlength=targets.size)
    touched = np.unique(cell)
    beyond_s = covered_s[touched] - least_s[touched % n_frames]
    targets.ravel()[touched[beyond_s >= 0]] = True
    for row in np.unique(touched[np.abs(beyond_s) < _CLOSE_S] // n_frames).tolist():
        targets[row] = frame_targets(lists.times[lists.offsets[row] : lists.offsets[row + 1]], edges_s)
    return targets


def _fill(
    targets: NDArray[np.bool_], owner: NDArray[np.int64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> None:
    """Set the frames from ``first`` up to ``stop`` of each list; stretches of one list do not overlap."""
    long = stop > first
    change = np.zeros((targets.shape[0], targets.shape[1] + 1), dtype=np.int8)
    # Where one stretch begins at the end of another, both changes must count.
    np.add.at(change, (owner[long], first[long]), 1)
    np.add.at(change, (owner[long], stop[long]), -1)
    targets |= np.cumsum(change[:, :-1], axis=1, dtype=np.int8) > 0
