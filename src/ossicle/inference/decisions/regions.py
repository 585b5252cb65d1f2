"""Runs of frames as arrays: found, joined and dropped without a Python loop.

Spans are half-open in frames: ``starts[i] <= k < ends[i]``, int64, sorted and separate.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.time import first_frame_at_or_after

Frames = NDArray[np.int64]


def runs(mask: NDArray[np.bool_]) -> tuple[Frames, Frames]:
    """Return starts and ends of the runs of True in ``mask`` (n,).

    >>> [x.tolist() for x in runs(np.array([True, False, True, True]))]
    [[0, 2], [1, 4]]
    """
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1 if len(mask) else np.zeros(0, dtype=np.int64)
    head = [0] if len(mask) and mask[0] else []
    tail = [len(mask)] if len(mask) and mask[-1] else []
    bounds = np.concatenate([np.array(head, dtype=np.int64), edges, np.array(tail, dtype=np.int64)])
    return bounds[::2], bounds[1::2]


def span_maxima(values: NDArray[np.float32], starts: Frames, ends: Frames) -> NDArray[np.float32]:
    """Return the greatest of ``values`` (n,) in each span, shape (len(starts),); spans must not be empty and end
    by n.
    """
    if len(starts) == 0:
        return np.zeros(0, dtype=np.float32)
    bounds = np.stack([starts, ends], axis=1).ravel()
    if bounds[-1] == len(values):
        bounds = bounds[:-1]
    maxima: NDArray[np.float32] = np.maximum.reduceat(values, bounds)[::2]
    return maxima


def joins(starts: Frames, ends: Frames, max_gap_frames: int) -> tuple[Frames, Frames]:
    """Return first and last index of the spans in each joined span; gaps of at most ``max_gap_frames`` are closed."""
    if len(starts) == 0:
        return starts, starts
    first = np.flatnonzero(np.concatenate([[True], starts[1:] - ends[:-1] > max_gap_frames]))
    return first, np.append(first[1:], len(starts)) - 1


def most_frames_within(seconds: float, hop_s: float) -> int:
    """Return the largest number of whole frames that last at most ``seconds``, ignoring rounding noise of decimal text.

    >>> most_frames_within(0.03, 0.01)
    3
    """
    return -first_frame_at_or_after(-seconds, hop_s)


def fewest_frames_lasting(seconds: float, hop_s: float) -> int:
    """Return the smallest number of whole frames that last at least ``seconds``, ignoring the same noise.

    >>> fewest_frames_lasting(0.03, 0.01)
    3
    """
    return first_frame_at_or_after(seconds, hop_s)
