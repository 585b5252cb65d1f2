"""Soundscapes of a minute with known truth: clips of one fold laid over quiet noise at stated signal-to-noise ratios.

A scene draws some clips, cuts the silence off their ends, and lays them at known times over coloured noise whose level
swells slowly. The SNR of an event is its power, averaged over its own span, to that of the noise there. Two events of
one class never overlap; of different classes they may. A scene is made of clips of one fold, so whoever has not heard
that fold has not heard anything in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of

Samples = NDArray[np.float32]

SCENE_S = 60.0
SNR_DB = (20.0, 12.0, 6.0, 0.0)
NOISE_DBFS = -45.0
PEAK = 0.9
SILENT = 1e-3
LEAST_S = 0.2
_FADE_S = 0.01
_TRIES = 50


@dataclass(frozen=True, slots=True)
class SceneEvent:
    """One clip in a scene, its time in samples."""

    label: str
    source: str
    start_sample: int
    n_samples: int
    snr_db: float


@dataclass(frozen=True, slots=True)
class MixedScene:
    """A scene; ``noise`` and ``sound`` add up to ``samples``. Events are sorted by start."""

    rate: int
    noise: Samples
    sound: Samples
    events: tuple[SceneEvent, ...]

    @property
    def samples(self) -> Samples:
        """What is heard, within [-1, 1]."""
        return self.noise + self.sound

    def truth(self, label: str) -> NDArray[np.float64]:
        """Seconds of the events of a class, (n, 2), in order."""
        rows = [
            (event.start_sample, event.start_sample + event.n_samples) for event in self.events if event.label == label
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, 2) / self.rate


def active_part(samples: Samples, rate: int) -> Samples:
    """A clip without what lies below a thousandth of its peak at either end; empty where nothing is left to hear."""
    level = np.abs(samples)
    heard = np.flatnonzero(level > SILENT * level.max()) if len(samples) and level.max() > 0 else np.empty(0, np.int64)
    if len(heard) == 0 or heard[-1] - heard[0] < LEAST_S * rate:
        return np.zeros(0, dtype=np.float32)
    return samples[heard[0] : heard[-1] + 1]


def coloured_noise(n: int, rate: int, rng: np.random.Generator) -> Samples:
    """Noise at -45 dBFS whose power falls by 0 to 6 dB an octave above 100 Hz, swelling by up to 3 dB either way."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.maximum(np.fft.rfftfreq(n, 1 / rate), 100.0)
    noise = np.fft.irfft(spectrum * hz ** (-rng.uniform(0.0, 2.0) / 2), n)
    swell_db = 3 * np.sin(2 * np.pi * (np.arange(n) / rate / rng.uniform(10, 30) + rng.random()))
    noise *= 10 ** (swell_db / 20)
    scaled: Samples = (noise * 10 ** (NOISE_DBFS / 20) / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return scaled


def mix_scene(
    clips: Sequence[tuple[str, str, Samples]], rate: int, seed: int, name: str, least: int = 4, most: int = 9
) -> MixedScene:
    """A scene of ``least`` to ``most`` events; ``clips`` are (label, source, samples at ``rate``) to draw from.

    A function of the clips, ``seed`` and ``name``. A clip that finds no room among its class is left out.
    """
    rng = np.random.default_rng(seed_of(seed, "scene", name))
    n = round(SCENE_S * rate)
    noise = coloured_noise(n, rate, rng)
    sound = np.zeros(n, dtype=np.float32)
    events: list[SceneEvent] = []
    n_clips = int(rng.integers(least, most + 1))
    for index in rng.permutation(len(clips))[:n_clips]:
        label, source, samples = clips[int(index)]
        part = active_part(samples, rate)
        start = _room(label, len(part), n, events, rng) if len(part) else None
        snr_db = float(rng.choice(SNR_DB))
        if start is None:
            continue
        span = slice(start, start + len(part))
        faded = part * _fade(len(part), rate)
        power, below = float(np.mean(faded**2)), float(np.mean(noise[span] ** 2))
        sound[span] += faded * np.float32(np.sqrt(below / power * 10 ** (snr_db / 10)))
        events.append(SceneEvent(label, source, start, len(part), snr_db))
    # Sound and noise alike: their ratio stays.
    loudest = float(np.abs(noise + sound).max())
    scale = np.float32(min(1.0, PEAK / loudest))
    ordered = tuple(sorted(events, key=lambda event: (event.start_sample, event.label)))
    return MixedScene(rate, noise * scale, sound * scale, ordered)


def _room(label: str, length: int, n: int, events: Sequence[SceneEvent], rng: np.random.Generator) -> int | None:
    """Where a clip may begin without touching another of its class; None where no draw finds a place."""
    taken = [(event.start_sample, event.start_sample + event.n_samples) for event in events if event.label == label]
    for _ in range(_TRIES):
        start = int(rng.integers(0, n - length + 1))
        if all(start + length < begin or end < start for begin, end in taken):
            return start
    return None


def _fade(length: int, rate: int) -> Samples:
    """1 within, rising from and falling to 0 in 10 ms at the ends."""
    ramp = np.arange(length) / (_FADE_S * rate)
    out: Samples = np.minimum(1.0, np.minimum(ramp, ramp[::-1])).astype(np.float32)
    return out


def window_truth(
    events: Mapping[str, NDArray[np.float64]], labels: Sequence[str], n_windows: int, window_s: float, least_s: float
) -> NDArray[np.bool_]:
    """Whether each label sounds for at least ``least_s`` of each window [k * window_s, (k + 1) * window_s).

    ``events[label]``: (n, 2) seconds, disjoint. Returns (n_windows, len(labels)).
    """
    out = np.zeros((n_windows, len(labels)), dtype=np.bool_)
    starts = window_s * np.arange(n_windows)
    for column, label in enumerate(labels):
        spans = events.get(label, np.zeros((0, 2)))
        shared = np.minimum(spans[None, :, 1], starts[:, None] + window_s) - np.maximum(
            spans[None, :, 0], starts[:, None]
        )
        out[:, column] = np.clip(shared, 0, None).sum(axis=1) >= least_s
    return out
