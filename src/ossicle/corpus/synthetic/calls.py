"""Synthetic animal sounds: the calls to detect, and confusers that must not be detected.

Every sound is drawn from a generator, so one generator state gives one sound. Convention: the samples of a sound are
its support. The envelope rises from zero at the first sample and falls to zero at the last, by raised cosines of at
most a fifth of its length, so the annotated start and end are exactly those of the dry sound. (Its -20 dB points lie
inside them by at most a fifth of the rise: 8 ms for the longest call.)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.time import to_samples

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """A dry sound of peak about 1: float32 samples, shape (n,), and the band in Hz that holds its energy."""

    samples: Samples
    low_hz: float
    high_hz: float


Draw = Callable[[np.random.Generator, int], Sound]


def hum(rng: np.random.Generator, rate: int) -> Sound:
    """The target hum: 4 to 9 harmonics of a gliding pitch (150 to 340 Hz) with vibrato; 120 to 400 ms."""
    return _stack(
        rng,
        rate,
        seconds=rng.uniform(0.12, 0.40),
        pitch_hz=rng.uniform(150.0, 340.0),
        glide=rng.uniform(0.10, 0.35) * rng.choice([-1.0, 1.0]),
        vibrato_hz=rng.uniform(5.0, 9.0),
        vibrato_depth=rng.uniform(0.01, 0.035),
        harmonics=int(rng.integers(4, 10)),
    )


def trill(rng: np.random.Generator, rate: int) -> Sound:
    """The target trill: a carrier swept by a sixth to a half, pulsed 16 to 28 times a second; 140 to 380 ms."""
    n = to_samples(rng.uniform(0.14, 0.38), rate)
    start_hz = rng.uniform(1700.0, 3000.0)
    end_hz = start_hz * rng.uniform(1.15, 1.5) ** rng.choice([-1.0, 1.0])
    frequency = np.geomspace(start_hz, end_hz, n)
    pulses = max(3, round(rng.uniform(16.0, 28.0) * n / rate))
    depth = rng.uniform(0.75, 1.0)
    pulsing = 1 - depth * (0.5 + 0.5 * np.cos(2 * np.pi * pulses * np.arange(n) / n))
    phase = _phase(frequency, rate, rng)
    tone = np.sin(phase) + rng.uniform(0.05, 0.25) * np.sin(2 * phase)
    low, high = frequency.min() * 0.94, frequency.max() * 1.06
    return Sound(_shaped(tone * pulsing, rng), float(low), float(min(high, 0.49 * rate)))


def whistle(rng: np.random.Generator, rate: int) -> Sound:
    """The target whistle: a pure tone that rises and falls once between 900 and 2600 Hz; 60 to 300 ms."""
    n = to_samples(rng.uniform(0.06, 0.30), rate)
    base_hz = rng.uniform(900.0, 1600.0)
    arch = np.sin(np.pi * np.linspace(0, 1, n)) * rng.uniform(0.25, 0.6)
    frequency = base_hz * (1 + arch)
    return Sound(
        _shaped(np.sin(_phase(frequency, rate, rng)), rng),
        base_hz * 0.92,
        float(min(frequency.max() * 1.08, 0.49 * rate)),
    )


def moan(rng: np.random.Generator, rate: int) -> Sound:
    """A confuser in the hum's pitch range: longer (0.6 to 1.3 s), without glide, with hardly any vibrato."""
    return _stack(
        rng,
        rate,
        seconds=rng.uniform(0.6, 1.3),
        pitch_hz=rng.uniform(140.0, 330.0),
        glide=rng.uniform(-0.03, 0.03),
        vibrato_hz=rng.uniform(2.0, 4.0),
        vibrato_depth=rng.uniform(0.0, 0.005),
        harmonics=int(rng.integers(3, 8)),
    )


def bleat(rng: np.random.Generator, rate: int) -> Sound:
    """A confuser of the hum's length: a stack at 450 to 800 Hz with a coarse, fast vibrato."""
    return _stack(
        rng,
        rate,
        seconds=rng.uniform(0.15, 0.5),
        pitch_hz=rng.uniform(450.0, 800.0),
        glide=rng.uniform(-0.15, 0.05),
        vibrato_hz=rng.uniform(14.0, 24.0),
        vibrato_depth=rng.uniform(0.03, 0.07),
        harmonics=int(rng.integers(3, 7)),
    )


def chirps(rng: np.random.Generator, rate: int) -> Sound:
    """A confuser of the trill's band: 3 to 8 separate short chirps, 70 to 140 ms apart."""
    period, count = to_samples(rng.uniform(0.07, 0.14), rate), int(rng.integers(3, 9))
    n = to_samples(rng.uniform(0.02, 0.045), rate)
    start_hz = rng.uniform(1900.0, 4200.0)
    end_hz = start_hz * rng.uniform(0.7, 1.3)
    wave = np.zeros(period * (count - 1) + n, dtype=np.float32)
    for chirp in range(count):
        tone = np.sin(_phase(np.geomspace(start_hz, end_hz, n), rate, rng)) * np.sin(np.pi * np.arange(n) / n)
        wave[chirp * period : chirp * period + n] = rng.uniform(0.6, 1.0) * tone
    low, high = sorted((start_hz, end_hz))
    return Sound(wave, low * 0.9, min(high * 1.1, 0.49 * rate))


