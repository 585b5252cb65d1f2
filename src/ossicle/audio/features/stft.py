"""The power of a short-time Fourier transform, a block of frames at a time so that a block stays in a core's cache."""

from typing import Any, TypeVar

import numpy as np
import scipy
from numpy.typing import NDArray

Real = TypeVar("Real", bound=np.floating[Any])

# Samples in the frames transformed at once.
_BLOCK_VALUES = 1 << 16


def power_spectrogram(samples: NDArray[np.float32], window: NDArray[Real], hop_samples: int) -> NDArray[Real]:
    """Return ``|STFT|^2`` of the frames that lie wholly in the samples (``center=False``).

    Parameters
    ----------
    samples
        Waveform, float32 of shape (n,); n is at least the length of the window.
    window
        Analysis window, float32 or float64 of shape (n_fft,). Its dtype is the dtype of the computation.
    hop_samples
        Samples from the start of a frame to the start of the next; at least 1.

    Returns
    -------
    ndarray
        Power, not in dB, of shape (1 + (n - n_fft) // hop_samples, n_fft // 2 + 1), with the dtype of the window.
    """
    n_fft = len(window)
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop_samples]
    power = np.empty((len(frames), n_fft // 2 + 1), dtype=window.dtype)
    step = max(1, _BLOCK_VALUES // n_fft)
    for first in range(0, len(frames), step):
        block = power[first : first + step]
        spectrum = scipy.fft.rfft(frames[first : first + step] * window, axis=-1, overwrite_x=True)
        # The modulus squared, not the sum of squares: they differ in the last bit, which stored features would show.
        np.square(np.abs(spectrum, out=block), out=block)
    return power
