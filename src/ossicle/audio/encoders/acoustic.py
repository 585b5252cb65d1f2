"""The acoustic encoder: statistics of one window of sound, in NumPy, without a file of weights.

Steady sounds (a compressor, a fan, a pump) differ from what happens beside them (birds, steps, voices) by their
constancy, so most values are low or middle percentiles over time: a sound that is there for a tenth of the window does
not move the lower half of a band's levels. The blocks of an embedding, in this order (:data:`BLOCKS`):

- ``levels``: percentiles of the level of each mel band over the frames, in dB, and its mean and standard deviation.
- ``lines``: how far the median spectrum of finer resolution rises above its own envelope below 500 Hz, in dB: the hum
  of motors and transformers at the multiples of the mains frequency. It does not depend on the gain of a microphone.
- ``modulation``: how fast the level of each quarter of the bands varies: the power of its changes between 1 and 50 Hz,
  in octaves and dB. A rattling compressor and a fan may have the same spectrum.

A window gives one token, whatever its length.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.audio.encoders.settings import ACOUSTIC
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window

FRONT = FrontEndSettings(rate=16000, n_fft=512, hop_samples=160, n_mels=64, fmin_hz=50.0, fmax_hz=8000.0)
PERCENTILES = (5, 15, 30, 50, 75)
VERSION = 2

_FINE_FFT, _FINE_HOP = 4096, 1024
_FINE_FLOOR = np.float32(1e-10)
# Frames transformed at once, so that they and their spectra stay within a core's cache.
_FINE_BLOCK = 8
# The envelope of the fine spectrum is its mean over this many bins (129 Hz); a line is 2 bins wide (7.8 Hz).
_ENVELOPE_BINS = 33
_LINE_BINS, _LINES = 2, 64
_READ_BINS = _LINE_BINS * _LINES + _ENVELOPE_BINS // 2
# Levels are averaged over 4 bands before the transform, and 4 such groups after it.
_GROUP_BANDS, _QUARTERS = 4, 4
_OCTAVES_HZ = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 50.0)
_MODULATION_FLOOR = np.float32(1e-4)

BLOCKS: dict[str, int] = {
    "levels": FRONT.n_mels * (len(PERCENTILES) + 2),
    "lines": _LINES,
    "modulation": _QUARTERS * (len(_OCTAVES_HZ) - 1),
}
"""The blocks of an embedding with their lengths, in order."""

Values = NDArray[np.float32]


def level_direction() -> NDArray[np.float64]:
    """Return how much each value of an embedding changes with one dB of level, (dim,): 1 for levels, else 0.

    Deviations, lines and modulation do not depend on the level, and nothing does at the floor of the spectrogram.
    """
    direction = np.zeros(sum(BLOCKS.values()))
    direction[: FRONT.n_mels * (len(PERCENTILES) + 1)] = 1.0
    return direction


class AcousticEncoder:
    """Encode windows of at least 0.256 s by statistics of their spectrum; see the module's description.

    Examples
    --------
    >>> encoder = AcousticEncoder()
    >>> encoder.encode(np.zeros((2, 32000), np.float32)).shape == (2, 1, encoder.spec.dim)
    True
    """

    spec = EncoderSpec(
        ACOUSTIC,
        rate=FRONT.rate,
        dim=sum(BLOCKS.values()),
        licence="Apache-2.0",
        least_samples=_FINE_FFT,
        version=VERSION,
    )

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embeddings (batch, 1, dim) of waveforms (batch, n_samples).

        Raises
        ------
        ValueError
            The waveforms are shorter than ``spec.least_samples``.
        """
        refuse_waveforms(waveforms, self.spec)
        embeddings = np.empty((len(waveforms), 1, self.spec.dim), dtype=np.float32)
        # One by one, so that a waveform's embedding does not depend on the rest of its batch by a single bit.
        for row, waveform in zip(embeddings, waveforms, strict=True):
            row[0] = _embedding(np.ascontiguousarray(waveform, dtype=np.float32))
        return embeddings