def peep(rng: np.random.Generator, rate: int) -> Sound:
    """A confuser of the trill's band and length: a plain tone, hardly swept, without pulses."""
    n = to_samples(rng.uniform(0.1, 0.35), rate)
    start_hz = rng.uniform(2700.0, 4500.0)
    frequency = np.geomspace(start_hz, start_hz * rng.uniform(0.95, 1.05), n)
    low, high = frequency.min() * 0.94, min(frequency.max() * 1.06, 0.49 * rate)
    return Sound(_shaped(np.sin(_phase(frequency, rate, rng)), rng), float(low), float(high))


def clicks(rng: np.random.Generator, rate: int) -> Sound:
    """A burst of 1 to 6 broadband clicks of a few milliseconds."""
    n = to_samples(0.012, rate)
    starts = np.sort(rng.integers(0, to_samples(0.35, rate), size=int(rng.integers(1, 7))))
    wave = np.zeros(int(starts[-1]) + n, dtype=np.float32)
    decay = np.exp(-np.arange(n) / (rate * rng.uniform(0.0005, 0.002)))
    for start in starts:
        wave[start : start + n] += (rng.standard_normal(n) * decay * rng.uniform(0.3, 1.0)).astype(np.float32)
    return Sound(wave, 500.0, min(7000.0, 0.45 * rate))


def thud(rng: np.random.Generator, rate: int) -> Sound:
    """A footfall or knock: low-passed noise that dies away within 60 to 250 ms."""
    n = to_samples(rng.uniform(0.06, 0.25), rate)
    edge_hz = rng.uniform(150.0, 700.0)
    noise = scipy.signal.sosfilt(scipy.signal.butter(2, edge_hz, fs=rate, output="sos"), rng.standard_normal(n))
    rise = np.minimum(1.0, np.arange(n) / (0.004 * rate))
    wave = noise * rise * np.exp(-5 * np.arange(n) / n)
    return Sound((wave / np.abs(wave).max()).astype(np.float32), 40.0, edge_hz)


CALLS: Mapping[str, Draw] = {"hum": hum, "trill": trill, "whistle": whistle}
CONFUSERS: Mapping[str, Draw] = {
    "moan": moan,
    "bleat": bleat,
    "chirps": chirps,
    "peep": peep,
    "clicks": clicks,
    "thud": thud,
}


def _stack(
    rng: np.random.Generator,
    rate: int,
    *,
    seconds: float,
    pitch_hz: float,
    glide: float,
    vibrato_hz: float,
    vibrato_depth: float,
    harmonics: int,
) -> Sound:
    """A harmonic stack: pitch glides by the factor (1 + glide), with a falling spectrum and one formant."""
    n = to_samples(seconds, rate)
    t = np.arange(n) / rate
    bend = rng.uniform(0.6, 1.6)  # position of the glide
    frequency = pitch_hz * (1 + glide * np.linspace(0, 1, n) ** bend)
    frequency *= 1 + vibrato_depth * np.sin(2 * np.pi * vibrato_hz * t + rng.uniform(0, 2 * np.pi))
    phase = _phase(frequency, rate, rng)
    tilt_db, formant_hz = rng.uniform(3.0, 8.0), rng.uniform(600.0, 1500.0)
    harmonics = max(1, min(harmonics, int(0.45 * rate / frequency.max())))
    wave = np.zeros(n)
    for k in range(1, harmonics + 1):
        formant_db = 8.0 * np.exp(-(((k * pitch_hz - formant_hz) / 300.0) ** 2))
        level_db = -tilt_db * np.log2(k) + formant_db + rng.uniform(-3.0, 3.0)
        wave += 10 ** (level_db / 20) * np.sin(k * phase + rng.uniform(0, 2 * np.pi))
    flutter = 1 + 0.2 * np.sin(2 * np.pi * rng.uniform(3, 8) * t + rng.uniform(0, 2 * np.pi))
    return Sound(_shaped(wave * flutter, rng), float(frequency.min() * 0.9), float(frequency.max() * harmonics * 1.04))


def _phase(frequency: NDArray[np.float64], rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    phase: NDArray[np.float64] = 2 * np.pi * np.cumsum(frequency) / rate + rng.uniform(0, 2 * np.pi)
    return phase


def _shaped(wave: NDArray[np.float64], rng: np.random.Generator) -> Samples:
    """``wave`` of peak 1 under raised-cosine flanks, zero at its first and last sample."""
    n = len(wave)
    envelope = np.ones(n)
    for share, end in ((rng.uniform(0.06, 0.12), False), (rng.uniform(0.10, 0.20), True)):
        flank = max(2, int(share * n))
        rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(flank) / flank)
        if end:
            envelope[n - flank :] *= rise[::-1]
        else:
            envelope[:flank] *= rise
    shaped = wave * envelope
    return (shaped / max(float(np.abs(shaped).max()), 1e-9)).astype(np.float32)
