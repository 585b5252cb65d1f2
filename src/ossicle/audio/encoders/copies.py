"""Augmented copies of windows: added background, tilted spectrum, changed level.

Every random value comes from (seed, recording, copy, window), so a copy is the same whatever is computed before it, and
on however many workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.feature_settings import CopySettings
from ossicle.audio.encoders.windows import Samples
from ossicle.core.digest import seed_of
from ossicle.core.errors import AudioError

BACKGROUND_S = 60.0
"""Most seconds of background that are read for a copy of a recording; its windows take places in them."""
_TILT_STEP_DB = 0.1
_LOW_SHELF_HZ, _HIGH_SHELF_HZ = 200.0, 3000.0
_SILENCE = 1e-10


@dataclass(frozen=True, slots=True)
class Background:
    """A stretch of a recording in which no label is on.

    Attributes
    ----------
    recording_id
        The recording.
    path
        Its file.
    start_s, end_s
        The stretch in seconds.
    channel
        The channel to read, as in :mod:`ossicle.core.model_input.channel`.
    """

    recording_id: str
    path: Path
    start_s: float
    end_s: float
    channel: str


class Copy:
    """One augmented copy of a recording: called with the number of a window and the window, it returns the changed one.

    Parameters
    ----------
    recording_id
        The recording.
    number
        Number of the copy, from 1.
    rate
        Sample rate of the windows in Hz.
    settings
        What is changed, and how much.
    backgrounds
        Stretches to add; those of the recording itself are not used. Empty: nothing is added.
    """

    def __init__(
        self, recording_id: str, number: int, rate: int, settings: CopySettings, backgrounds: Sequence[Background] = ()
    ) -> None:
        self._key = (settings.seed, recording_id, number)
        self._rate, self._settings = rate, settings
        others = [background for background in backgrounds if background.recording_id != recording_id]
        mixes = bool(others) and settings.mix_probability > 0
        self._background = _read(others, self._key, rate) if mixes else np.zeros(0, np.float32)

    def __call__(self, window: int, samples: Samples) -> Samples:
        """Return window number ``window`` (n_samples,) of the copy from that of the recording."""
        settings, draw = self._settings, np.random.default_rng(seed_of(*self._key, window))
        # All values are drawn each time, so that a changed probability leaves the other changes as they were.
        gain_db = draw.uniform(-settings.gain_db, settings.gain_db)
        tilted, tilt_db = draw.random(), draw.uniform(-settings.tilt_db, settings.tilt_db)
        mixed, snr_db = draw.random(), draw.uniform(settings.snr_low_db, settings.snr_high_db)
        background_place = draw.random()
        copy = samples.astype(np.float32, copy=True)
        if mixed < settings.mix_probability and len(self._background) > 0:
            copy = _mixed_with(copy, self._background_part(background_place, len(copy)), snr_db)
        if tilted < settings.tilt_probability:
            filtered = scipy.signal.sosfilt(_tilt(round(tilt_db / _TILT_STEP_DB), self._rate), copy)
            copy = filtered.astype(np.float32)
        copy *= np.float32(10 ** (gain_db / 20))
        return copy

    def _background_part(self, background_place: float, n_samples: int) -> Samples:
        """Return ``n_samples`` of the background from a place in [0, 1); a short background is repeated."""
        last = max(0, len(self._background) - n_samples)
        start = int(background_place * (last + 1))
        return np.resize(self._background[start : start + n_samples], n_samples)


def _read(backgrounds: Sequence[Background], key: tuple[int | str, ...], rate: int) -> Samples:
    """Return a stretch of one of the backgrounds, drawn by its length; silence if its file cannot be read."""
    draw = np.random.default_rng(seed_of(*key, "background"))
    lengths = np.array([background.end_s - background.start_s for background in backgrounds])
    background = backgrounds[int(draw.choice(len(backgrounds), p=lengths / lengths.sum()))]
    start_s = background.start_s + draw.random() * max(0.0, background.end_s - background.start_s - BACKGROUND_S)
    try:
        return load_mono(
            background.path, rate, start_s, min(BACKGROUND_S, background.end_s - start_s), channel=background.channel
        )
    except AudioError:
        # The recording is listed where its own features are built.
        return np.zeros(0, np.float32)


def _mixed_with(samples: Samples, background: Samples, snr_db: float) -> Samples:
    """Return ``samples`` with ``background`` (same length) added ``snr_db`` below their level."""
    level, added = np.sqrt(np.mean(np.square(samples))), np.sqrt(np.mean(np.square(background)))
    if added < _SILENCE:
        return samples
    mixed: Samples = samples + background * np.float32(level / added * 10 ** (-snr_db / 20))
    return mixed


@lru_cache(maxsize=1024)
def _tilt(steps: int, rate: int) -> NDArray[np.float64]:
    """Return a low shelf by ``steps`` tenths of a dB and a high shelf by as much the other way, as second-order
    sections.

    References
    ----------
    R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients" (shelves of slope 1).
    """
    gain_db = steps * _TILT_STEP_DB
    return np.stack([_shelf(gain_db, _LOW_SHELF_HZ, rate, -1), _shelf(-gain_db, _HIGH_SHELF_HZ, rate, 1)])


def _shelf(gain_db: float, corner_hz: float, rate: int, side: int) -> NDArray[np.float64]:
    """Return one section of a shelf below (side -1) or above (side 1) its corner."""
    a = 10 ** (gain_db / 40)
    turn = 2 * np.pi * min(corner_hz, 0.45 * rate) / rate
    cosine, alpha = np.cos(turn), np.sin(turn) / np.sqrt(2)
    root = 2 * np.sqrt(a) * alpha
    b = [
        a * ((a + 1) + side * (a - 1) * cosine + root),
        -2 * side * a * ((a - 1) + side * (a + 1) * cosine),
        a * ((a + 1) + side * (a - 1) * cosine - root),
    ]
    bottom = [
        (a + 1) - side * (a - 1) * cosine + root,
        2 * side * ((a - 1) - side * (a + 1) * cosine),
        (a + 1) - side * (a - 1) * cosine - root,
    ]
    section: NDArray[np.float64] = np.array([*b, *bottom]) / bottom[0]
    return section
