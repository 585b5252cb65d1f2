"""Spectral frames of speech at which a recording and its resynthesis are compared.

Levels are in dB of full scale, on triangular mel bands from 0 Hz to half the rate, one frame every 10 ms. The same
times at every rate: windows of 64 ms and 80 bands for log-mel, windows of 32 ms and 40 bands for cepstra.
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings

HOP_S = 0.01
MEL_WINDOW_S, CEPSTRUM_WINDOW_S = 0.064, 0.032
MEL_BANDS, CEPSTRUM_BANDS = 80, 40
FLOOR_DB = -80.0
"""Levels of log-mel below this are as silent as it: rounding to 16 bits lies there."""
RANGE_DB = 60.0
"""Cepstra see this much below the loudest band of a sound, so that they do not depend on its level."""
ORDER = 12
"""The last cepstral coefficient that counts."""

_SILENCE_DB = -200.0
_PER_NEPER = 10 / np.log(10)


def mel_frames(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return the log-mel spectrogram in dB of full scale.

    Parameters
    ----------
    samples
        Speech, float32 of shape (n,), any n; what is shorter than a window is padded with zeros.
    rate
        Sample rate in Hz.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_frames, 80), at least one frame, at least -80.

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    return _frames(samples, rate, MEL_WINDOW_S, MEL_BANDS, FLOOR_DB)


def mel_cepstra(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Return mel cepstra, scaled so that a distance of cepstra is one of spectral envelopes in nepers.

    The log magnitude of the envelope is ``c0 + sum over k of c_k cos(pi k (m + 1/2) / 40)`` at mel band m, as in speech
    synthesis (SPTK, WORLD), so the coefficients are not those of an orthonormal transform: ``c_k = C_k / sqrt(80)`` of
    the MFCCs C_k of natural logarithms of power. Bands more than 60 dB below the loudest band of the sound are as loud
    as that limit; nothing but c0 then depends on the level of the sound.

    Parameters
    ----------
    samples
        Speech, float32 of shape (n,), any n.
    rate
        Sample rate in Hz.

    Returns
    -------
    numpy.ndarray
        float64, shape (n_frames, 13): c0 to c12.

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.

    References
    ----------
    K. Tokuda et al., "Mel-generalized cepstral analysis", ICSLP 1994.
    """
    levels = _frames(samples, rate, CEPSTRUM_WINDOW_S, CEPSTRUM_BANDS, _SILENCE_DB).astype(np.float64)
    log_power = np.maximum(levels, levels.max() - RANGE_DB) / _PER_NEPER
    # The DCT doubles its sums: half of a sum of log power is a sum of log magnitude, and c_k has the factor 2 / bands.
    cepstra = scipy.fft.dct(log_power, type=2, axis=1)[:, : ORDER + 1] / (2 * CEPSTRUM_BANDS)
    cepstra[:, 0] /= 2
    return np.asarray(cepstra)


def checked(samples: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the samples.

    Parameters
    ----------
    samples
        Speech.

    Raises
    ------
    ValueError
        If samples are not finite, or not one row: a figure of them would say nothing.
    """
    if samples.ndim != 1:
        raise ValueError(f"samples have the shape {samples.shape}; give one channel, of shape (n,)")
    if wrong := int(np.count_nonzero(~np.isfinite(samples))):
        raise ValueError(f"{wrong} of {len(samples)} samples are not finite numbers; no figure can be given for them")
    return samples


def _frames(
    samples: NDArray[np.float32], rate: int, window_s: float, bands: int, floor_db: float
) -> NDArray[np.float32]:
    front = FrontEndSettings(
        rate=rate,
        n_fft=2 * round(window_s * rate / 2),
        hop_samples=2 * round(HOP_S * rate / 2),
        n_mels=bands,
        fmin_hz=0.0,
        fmax_hz=rate / 2,
        floor_db=floor_db,
    )
    padded = np.asarray(checked(samples), dtype=np.float32)
    return log_mel(np.pad(padded, (0, max(0, front.n_fft - len(padded)))), front)
