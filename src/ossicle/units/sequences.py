"""Unit sequences: one unit a frame, the same without repeats, and the time of every run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNIT_DTYPE = np.dtype(np.int16)
"""How units are stored; a quantiser has at most 32,767 of them."""


@dataclass(frozen=True, slots=True)
class Runs:
    """A sequence of units without repeats, and how many frames each lasts.

    Attributes
    ----------
    units
        The units, int16 of shape (n,); neighbours differ.
    frames
        The frames of each, int32 of shape (n,), at least 1.
    """

    units: NDArray[np.int16]
    frames: NDArray[np.int32]


def runs_of(units: ArrayLike) -> Runs:
    """Return a sequence without repeats.

    Parameters
    ----------
    units
        One unit a frame, integers of shape (n_frames,).

    Raises
    ------
    ValueError
        There is more than one dimension, or a number that is not a unit.

    Examples
    --------
    >>> found = runs_of([31, 31, 87, 31])
    >>> found.units.tolist(), found.frames.tolist()
    ([31, 87, 31], [2, 1, 1])
    """
    unit_array = np.asarray(units)
    if unit_array.ndim != 1:
        raise ValueError(f"units have the shape {unit_array.shape}; they need one dimension")
    if len(unit_array) and not 0 <= unit_array.min() <= unit_array.max() <= np.iinfo(UNIT_DTYPE).max:
        raise ValueError(f"units from {unit_array.min()} to {unit_array.max()}: they are counted from 0 to 32767")
    first = np.flatnonzero(np.diff(unit_array, prepend=-1))
    frames = np.diff(first, append=len(unit_array)).astype(np.int32)
    return Runs(unit_array[first].astype(UNIT_DTYPE), frames)


def frames_of(runs: Runs) -> NDArray[np.int16]:
    """Return one unit a frame: the inverse of :func:`runs_of`.

    >>> frames_of(runs_of([31, 31, 87])).tolist()
    [31, 31, 87]
    """
    return np.repeat(runs.units, runs.frames)


def begins_s(frame: ArrayLike, start_s: ArrayLike, hop_s: float, origin_s: float) -> NDArray[np.float64]:
    """Return when frames begin: half way from the centre of the frame before.

    A frame stands for the sound that is nearer to its centre than to the centre of another frame. No frame begins
    before its segment.

    Parameters
    ----------
    frame
        Numbers of frames of segments, from 0.
    start_s
        Start of their segments in seconds from the start of the recording.
    hop_s
        Seconds from one frame to the next.
    origin_s
        Centre of the first frame in seconds from the start of the segment.

    Returns
    -------
    NDArray[np.float64]
        Seconds from the start of the recording.
    """
    # Counted from integers, so that no rounding error grows with the length of the segment.
    within_s = np.maximum(origin_s + (np.asarray(frame, np.float64) - 0.5) * hop_s, 0.0)
    times: NDArray[np.float64] = np.asarray(start_s, np.float64) + within_s
    return times


def boundaries_s(frames: ArrayLike, start_s: float, hop_s: float, origin_s: float) -> NDArray[np.float64]:
    """Return when each run of a segment begins, and when the last one ends.

    Parameters
    ----------
    frames
        Frames of each run, shape (n,).
    start_s, hop_s, origin_s
        As of :func:`begins_s`.

    Returns
    -------
    NDArray[np.float64]
        Shape (n + 1,): seconds from the start of the recording; the last value is the end of the last run.

    Examples
    --------
    >>> boundaries_s([2, 1], start_s=10.0, hop_s=0.02, origin_s=0.0125).round(4).tolist()
    [10.0025, 10.0425, 10.0625]
    """
    first = np.concatenate([[0], np.cumsum(np.asarray(frames, np.int64))])
    return begins_s(first, start_s, hop_s, origin_s)
