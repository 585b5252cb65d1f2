"""A linear spectrogram for display: dB over frequency and time, with frame k centred on sample k * hop.

Unlike a front end's it is centred (edges are mirrored), so that sounds appear at the time at which they are heard.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.features.stft import power_spectrogram
from ossicle.core.model_input.frontend import analysis_window

WINDOW_S = 0.024
MAX_FRAMES = 360
MAX_BINS = 256
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """``db``: float32, (n_rows, n_frames), relative to a full-scale sine; frame k is centred at ``k * hop_s``.

    Row i joins the ``joined`` bins from ``i * joined`` on; bin b is centred at ``b * bin_hz``.
    """

    db: NDArray[np.float32]
    hop_s: float
    bin_hz: float
    joined: int

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """First and last second, lowest and highest Hz of the picture's outer edges, from the first sample on."""
        n_rows, n_frames = self.db.shape
        low_hz = -self.bin_hz / 2
        return -self.hop_s / 2, (n_frames - 0.5) * self.hop_s, low_hz, low_hz + n_rows * self.joined * self.bin_hz


def spectrogram(samples: NDArray[np.float32], rate: int) -> Spectrogram:
    """Return the spectrogram of samples (n,) at ``rate`` Hz, with windows of about 24 ms.

    It has at most about :data:`MAX_FRAMES` frames; if there are more than :data:`MAX_BINS` bins, neighbours are joined
    and the louder one is shown.
    """
    n_fft = max(16, 2 ** round(math.log2(WINDOW_S * rate)))
    hop = max(n_fft // 4, math.ceil(len(samples) / MAX_FRAMES))
    half = n_fft // 2
    padded = np.pad(samples.astype(np.float32), half, mode="reflect" if len(samples) > half else "constant")
    power = power_spectrogram(padded, analysis_window(n_fft), hop)
    joined = math.ceil((n_fft // 2) / MAX_BINS)
    # The bin at the Nyquist frequency has no neighbour and is left out if bins are joined.
    bins = power[:, : n_fft // 2].reshape(len(power), -1, joined).max(axis=-1) if joined > 1 else power
    db: NDArray[np.float32] = (10 * np.log10(np.maximum(bins, _FLOOR))).astype(np.float32).T
    return Spectrogram(db=db, hop_s=hop / rate, bin_hz=rate / n_fft, joined=joined)


def grey_levels(db: NDArray[np.float32], steps: int = 16) -> NDArray[np.uint8]:
    """Convert dB to grey for a white page, loud is dark: uint8 of the same shape in ``steps`` even steps, which
    compress well.

    White is the median of each example (its background), black its loudest 0.1 %, at least 30 dB above.
    """
    finite = np.nan_to_num(db, nan=-120.0, posinf=0.0, neginf=-120.0)
    low = float(np.median(finite)) if finite.size else 0.0
    high = max(float(np.quantile(finite, 0.999)), low + 30.0) if finite.size else 30.0
    level = np.clip((finite - low) / (high - low), 0.0, 1.0)
    grey: NDArray[np.uint8] = np.round(255 * (1 - np.round(level * (steps - 1)) / (steps - 1))).astype(np.uint8)
    return grey
