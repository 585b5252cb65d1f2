"""The log-mel front end as data: settings, window and mel filter bank.

The NumPy (``audio.logmel``) and torch (``models.frontend``) front ends both compute
``10 * log10(max(mel @ |STFT|^2, floor))`` with ``center=False`` from these arrays. The filter bank follows Slaney's
Auditory Toolbox (1998), as librosa's default does: linear below 1 kHz, logarithmic above, area-normalised.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.settings import setting, settings


@settings
class FrontEndSettings:
    """Waveform to log-mel spectrogram."""

    rate: int = setting(default=16000, help="sample rate the model reads", unit="Hz", ge=1000)
    n_fft: int = setting(default=512, help="samples in an STFT window; even", ge=16)
    hop_samples: int = setting(default=160, help="samples from frame to frame; even", ge=2)
    n_mels: int = setting(default=64, help="mel bands", ge=4)
    fmin_hz: float = setting(default=50.0, help="lower edge of the lowest band", unit="Hz", ge=0)
    fmax_hz: float = setting(default=8000.0, help="upper edge of the highest band", unit="Hz", gt=0)
    floor_db: float = setting(default=-100.0, help="floor of a band's power, relative to full scale", unit="dB", lt=0)

    def __post_init__(self) -> None:
        """Refuse odd windows and hops, and bands beyond Nyquist or upside down."""
        for name in ("n_fft", "hop_samples"):
            if getattr(self, name) % 2:
                raise ValueError(f"{name} = {getattr(self, name)} must be even, so that frame centres fall on samples")
        if self.fmax_hz > self.rate / 2:
            raise ValueError(f"fmax_hz = {self.fmax_hz:g} Hz lies above half the rate ({self.rate / 2:g} Hz)")
        if self.fmin_hz >= self.fmax_hz:
            raise ValueError(f"fmin_hz = {self.fmin_hz:g} Hz must lie below fmax_hz = {self.fmax_hz:g} Hz")


def analysis_window(n_fft: int) -> NDArray[np.float32]:
    """Periodic Hann window, scaled so that a full-scale sine at a bin's centre has power 1; shape (n_fft,)."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    scaled: NDArray[np.float32] = (hann / (hann.sum() / 2)).astype(np.float32)
    return scaled


def hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale."""
    linear = hz * 3 / 200
    log = 15 + 27 * np.log(np.maximum(hz, 1e-9) / 1000) / np.log(6.4)
    return np.where(hz < 1000, linear, log)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of :func:`hz_to_mel`."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def mel_filter_bank(front: FrontEndSettings) -> NDArray[np.float32]:
    """Triangular filters, shape (n_mels, n_fft // 2 + 1); equal to ``librosa.filters.mel(norm="slaney")``."""
    bins_hz = np.arange(front.n_fft // 2 + 1) * front.rate / front.n_fft
    span = hz_to_mel(np.array([front.fmin_hz, front.fmax_hz]))
    edges = mel_to_hz(np.linspace(span[0], span[1], front.n_mels + 2))
    width = np.diff(edges)
    ramps = edges[:, None] - bins_hz[None, :]
    falling = -ramps[:-2] / width[:-1, None]
    rising = ramps[2:] / width[1:, None]
    triangles = np.maximum(0.0, np.minimum(falling, rising))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
