"""Mel-frequency cepstral coefficients of a short sound, summarised over time: features of a simple baseline."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings

N_COEFFICIENTS = 20
N_FEATURES = 3 * N_COEFFICIENTS
RATE = 22050
_FRONT = FrontEndSettings(
    rate=RATE, n_fft=1024, hop_samples=256, n_mels=40, fmin_hz=20.0, fmax_hz=11025.0, floor_db=-100.0
)


def mfcc_features(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return mean, standard deviation and mean absolute change of the first coefficients: float32 (60,).

    Parameters
    ----------
    samples
        float32 (n,) at :data:`RATE` Hz, any n; a short sound is padded with zeros to one frame. The level does not
        matter: samples are scaled to their peak.

    References
    ----------
    S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", 1980.
    """
    peak = float(np.max(np.abs(samples), initial=0.0))
    scaled = samples / np.float32(peak) if peak > 0 else samples
    if len(scaled) < _FRONT.n_fft:
        scaled = np.pad(scaled, (0, _FRONT.n_fft - len(scaled)))
    mel = np.maximum(log_mel(scaled.astype(np.float32), _FRONT), -100.0).astype(np.float64)
    coefficients = dct(mel, type=2, norm="ortho", axis=1)[:, :N_COEFFICIENTS]
    change = np.abs(np.diff(coefficients, axis=0)).mean(axis=0) if len(coefficients) > 1 else np.zeros(N_COEFFICIENTS)
    return np.concatenate([coefficients.mean(axis=0), coefficients.std(axis=0), change]).astype(np.float32)
