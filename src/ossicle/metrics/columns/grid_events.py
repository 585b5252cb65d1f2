"""Events of perfect scores on a frame grid: annotations drawn on the grid and decided again with a threshold of 0.5.

The same as :func:`ossicle.core.tracks.rasterise` and :func:`ossicle.inference.decisions.decide.decide` of every list,
without its frames: only the first and the last frame of an event can be filled in part.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.columns.event_lists import EventLists, lists_by

Frames = NDArray[np.int64]


def grid_events(lists: EventLists, n_frames: Frames, durations_s: NDArray[np.float64], hop_s: float) -> EventLists:
    """Return the stretches of frames of which the events fill at least half, in seconds.

    Parameters
    ----------
    lists
        Events that are sorted and disjoint within each list.
    n_frames, durations_s
        Frames and seconds of the recording of each list, (n_lists,).
    hop_s
        Seconds from frame to frame.

    Returns
    -------
    EventLists
        The stretches of each list in order, as an event detector finds them.
    """
    low = np.maximum(lists.times[:, 0] / hop_s, 0.0)
    high = np.minimum(lists.times[:, 1] / hop_s, n_frames[lists.owner].astype(np.float64))
    filled = high > low
    low, high, owner = low[filled], high[filled], lists.owner[filled]
    first = low.astype(np.int64)
    last = np.minimum(np.ceil(high).astype(np.int64), n_frames[owner]) - 1
    owners, starts, ends = _half_filled(owner, first, last, low, high)
    inner = last - first > 1
    owners = np.concatenate([owners, owner[inner]])
    starts = np.concatenate([starts, first[inner] + 1])
    ends = np.concatenate([ends, last[inner]])
    order = np.lexsort((starts, owners))
    owners, starts, ends = owners[order], starts[order], ends[order]
    begins = np.ones(len(starts), dtype=np.bool_)
    begins[1:] = (owners[1:] != owners[:-1]) | (starts[1:] > ends[:-1])
    firsts = np.flatnonzero(begins)
    lasts = np.append(firsts[1:], len(starts))[: len(firsts)] - 1
    owners, starts, ends = owners[firsts], starts[firsts], ends[lasts]
    # Only a stretch that reaches the last frame may extend beyond the end of the recording.
    end_s = np.where(ends == n_frames[owners], durations_s[owners], np.inf)
    times = np.stack([np.minimum(starts * hop_s, end_s), np.minimum(ends * hop_s, end_s)], axis=1)
    return lists_by(owners, times, len(lists))


def _half_filled(
    owner: Frames, first: Frames, last: Frames, low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[Frames, Frames, Frames]:
    """Return list, start and end of the first and last frames of events that are at least half filled.

    ``low`` and ``high``: start and end of each event in frames; ``first`` and ``last``: its frames at the ends.
    """
    head = np.minimum(first + 1, high) - low
    tail = np.where(last > first, high - last, 0.0)
    # Events in order, the first frame before the last: several events may fill one frame, and are added in this order.
    frames = np.stack([first, last], axis=1).ravel()
    owners, shares = np.repeat(owner, 2), np.stack([head, tail], axis=1).ravel()
    order = np.lexsort((frames, owners))
    owners, frames, shares = owners[order], frames[order], shares[order]
    new = np.ones(len(frames), dtype=np.bool_)
    new[1:] = (owners[1:] != owners[:-1]) | (frames[1:] != frames[:-1])
    share = np.bincount(np.cumsum(new) - 1, weights=shares, minlength=int(new.sum()))
    # As a rasterised track holds them.
    half = np.round(share, 6).astype(np.float32) >= np.float32(0.5)
    owners, frames = owners[new][half], frames[new][half]
    return owners, frames, frames + 1
