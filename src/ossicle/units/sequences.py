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
    given = np.asarray(units)
    if given.ndim != 1:
        raise ValueError(f"units have the shape {given.shape}; they need one dimension")
    if len(given) and not 0 <= given.min() <= given.max() <= np.iinfo(UNIT_DTYPE).max:
        raise ValueError(f"units from {given.min()} to {given.max()}: they are counted from 0 to 32767")
    first = np.flatnonzero(np.diff(given, prepend=-1))
    frames = np.diff(first, append=len(given)).astype(np.int32)
    return Runs(given[first].astype(UNIT_DTYPE), frames)


def frames_of(runs: Runs) -> NDArray[np.int16]:
    """Return one unit a frame: the inverse of :func:`runs_of`.

    >>> frames_of(runs_of([31, 31, 87])).tolist()
    [31, 31, 87]
    """
    return np.repeat(runs.units, runs.frames)


def boundaries_s(
    frames: ArrayLike, start_s: float, hop_s: float, origin_s: float, end_s: float | None = None
) -> NDArray[np.float64]:
    """Return when each run begins, and when the last one ends.

    A frame stands for the sound that is nearer to its centre than to the centre of another frame, so two runs meet half
    way between the centres of their frames.

    Parameters
    ----------
    frames
        Frames of each run, shape (n,).
    start_s
        Start of the segment in seconds from the start of its recording.
    hop_s
        Seconds from one frame to the next.
    origin_s
        Centre of the first frame in seconds from the start of the segment.
    end_s
        End of the segment, which no run exceeds; None sets no end.

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
    # Counted from integers, so that no rounding error grows with the length of the segment.
    within_s = np.maximum(origin_s + (first - 0.5) * hop_s, 0.0)
    times: NDArray[np.float64] = start_s + within_s
    return times if end_s is None else np.minimum(times, end_s)
