"""Pairs of a made voice and a copy of it that differs in pitch, phase, timing, level and noise."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
FORMANTS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))


def voice(
    f0_hz: NDArray[np.float64], rate: int, formants: NDArray[np.float64], generator: np.random.Generator
) -> Samples:
    """Return harmonics of a contour (n,) in Hz, unvoiced where it is 0, shaped by formants (n, 3), with some noise."""
    angle = 2 * np.pi * np.cumsum(f0_hz) / rate
    out = np.zeros(len(f0_hz))
    for k in range(1, int(0.45 * rate / max(f0_hz.max(), 1.0)) + 1):
        gain = np.exp(-(((k * f0_hz[:, None] - formants) / 150) ** 2)).sum(axis=1) + 0.02
        out += np.where(f0_hz > 0, gain * np.cos(k * angle + generator.uniform(0, 6)), 0.0)
    out += 0.02 * generator.standard_normal(len(out))
    return (0.1 * out).astype(np.float32)


def contours(seconds: float, rate: int, generator: np.random.Generator) -> tuple[NDArray[np.float64], ...]:
    """Return an F0 contour with unvoiced stretches, (n,), and formants that move, (n, 3)."""
    n = round(seconds * rate)
    places = np.linspace(0, n - 1, 4)
    f0_hz = np.interp(np.arange(n), places, generator.uniform(90, 260, 4))
    f0_hz[np.interp(np.arange(n), places, generator.uniform(-0.5, 1, 4)) < 0] = 0.0
    chosen = np.array(FORMANTS_HZ, dtype=np.float64)[generator.integers(len(FORMANTS_HZ), size=4)]
    return f0_hz, np.stack([np.interp(np.arange(n), places, contour) for contour in chosen.T], axis=1)


def made_pairs(count: int = 20, rate: int = 16000) -> Iterator[tuple[Samples, Samples]]:
    """Yield pairs of 0.25 to 0.5 s, the second a little longer or shorter than the first."""
    for seed in range(count):
        generator = np.random.default_rng(seed)
        seconds = generator.uniform(0.25, 0.5)
        f0_hz, formants = contours(seconds, rate, generator)
        original = voice(f0_hz, rate, formants, generator)
        stretched = np.linspace(0, len(f0_hz) - 1, round(len(f0_hz) * generator.uniform(0.92, 1.08)))
        near = np.round(stretched).astype(int)
        other = voice(1.02 * f0_hz[near], rate, formants[near] * generator.uniform(0.9, 1.1), generator)
        yield original, (generator.uniform(0.5, 1.5) * other).astype(np.float32)
