"""Sounds without a target, at a model's rate, on which a detector must stay silent.

Everything is drawn from a seed, so equal arguments give equal samples. Levels are RMS in dB full scale.

The speech-like noise has the long-term spectrum of speech in three straight lines (rising by 12 dB per octave to 100
Hz, flat to 500 Hz, falling by 9 dB per octave above; after Byrne et al. 1994), modulated at the rate of syllables,
around 4 Hz (Houtgast and Steeneken 1985). Mains hum includes the noise of a recorder, as in the field.

References
----------
D. Byrne et al., "An international comparison of long-term average speech spectra", JASA 96, 1994.
T. Houtgast and H. J. M. Steeneken, "A review of the MTF concept in room acoustics", JASA 77, 1985.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.core.time import to_samples

Samples = NDArray[np.float32]

WHITE_DB = (-60.0, -40.0, -20.0)
HUM_DB = (-50.0, -30.0)
SPEECH_DB = (-50.0, -35.0, -20.0)
MAINS_HZ = (50.0, 60.0)

_RECORDER_DB = -72.0
_HARMONICS = 20
_SYLLABLES_HZ = (2.0, 6.0)
_SWING = 0.9  # of the logarithm of the envelope, one sigma: about 8 dB


@dataclass(frozen=True, slots=True)
class Probe:
    """One stretch without a target: ``name`` of the kind, ``part`` (its level), ``samples`` float32, shape (n,)."""

    name: str
    part: str
    samples: Samples


def synthetic_probes(rate: int, seconds: float, seed: int) -> Iterator[Probe]:
    """Yield digital silence, white noise, mains hum and speech-like noise, each at each level.

    ``rate`` in Hz; ``seconds`` is the length of each probe.
    """
    n = to_samples(seconds, rate)
    yield Probe("silence", "all zeros", np.zeros(n, dtype=np.float32))
    for level in WHITE_DB:
        yield _probe("white_noise", f"{level:g} dBFS", seed, lambda rng: rng.standard_normal(n), level)
    for mains_hz in MAINS_HZ:
        for level in HUM_DB:
            part = f"{mains_hz:g} Hz at {level:g} dBFS"
            yield _probe("hum", part, seed, partial(_hum, n, rate, mains_hz), level, floor=True)
    for level in SPEECH_DB:
        yield _probe("speech_like", f"{level:g} dBFS", seed, partial(speech_like, n, rate), level)


def speech_like(n: int, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ``n`` samples at ``rate`` Hz of noise with the spectrum and the rhythm of speech; shape (n,)."""
    carrier = _shaped(n, rate, rng, _speech_gain)
    rhythm = _shaped(n, rate, rng, lambda hz: ((hz >= _SYLLABLES_HZ[0]) & (hz <= _SYLLABLES_HZ[1])).astype(np.float64))
    spread = float(np.std(rhythm)) or 1.0
    modulated: NDArray[np.float64] = carrier * np.exp(_SWING * rhythm / spread)
    return modulated


def _probe(
    name: str,
    part: str,
    seed: int,
    draw: Callable[[np.random.Generator], NDArray[np.float64]],
    level_db: float,
    floor: bool = False,
) -> Probe:
    rng = np.random.default_rng(seed_of(seed, name, part))
    wave = _at_level(draw(rng), level_db)
    if floor:
        wave = wave + _at_level(rng.standard_normal(len(wave)), _RECORDER_DB)
    return Probe(name, part, np.clip(wave, -1.0, 1.0).astype(np.float32))


def _hum(n: int, rate: int, mains_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the mains frequency and its harmonics below half the rate, of level 1 / order and random phase.

    Each has the nearest whole number of periods in ``n`` samples, so one inverse transform gives them all.
    """
    spectrum = np.zeros(n // 2 + 1, dtype=np.complex128)
    for order in range(1, _HARMONICS + 1):
        phase = rng.uniform(0, 2 * np.pi)
        if order * mains_hz < rate / 2:
            spectrum[to_samples(order * mains_hz, n / rate)] = np.exp(1j * phase) / order
    wave: NDArray[np.float64] = scipy.fft.irfft(spectrum, n)
    return wave


def _speech_gain(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    safe = np.maximum(hz, 1.0)
    gain: NDArray[np.float64] = np.minimum(1.0, (safe / 100.0) ** 2) * np.minimum(1.0, (500.0 / safe) ** 1.5)
    return gain


def _shaped(
    n: int,
    rate: int,
    rng: np.random.Generator,
    gain: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return Gaussian noise whose amplitude spectrum follows ``gain`` of the frequency in Hz."""
    size = scipy.fft.next_fast_len(n, real=True)
    spectrum = scipy.fft.rfft(rng.standard_normal(size)) * gain(np.fft.rfftfreq(size, 1 / rate).astype(np.float64))
    wave: NDArray[np.float64] = scipy.fft.irfft(spectrum, size)[:n]
    return wave


def _at_level(wave: NDArray[np.float64], level_db: float) -> NDArray[np.float64]:
    rms = float(np.sqrt(np.mean(np.square(wave))))
    scaled: NDArray[np.float64] = wave * (10 ** (level_db / 20) / max(rms, 1e-12))
    return scaled
