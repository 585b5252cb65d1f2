"""The front end as data: settings, analysis window and filter bank.

The NumPy front end (``audio.features.logmel``) and the torch one (``models.frontend``) both compute ``10 *
log10(max(bank @ |STFT|^2, floor))`` with ``center=False`` from these arrays. Their input is the waveform or, with
``preemphasis``, ``x[n] - preemphasis * x[n - 1]``. Every analysis window begins with a zero, so a frame does not depend
on the sample before it: windows cut from one STFT equal the STFT of each window.

On the mel scale the filter bank follows Slaney's Auditory Toolbox (1998), like the default of librosa: linear below 1
kHz, logarithmic above, area-normalised. On the linear scale the bins of the band are read unchanged: the nearest bin to
each of ``n_mels`` even steps (like torch's nearest interpolation), which gives a filter bank of ones.

References
----------
M. Slaney, "Auditory Toolbox: A MATLAB toolbox for auditory modeling work, version 2", Interval Research Corporation,
technical report 1998-010, 1998.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.settings import setting, settings

FRONT_END_VERSION = 1
"""Raise it when the front end gives other values for the same settings: kept spectrograms are then computed again."""


@settings
class FrontEndSettings:
    """Settings from waveform to log-mel spectrogram or, on the linear scale, to a log spectrogram of ``n_mels``
    bins.
    """

    rate: int = setting(default=16000, help="sample rate of the model input", unit="Hz", ge=1000, le=1_000_000)
    n_fft: int = setting(default=512, help="length of the STFT window in samples; even", ge=16, le=65536)
    hop_samples: int = setting(default=160, help="distance between frames in samples; even", ge=2)
    n_mels: int = setting(default=64, help="number of mel bands, or of bins on the linear scale", ge=4, le=1024)
    fmin_hz: float = setting(default=50.0, help="lower edge of the lowest band", unit="Hz", ge=0)
    fmax_hz: float = setting(default=8000.0, help="upper edge of the highest band", unit="Hz", gt=0)
    floor_db: float = setting(
        default=-100.0, help="lowest power of a band, relative to full scale", unit="dB", ge=-300, lt=0
    )
    scale: str = setting(
        default="mel", help="bands on the mel scale, or bins on the linear one", choices=("mel", "linear")
    )
    preemphasis: float = setting(
        default=0.0,
        help="pre-emphasis: the share of the previous sample that is subtracted from each sample; published "
        "window models: 0.98",
        ge=0,
        lt=1,
    )
    window_scale: str = setting(
        default="amplitude",
        help="scaling of the Hann window: amplitude: a full-scale sine has power 1 in its bin; energy: the "
        "window has energy 1",
        choices=("amplitude", "energy"),
    )

    def __post_init__(self) -> None:
        """Reject odd windows and hops, and bands that are empty or reach beyond the Nyquist frequency."""
        for name in ("n_fft", "hop_samples"):
            if getattr(self, name) % 2:
                raise ValueError(f"{name} = {getattr(self, name)} must be even, so that frame centres fall on samples")
        if self.fmax_hz > self.rate / 2:
            raise ValueError(f"fmax_hz = {self.fmax_hz:g} Hz lies above half the rate ({self.rate / 2:g} Hz)")
        if self.fmin_hz >= self.fmax_hz:
            raise ValueError(f"fmin_hz = {self.fmin_hz:g} Hz must lie below fmax_hz = {self.fmax_hz:g} Hz")


def analysis_window(n_fft: int, scale: str = "amplitude") -> NDArray[np.float32]:
    """Return a periodic Hann window whose first value is 0: float32, shape (n_fft,).

    Parameters
    ----------
    n_fft
        Length in samples.
    scale
        ``"amplitude"``: a full-scale sine at the centre of a bin has power 1. ``"energy"``: the squares of the window
        sum to 1.
    """
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    unit = np.sqrt(np.square(hann).sum()) if scale == "energy" else hann.sum() / 2
    scaled: NDArray[np.float32] = (hann / unit).astype(np.float32)
    return scaled


def hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert Hz to Slaney's mel scale."""
    linear = hz * 3 / 200
    log = 15 + 27 * np.log(np.maximum(hz, 1e-9) / 1000) / np.log(6.4)
    return np.where(hz < 1000, linear, log)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of :func:`hz_to_mel`."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def filter_bank(front: FrontEndSettings) -> NDArray[np.float32]:
    """Return the weight of each STFT bin in each band on the settings' scale: float32, shape (n_mels, n_fft // 2 +
    1).
    """
    return mel_filter_bank(front) if front.scale == "mel" else linear_filter_bank(front)


def band_centres_hz(front: FrontEndSettings) -> NDArray[np.float64]:
    """Return the frequency in Hz that each band stands for, in rising order: shape (n_mels,)."""
    if front.scale == "linear":
        low, high = _band_bins(front)
        return (low + (np.arange(front.n_mels) + 0.5) * (high - low) / front.n_mels - 0.5) * front.rate / front.n_fft
    span = hz_to_mel(np.array([front.fmin_hz, front.fmax_hz]))
    return mel_to_hz(np.linspace(span[0], span[1], front.n_mels + 2))[1:-1]


def linear_filter_bank(front: FrontEndSettings) -> NDArray[np.float32]:
    """Return a bank with one bin per band, shape (n_mels, n_fft // 2 + 1).

    Band i of n reads bin ``low + i * (high - low) // n``. ``[low, high)`` are the bins from the last one at or below
    ``fmin_hz`` to the last one below ``fmax_hz``.
    """
    low, high = _band_bins(front)
    bank = np.zeros((front.n_mels, front.n_fft // 2 + 1), dtype=np.float32)
    bands = np.arange(front.n_mels)
    bank[bands, low + bands * (high - low) // front.n_mels] = 1.0
    return bank


def _band_bins(front: FrontEndSettings) -> tuple[int, int]:
    """Return the STFT bins [low, high) between ``fmin_hz`` and ``fmax_hz``; at least one bin."""
    per_hz = front.n_fft / front.rate
    low = int(np.floor(front.fmin_hz * per_hz))
    return low, max(low + 1, int(np.ceil(front.fmax_hz * per_hz)))


def mel_filter_bank(front: FrontEndSettings) -> NDArray[np.float32]:
    """Return triangular filters, shape (n_mels, n_fft // 2 + 1); equal to ``librosa.filters.mel(norm="slaney")``."""
    bins_hz = np.arange(front.n_fft // 2 + 1) * front.rate / front.n_fft
    span = hz_to_mel(np.array([front.fmin_hz, front.fmax_hz]))
    edges = mel_to_hz(np.linspace(span[0], span[1], front.n_mels + 2))
    width = np.diff(edges)
    ramps = edges[:, None] - bins_hz[None, :]
    falling = -ramps[:-2] / width[:-1, None]
    rising = ramps[2:] / width[1:, None]
    triangles = np.maximum(0.0, np.minimum(falling, rising))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
