"""Conversion between seconds, samples and frames; the only module that rounds times.

Times are float64 seconds from the start of the recording. Counts are integers whose names end in ``_samples`` or
``_frames``. Values are rounded to the nearest integer, halves up, so that a time and twice that time agree.
"""

import math

import numpy as np
from numpy.typing import NDArray

# Times come from decimal text and binary division: a boundary this close to a grid line counts as on it.
_GRID_TOLERANCE = 1e-6


def to_samples(seconds: float, rate: float) -> int:
    """Return the sample nearest to ``seconds`` at ``rate`` Hz (halves up).

    >>> to_samples(1.0, 16000)
    16000
    """
    return math.floor(seconds * rate + 0.5)


def to_seconds(samples: int, rate: float) -> float:
    """Return the time of a sample in seconds."""
    return samples / rate


def frames_covering(samples: int, hop_samples: int) -> int:
    """Return how many frames of ``hop_samples`` cover ``samples`` samples (the last may be partial)."""
    return -(-samples // hop_samples)


def first_frame_at_or_after(seconds: float, hop_s: float) -> int:
    """Return the first frame whose start is at or after ``seconds``, ignoring rounding noise of decimal text."""
    return math.ceil(seconds / hop_s - _GRID_TOLERANCE)


def first_frames_at_or_after(seconds: NDArray[np.float64], hop_s: float) -> NDArray[np.int64]:
    """Return :func:`first_frame_at_or_after` of many times, int64 of the same shape."""
    return np.ceil(seconds / hop_s - _GRID_TOLERANCE).astype(np.int64)


def nearest_frames(seconds: float, hop_s: float) -> int:
    """Return a duration as a whole number of frames (halves up)."""
    return math.floor(seconds / hop_s + 0.5 + _GRID_TOLERANCE)


def samples_at_rate(samples: int, rate: int, new_rate: int) -> int:
    """Return the length of ``samples`` at ``rate`` after resampling to ``new_rate`` (rounded half up, exact
    integers).
    """
    return (2 * samples * new_rate + rate) // (2 * rate)
