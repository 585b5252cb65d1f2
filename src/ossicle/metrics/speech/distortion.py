"""How far the spectra of a resynthesis are from those of the recording: log-mel distance and mel-cepstral distortion.

References
----------
R. F. Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", IEEE Pacific Rim Conference
on Communications, Computers and Signal Processing, 1993.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.speech.alignment import aligned_distance

DB_PER_CEPSTRUM = 10 * np.sqrt(2) / np.log(10)
"""From a distance of cepstra to dB: 10 sqrt(2) / ln 10."""


def log_mel_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the mean absolute difference of two log-mel spectrograms.

    Parameters
    ----------
    first, second
        Levels in dB from :func:`ossicle.metrics.speech.frames.mel_frames`, shapes (n, bands) and (m, bands). The longer
        one is cut to the frames of the shorter one.

    Returns
    -------
    float
        dB, at least 0; NaN without frames.

    Raises
    ------
    ValueError
        If the numbers of bands differ.
    """
    first_mel, second_mel = _cut_to_shorter(first, second)
    return float(np.abs(first_mel - second_mel).mean()) if len(first_mel) else float("nan")


def cepstral_distortion(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the mel-cepstral distortion of frames at the same times, without warping.

    Of every frame ``10 / ln 10 * sqrt(2 * sum of (c_k - c'_k)^2)`` over c1 to c12, then the mean over frames. c0, the
    level, does not count.

    Parameters
    ----------
    first, second
        Cepstra from :func:`ossicle.metrics.speech.frames.mel_cepstra`, shapes (n, 13) and (m, 13). The longer one is
        cut to the frames of the shorter one.

    Returns
    -------
    float
        dB, at least 0; NaN without frames.

    Raises
    ------
    ValueError
        If the numbers of coefficients differ.
    """
    first_cepstra, second_cepstra = _cut_to_shorter(first, second)
    if not len(first_cepstra):
        return float("nan")
    return float(DB_PER_CEPSTRUM * np.linalg.norm(first_cepstra[:, 1:] - second_cepstra[:, 1:], axis=1).mean())


def aligned_cepstral_distortion(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the mel-cepstral distortion along the best alignment (dynamic time warping), so that timing counts less.

    Parameters
    ----------
    first, second
        Cepstra from :func:`ossicle.metrics.speech.frames.mel_cepstra`, shapes (n, 13) and (m, 13).

    Returns
    -------
    float
        dB, at least 0; NaN without frames.

    Raises
    ------
    ValueError
        If the numbers of coefficients differ.
    """
    return float(DB_PER_CEPSTRUM * aligned_distance(first[:, 1:], second[:, 1:]))


def _cut_to_shorter(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"frames have the shapes {first.shape[1:]} and {second.shape[1:]}; they must be the same")
    n = min(len(first), len(second))
    return first[:n].astype(np.float64), second[:n].astype(np.float64)
