"""How much a label's own sounds are like noise: which kinds of noise a detector of them cannot be asked to tell apart.

White noise sounds like rain to people too, and a detector of rain that fires on it is no worse for that. A *texture* is
sound whose statistics, not its events, make it what it is; it takes seconds to tell (McDermott and Simoncelli 2011). A
clip counts as noise if it lasts, and its spectrogram is as smooth as that of noise: divided by its long-term spectrum
and by the level of each frame, the power of Gaussian noise is exponentially distributed, whatever its colour and
rhythm. Tones, chirps, clicks and voices concentrate their power in few bins of the spectrogram. A clip counts as hum if
it is low and its power hardly varies in time, frequency by frequency: the power of noise does, that of steady tones
does not.

References
----------
J. H. McDermott and E. P. Simoncelli, "Sound texture perception via statistics of the auditory periphery", Neuron 71,
2011.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_TEXTURE_S = 1.0
"""Shorter sounds are events: their start and end tell them from noise, whatever they sound like in between."""

_FRAME_S = 0.032
_LOUD = 10 ** (-15 / 10)  # frames that describe the sound, relative to the loudest
_LASTING = 10 ** (-25 / 10)  # frames in which it goes on
_CONTENT = 10 ** (-35 / 10)  # below this, relative to the strongest band, codecs leave holes
_PEAK = 8.0  # times the expected power: Exp(1) exceeds it in 0.03 % of the bins, with 0.3 % of the power
_MOST_PEAKED = 0.06
_HALF_WIDTH_OCTAVES, _LEAST_HALF_WIDTH = 1 / 6, 6
_MOST_STEADY_DB = 3.0
_LOW_HZ, _LOW_SHARE = 1000.0, 0.8
_STEADY_VARIATION, _NOISE_VARIATION = 0.3, 0.5
_TREND_S = 1.0
_CLIPS_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Texture:
    """Statistics of one clip.

    Attributes
    ----------
    seconds
        How long the sound is within 25 dB of its loudest frame.
    peaked
        Share of its power, in the frames within 15 dB of the loudest, that lies in bins with more than 8 times the
        power that noise of this spectrum and rhythm has on average: 0.003 for noise, at most 1.
    swing_db
        Standard deviation of its level over time.
    fast_db
        The same without changes slower than about a second.
    variation
        Squared coefficient of variation of the power over time, averaged over frequencies by power: 1 for noise, 0 for
        steady tones.
    low
        Share of its power below 1 kHz, in [0, 1].
    """

    seconds: float
    peaked: float
    swing_db: float
    fast_db: float
    variation: float
    low: float

    @property
    def noise(self) -> bool:
        """Whether the clip lasts, has no more peaks than noise, and varies as noise does."""
        lasting = self.seconds >= LEAST_TEXTURE_S
        return lasting and self.peaked <= _MOST_PEAKED and self.variation >= _NOISE_VARIATION

    @property
    def hum(self) -> bool:
        """Whether the clip lasts and consists of low tones of steady level."""
        steady = self.variation <= _STEADY_VARIATION and self.fast_db <= _MOST_STEADY_DB
        return self.seconds >= LEAST_TEXTURE_S and steady and self.low >= _LOW_SHARE


@dataclass(frozen=True, slots=True)
class LabelTexture:
    """What the clips of a label are like: how many were measured, medians, and the probes of the noise gate that they
    resemble.

    ``noise_share`` and ``hum_share``: the shares of the clips that count as noise and as hum.
    """

    clips: int
    noise_share: float
    hum_share: float
    swing_db: float
    fast_db: float
    resembles: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, figures rounded to 4 decimals."""
        plain = {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}
        return {**plain, "resembles": list(self.resembles)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "LabelTexture":
        """Read what :meth:`to_json` wrote."""
        return cls(**{**values, "resembles": tuple(values["resembles"])})


def texture_of(samples: NDArray[np.float32], rate: int) -> Texture:
    """Measure one clip.

    Parameters
    ----------
    samples
        The clip, float, shape (n,).
    rate
        Sample rate in Hz.

    Returns
    -------
    Texture
        Its statistics; those of a clip without any sound have ``seconds`` 0.
    """
    size = 2 ** round(math.log2(_FRAME_S * rate))
    hop = size // 2
    power = _spectrogram(samples, size, hop)
    level = power.mean(axis=1)
    if not level.any():
        return Texture(0.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    loud = level >= _LOUD * level.max()
    sound = power[loud] / level[loud, None]
    mean = sound.mean(axis=0)
    smooth = _smoothed(mean)
    content = smooth > _CONTENT * smooth.max()
    relative = sound[:, content] / smooth[content]
    relative /= relative.mean(axis=1, keepdims=True)
    peaks = relative[relative > _PEAK].sum() / relative.sum()
    variation = (sound.var(axis=0) / np.maximum(mean, 1e-30)).sum() / mean.sum()
    level_db = 10 * np.log10(np.maximum(level, 1e-4 * level.max()))
    hz = np.arange(2, size // 2 + 1) * rate / size
    return Texture(
        seconds=float((level >= _LASTING * level.max()).sum() * hop / rate),
        peaked=float(peaks),
        swing_db=float(level_db.std()),
        fast_db=float((level_db - _trend(level_db, max(1, round(_TREND_S * rate / hop)))).std()),
        variation=float(variation),
        low=float(mean[hz < _LOW_HZ].sum() / mean.sum()),
    )


def label_texture(textures: Sequence[Texture], clips: int) -> LabelTexture:
    """Return what a label's clips are like.

    Parameters
    ----------
    textures
        The measured clips; none for a label of short events.
    clips
        Number of clips that were looked at, short events included, at least ``len(textures)``.

    Returns
    -------
    LabelTexture
        The label resembles ``white_noise`` if at least three quarters of its clips are noise and steady (3 dB or less
        within a second, as a median), ``speech_like`` if they are noise and swing by 3 dB or more, and ``hum`` if it
        resembles white noise, which the recorder's noise in that probe is, or if at least three quarters are hum. No
        label resembles silence.
    """
    n = max(clips, 1)
    noise, hum = (sum(getattr(texture, name) for texture in textures) / n for name in ("noise", "hum"))
    swing, fast = (
        float(np.median([getattr(texture, name) for texture in textures] or [0.0])) for name in ("swing_db", "fast_db")
    )
    resembled = []
    steady = noise >= _CLIPS_SHARE and fast <= _MOST_STEADY_DB
    if steady:
        resembled.append("white_noise")
    if steady or hum >= _CLIPS_SHARE:
        resembled.append("hum")
    if noise >= _CLIPS_SHARE and swing >= _MOST_STEADY_DB:
        resembled.append("speech_like")
    return LabelTexture(clips, noise, hum, swing, fast, tuple(resembled))


def _spectrogram(samples: NDArray[np.float32], size: int, hop: int) -> NDArray[np.float64]:
    """Return powers (n_frames, size // 2 - 1) without the two lowest bins, which hold a constant offset."""
    wave = np.asarray(samples, dtype=np.float64)
    wave = np.pad(wave, (0, max(0, size - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::hop] * np.hanning(size)
    power: NDArray[np.float64] = np.abs(np.fft.rfft(frames, axis=1)[:, 2:]) ** 2
    return power


def _smoothed(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over a third of an octave, or over 13 bins where that is more."""
    bins = np.arange(len(spectrum))
    half = np.maximum(_LEAST_HALF_WIDTH, (bins + 2) * (2**_HALF_WIDTH_OCTAVES - 1)).astype(np.int64)
    first, last = np.maximum(0, bins - half), np.minimum(len(spectrum), bins + half + 1)
    total = np.concatenate([[0.0], np.cumsum(spectrum)])
    mean: NDArray[np.float64] = (total[last] - total[first]) / (last - first)
    return mean


def _trend(level_db: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the moving mean over ``width`` frames; the ends are continued by their own value."""
    padded = np.pad(level_db, (width // 2, width - 1 - width // 2), mode="edge")
    mean: NDArray[np.float64] = np.convolve(padded, np.full(width, 1 / width), "valid")
    return mean
