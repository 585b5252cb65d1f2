"""Log-mel energies as Kaldi computes them: the front end of BEATs and of AST.

References
----------
Kaldi's ``compute-fbank-feats`` with its defaults and without dither; ``torchaudio.compliance.kaldi.fbank`` is a port.
"""

from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

RATE = 16000
N_MELS = 128
FRAME_SAMPLES, HOP_SAMPLES = 400, 160

_N_FFT = 512
_LOW_HZ, _HIGH_HZ = 20.0, RATE / 2
_PREEMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)
_BLOCK_FRAMES = 512


def n_frames(n_samples: int) -> int:
    """Return the number of whole frames in ``n_samples``.

    >>> n_frames(96000), n_frames(399)
    (598, 0)
    """
    return 0 if n_samples < FRAME_SAMPLES else 1 + (n_samples - FRAME_SAMPLES) // HOP_SAMPLES


def kaldi_fbank(waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the natural logarithms of mel energies.

    Every frame of 25 ms, 10 ms apart, loses its mean, is pre-emphasised, and weighted with Povey's window. Sums are
    float64, so that quiet bands beside loud ones keep their precision.

    Parameters
    ----------
    waveforms
        float32, shape (batch, n_samples), mono at 16 kHz, with a full scale of 32768 (16-bit integers).

    Returns
    -------
    ndarray
        float32, shape (batch, n_frames, 128).
    """
    energies = np.empty((len(waveforms), n_frames(waveforms.shape[1]), N_MELS), dtype=np.float32)
    window, bank = _window(), _bank()
    for row, waveform in zip(energies, waveforms, strict=True):
        if not len(row):
            continue
        strided = np.lib.stride_tricks.sliding_window_view(waveform, FRAME_SAMPLES)[::HOP_SAMPLES]
        for first in range(0, len(row), _BLOCK_FRAMES):
            frames = strided[first : first + _BLOCK_FRAMES].astype(np.float64)
            frames -= frames.mean(axis=1, keepdims=True)
            # The sample before a frame counts as its first one.
            before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
            spectrum = scipy.fft.rfft((frames - _PREEMPHASIS * before) * window, _N_FFT, axis=1)
            power = spectrum.real**2 + spectrum.imag**2
            row[first : first + _BLOCK_FRAMES] = np.log(np.maximum(power @ bank, _FLOOR))
    return energies


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float64]:
    """Povey's window: a symmetric Hann window to the power of 0.85."""
    window: NDArray[np.float64] = np.hanning(FRAME_SAMPLES) ** 0.85
    return window


@lru_cache(maxsize=1)
def _bank() -> NDArray[np.float64]:
    """Return triangles on the mel scale, of height 1: (n_fft / 2 + 1, 128)."""

    def mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        mels: NDArray[np.float64] = 1127.0 * np.log1p(hz / 700.0)
        return mels

    low, high = mel(np.array([_LOW_HZ, _HIGH_HZ]))
    edges = low + (high - low) / (N_MELS + 1) * np.arange(N_MELS + 2, dtype=np.float64)
    bins = mel(np.arange(_N_FFT // 2 + 1, dtype=np.float64) * (RATE / _N_FFT))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return bank