def _embedding(waveform: Values) -> Values:
    levels = log_mel(waveform, FRONT)
    ordered = np.sort(levels.T, axis=1)
    percentiles = _percentiles(ordered, PERCENTILES)
    parts = (percentiles.ravel(), levels.mean(axis=0), levels.std(axis=0), _lines(waveform), _modulation(levels))
    return np.concatenate(parts)


def _percentiles(ordered: Values, shares: tuple[int, ...]) -> Values:
    """Return the percentiles of sorted rows (n_bands, n_frames), linear between values: (n_shares, n_bands)."""
    places = np.array(shares) / 100 * (ordered.shape[1] - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, ordered.shape[1] - 1)
    part = (places - low).astype(np.float32)[:, None]
    percentiles: Values = (1 - part) * ordered[:, low].T + part * ordered[:, high].T
    return percentiles


def _lines(waveform: Values) -> Values:
    """Return the deviation of the fine median spectrum from its envelope, in dB, as the largest value in each line."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform, _FINE_FFT)[::_FINE_HOP]
    power = np.empty((len(frames), _READ_BINS), dtype=np.float32)
    for first in range(0, len(frames), _FINE_BLOCK):
        block = frames[first : first + _FINE_BLOCK] * _fine_window()
        spectrum = scipy.fft.rfft(block, axis=-1)[:, :_READ_BINS]
        power[first : first + _FINE_BLOCK] = spectrum.real**2 + spectrum.imag**2
    np.maximum(power, _FINE_FLOOR, out=power)
    typical = np.log(np.median(power, axis=0)) * np.float32(10 / np.log(10))
    deviation = (typical - _running_mean(typical, _ENVELOPE_BINS))[: _LINE_BINS * _LINES]
    lines: Values = deviation.reshape(-1, _LINE_BINS).max(axis=1)
    return lines


def _running_mean(values: Values, n: int) -> Values:
    """Return the mean of the ``n`` (odd) values around each; the first and last value go on beyond the edges."""
    padded = np.pad(values.astype(np.float64), n // 2, mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    mean: Values = ((sums[n:] - sums[:-n]) / n).astype(np.float32)
    return mean


def _modulation(levels: Values) -> Values:
    """Return the power of the changes of levels (n_frames, n_mels) by quarter of the bands and octave, in dB."""
    groups = levels.reshape(len(levels), -1, _GROUP_BANDS).mean(axis=2).T
    window, octaves = _octaves(len(levels))
    spectrum = scipy.fft.rfft((groups - groups.mean(axis=1, keepdims=True)) * window, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    by_octave = np.stack([power[:, octave].mean(axis=1) for octave in octaves], axis=1)
    decibels = np.log(np.maximum(by_octave, _MODULATION_FLOOR)) * np.float32(10 / np.log(10))
    quarters: Values = decibels.reshape(_QUARTERS, -1, len(octaves)).mean(axis=1)
    return quarters.ravel()


@lru_cache(maxsize=16)
def _octaves(n_frames: int) -> tuple[Values, tuple[slice, ...]]:
    """Return a window over the frames with energy 1, and the bins of each octave, at least one."""
    frame_rate = FRONT.rate / FRONT.hop_samples
    hann = np.hanning(n_frames + 2)[1:-1]
    window = (hann / np.sqrt(np.square(hann).sum())).astype(np.float32)
    last = n_frames // 2
    octaves = []
    for low_hz, high_hz in pairwise(_OCTAVES_HZ):
        start = min(last, int(np.ceil(low_hz * n_frames / frame_rate)))
        stop = min(last + 1, int(np.ceil(high_hz * n_frames / frame_rate)))
        octaves.append(slice(start, max(start + 1, stop)))
    return window, tuple(octaves)


@lru_cache(maxsize=1)
def _fine_window() -> Values:
    return analysis_window(_FINE_FFT)
