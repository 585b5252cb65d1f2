"""Figures of two waveforms: ratios of their samples, which depend on phase, and of their lengths.

References
----------
J. Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.speech.frames import checked

MOST_DB = 100.0
"""Ratios beyond this, either way, are given as this: an equal copy has no finite ratio."""


def si_sdr_db(reference: NDArray[np.floating], estimate: NDArray[np.floating]) -> float:
    """Return the scale-invariant signal-to-distortion ratio.

    The part of ``estimate`` that is a multiple of ``reference``, relative to the rest. Nothing is subtracted: a
    constant offset is distortion.

    Parameters
    ----------
    reference, estimate
        Samples, shapes (n,) and (m,). The longer one is cut to the shorter.

    Returns
    -------
    float
        dB, from -100 to 100; NaN if either is silent, or without samples.

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    reference_samples, estimate_samples = _cut_to_shorter(reference, estimate)
    energy = float(reference_samples @ reference_samples)
    if not energy or not estimate_samples.any():
        return float("nan")
    target = (float(reference_samples @ estimate_samples) / energy) * reference_samples
    rest = estimate_samples - target
    return _ratio_db(float(target @ target), float(rest @ rest))


def snr_db(reference: NDArray[np.floating], estimate: NDArray[np.floating]) -> float:
    """Return the signal-to-noise ratio of ``estimate`` as a copy of ``reference``.

    A resynthesis from units cannot know the phase of the recording, and two voices that sound the same but differ in
    phase have a ratio near or below 0 dB. So this says nothing about how a resynthesis sounds.

    Parameters
    ----------
    reference, estimate
        Samples, shapes (n,) and (m,). The longer one is cut to the shorter.

    Returns
    -------
    float
        dB, from -100 to 100; NaN if the reference is silent, or without samples.

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    reference_samples, estimate_samples = _cut_to_shorter(reference, estimate)
    energy = float(reference_samples @ reference_samples)
    if not energy:
        return float("nan")
    rest = reference_samples - estimate_samples
    return _ratio_db(energy, float(rest @ rest))


def length_ratio(reference: NDArray[np.floating], estimate: NDArray[np.floating]) -> float:
    """Return the length of ``estimate`` relative to ``reference``.

    Parameters
    ----------
    reference, estimate
        Samples at the same rate, shapes (n,) and (m,).

    Returns
    -------
    float
        m / n; NaN without samples of the reference.

    Examples
    --------
    >>> length_ratio(np.zeros(200), np.zeros(190))
    0.95
    """
    return len(estimate) / len(reference) if len(reference) else float("nan")


def _cut_to_shorter(reference: NDArray[np.floating], estimate: NDArray[np.floating]) -> tuple[NDArray[np.float64], ...]:
    n = min(len(checked(reference)), len(checked(estimate)))
    return reference[:n].astype(np.float64), estimate[:n].astype(np.float64)


def _ratio_db(signal: float, rest: float) -> float:
    least = 10 ** (-MOST_DB / 10)
    return float(10 * np.log10(max(signal, least * rest) / max(rest, least * signal)))
