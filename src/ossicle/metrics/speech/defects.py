"""Defects that a synthesis can have whatever it says: clicks where parts meet, an offset, clipping."""

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.speech.frames import checked

LEAST_CLICK = 1e-3
"""A bend of the waveform smaller than this (-60 dB of full scale) is no click, however quiet the sound around it."""
MOST_OFFSET = 0.05
"""The largest offset that is none, as a share of the root mean square."""
FULL_SCALE = 0.999

_NEAR_S, _AROUND_S = 0.0005, 0.01
_FACTOR = 2.0
_FLAT_SAMPLES = 3
_LEAST_OFFSET = 1e-3


def clicks(samples: NDArray[np.floating], rate: int, seams: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the seams at which the waveform breaks.

    A seam clicks if the waveform bends there (its second difference, within 0.5 ms) at least twice as sharply as
    anywhere else within 10 ms, and by at least :data:`LEAST_CLICK`. What the sound itself hides is no click.

    Parameters
    ----------
    samples
        The sound, floats of shape (n,).
    rate
        Sample rate in Hz.
    seams
        Index of the first sample after each place where two parts meet, shape (m,).

    Returns
    -------
    numpy.ndarray
        Those that click, int64, in the order given.

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    bend = np.abs(np.diff(np.asarray(checked(samples), dtype=np.float64), n=2))
    near, around = max(2, round(_NEAR_S * rate)), round(_AROUND_S * rate)
    breaks = []
    for seam in np.asarray(seams, dtype=np.int64).tolist():
        # Bend i lies at sample i + 1.
        first, stop = max(0, seam - 1 - near), seam - 1 + near
        here = bend[first:stop].max(initial=0.0)
        beside = np.concatenate([bend[max(0, first - around) : first], bend[stop : stop + around]])
        if here >= max(LEAST_CLICK, _FACTOR * beside.max(initial=0.0)):
            breaks.append(seam)
    return np.array(breaks, dtype=np.int64)


def offset(samples: NDArray[np.floating]) -> float:
    """Return the mean of the samples, 0 for a sound without offset (DC).

    Parameters
    ----------
    samples
        The sound, floats of shape (n,), in [-1, 1].

    Returns
    -------
    float
        The mean; 0 without samples.

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    checked_samples = np.asarray(checked(samples), dtype=np.float64)
    return float(checked_samples.mean()) if len(checked_samples) else 0.0


def has_offset(samples: NDArray[np.floating]) -> bool:
    """Return whether the mean is more than 5 % of the root mean square, and more than a thousandth of full scale.

    Parameters
    ----------
    samples
        The sound, floats of shape (n,), in [-1, 1].

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    mean = abs(offset(samples))
    if mean <= _LEAST_OFFSET:
        return False
    return mean > MOST_OFFSET * float(np.sqrt(np.square(samples, dtype=np.float64).mean()))


def clipped_samples(samples: NDArray[np.floating]) -> int:
    """Return how many samples are clipped.

    These are samples at full scale, and runs of at least three equal samples at the largest level of the sound, which a
    limit below full scale leaves.

    Parameters
    ----------
    samples
        The sound, floats of shape (n,), in [-1, 1].

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    checked_samples = np.asarray(checked(samples))
    level = np.abs(checked_samples)
    peak = level.max(initial=0.0)
    if not peak:
        return 0
    clipped = level >= FULL_SCALE
    first = np.flatnonzero(np.append(True, checked_samples[1:] != checked_samples[:-1]))
    lengths = np.diff(first, append=len(checked_samples))
    for start, length in zip(first.tolist(), lengths.tolist(), strict=True):
        if length >= _FLAT_SAMPLES and level[start] == peak:
            clipped[start : start + length] = True
    return int(clipped.sum())
