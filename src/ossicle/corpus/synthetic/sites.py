"""Synthetic sites: the ambience of a place without calls, and its effect on calls.

A site is drawn once and keeps its character on all its tapes; weather differs between tapes. Levels are in dB relative
to full scale (RMS).
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.time import to_samples

Samples = NDArray[np.float32]

REFLECTIONS_S = 0.025
"""Longest path difference of a reflection; with their levels, under 1 % of a call's energy falls after its end."""

_CHARACTERS = ("wind", "rain", "farm", "insects")


@dataclass(frozen=True, slots=True)
class Site:
    """A place. Levels in dB full scale; ``tilt`` is the exponent a of the weather's 1/f^a power spectrum."""

    character: str
    tilt: float
    weather_db: float
    gust_db: float
    rain_db: float
    mains_db: float
    rumble_db: float
    insects_db: float
    insects_hz: float
    cutoff_hz: float
    reflection_db: float


def draw_site(rng: np.random.Generator, index: int) -> Site:
    """Return site ``index``; one of four characters (wind, rain, farm, insects) in turn is strong in it, the
    others faint.
    """
    character = _CHARACTERS[index % len(_CHARACTERS)]

    def level(mark: str, strong: float, faint: float) -> float:
        return (strong if character == mark else faint) + rng.uniform(-3.0, 3.0)

    return Site(
        character=character,
        tilt=rng.uniform(0.7, 1.5),
        weather_db=level("wind", -38.0, -44.0),
        gust_db=level("wind", 8.0, 4.0),
        rain_db=level("rain", -46.0, -66.0),
        mains_db=level("farm", -44.0, -64.0),
        rumble_db=level("farm", -38.0, -48.0),
        insects_db=level("insects", -46.0, -62.0),
        insects_hz=rng.uniform(3800.0, 6200.0),
        cutoff_hz=rng.uniform(2500.0, 6000.0),
        reflection_db=rng.uniform(-20.0, -14.0),
    )


def ambience(site: Site, n: int, rate: int, rng: np.random.Generator) -> Samples:
    """``n`` samples of the site without animals, float32, shape (n,)."""
    sound = _level(coloured_noise(n, rate, site.tilt, rng), site.weather_db) * _swell(n, rate, 0.25, site.gust_db, rng)
    sound += _rain(n, rate, rng, site.rain_db)
    sound += _mains(n, rate, rng, site.mains_db)
    rumble = _band(rng.standard_normal(n, dtype=np.float32), rate, 25.0, 110.0)
    sound += _level(rumble, site.rumble_db) * _swell(n, rate, 0.08, 6.0, rng)
    sound += _insects(n, rate, rng, site)
    sound += _level(rng.standard_normal(n, dtype=np.float32), -72.0)  # the recorder's own noise
    return sound.astype(np.float32, copy=False)


def acoustics(site: Site, rate: int, rng: np.random.Generator) -> Samples:
    """Impulse response from a caller to the microphone, shape (m,): direct path at sample 0, air and foliage as a
    one-pole low-pass, and five early reflections within :data:`REFLECTIONS_S`.
    """
    m = to_samples(REFLECTIONS_S, rate)
    paths = np.zeros(m)
    paths[0] = 1.0
    delays = rng.integers(to_samples(0.002, rate), m, size=5)
    for order, delay in enumerate(np.sort(delays)):
        paths[delay] += rng.choice([-1.0, 1.0]) * 10 ** ((site.reflection_db - 2.0 * order) / 20)
    pole = np.exp(-2 * np.pi * site.cutoff_hz / rate)
    response: Samples = scipy.signal.lfilter([1 - pole], [1, -pole], paths).astype(np.float32)
    return response


def coloured_noise(n: int, rate: int, tilt: float, rng: np.random.Generator) -> Samples:
    """Noise with power spectrum 1/f^tilt above 30 Hz, flat below; float32, shape (n,)."""
    size = scipy.fft.next_fast_len(n, real=True)
    spectrum = scipy.fft.rfft(rng.standard_normal(size, dtype=np.float32))
    bins_hz = np.fft.rfftfreq(size, 1 / rate).astype(np.float32)
    spectrum *= np.maximum(bins_hz, np.float32(30.0)) ** np.float32(-tilt / 2)
    noise: Samples = scipy.fft.irfft(spectrum, size)[:n]
    return noise


def _level(wave: Samples, db: float) -> Samples:
    """``wave`` scaled to an RMS of ``db`` dB full scale."""
    rms = np.sqrt(np.mean(np.square(wave, dtype=np.float64)))
    return (wave * np.float32(10 ** (db / 20) / max(float(rms), 1e-12))).astype(np.float32, copy=False)


def _swell(n: int, rate: int, speed_hz: float, depth_db: float, rng: np.random.Generator) -> Samples:
    """A slow random gain around 1, changing about ``speed_hz`` times a second by about ``depth_db`` (one sigma / 2)."""
    knots = max(4, int(np.ceil(n / rate * 2 * speed_hz)) + 3)
    level_db = 0.5 * depth_db * rng.standard_normal(knots)
    # Cosine interpolation between knots: smooth, local and cheap.
    positions = np.linspace(0, knots - 1.001, n, dtype=np.float32)
    left = positions.astype(np.int32)
    mix = 0.5 - 0.5 * np.cos(np.float32(np.pi) * (positions - left))
    db = level_db.astype(np.float32)
    gain: Samples = np.power(np.float32(10), (db[left] * (1 - mix) + db[left + 1] * mix) / 20).astype(np.float32)
    return gain


def _band(wave: Samples, rate: int, low_hz: float, high_hz: float) -> Samples:
    sos = scipy.signal.butter(2, [low_hz, min(high_hz, 0.49 * rate)], btype="bandpass", fs=rate, output="sos")
    filtered: Samples = scipy.signal.sosfilt(sos.astype(np.float32), wave).astype(np.float32, copy=False)
    return filtered


def _rain(n: int, rate: int, rng: np.random.Generator, db: float) -> Samples:
    """Drops: a Poisson train (40 a second) of impulses of very unequal strength on a resonating surface."""
    drops = np.zeros(n, dtype=np.float32)
    positions = rng.integers(0, n, size=int(rng.poisson(40 * n / rate)))
    strength = rng.lognormal(0.0, 0.9, size=len(positions)) * rng.choice([-1.0, 1.0], size=len(positions))
    np.add.at(drops, positions, strength.astype(np.float32))
    drops = _band(drops, rate, rng.uniform(700.0, 1500.0), rng.uniform(4000.0, 7000.0))
    return _level(drops, db) * _swell(n, rate, 0.1, 6.0, rng) if len(positions) else drops


def _mains(n: int, rate: int, rng: np.random.Generator, db: float) -> Samples:
    """Mains hum: 50 Hz (0.05 Hz off) and 11 harmonics of falling level."""
    t = np.arange(n, dtype=np.float64) / rate
    base = 2 * np.pi * (50.0 + rng.uniform(-0.05, 0.05))
    turn = np.exp(1j * base * t).astype(np.complex64)
    wave = np.zeros(n, dtype=np.float32)
    power = np.ones(n, dtype=np.complex64)
    for k in range(1, 13):
        power *= turn
        strength = np.complex64(np.exp(1j * rng.uniform(0, 2 * np.pi)) * (1.6 if k % 2 == 0 else 1.0) / k)
        wave += (power * strength).imag
    return _level(wave, db)


def _insects(n: int, rate: int, rng: np.random.Generator, site: Site) -> Samples:
    """A chorus: a narrow noise band, pulsed at 25 to 70 Hz, that comes and goes."""
    width = rng.uniform(0.04, 0.10)
    band = _band(
        rng.standard_normal(n, dtype=np.float32), rate, site.insects_hz * (1 - width), site.insects_hz * (1 + width)
    )
    t = np.arange(n, dtype=np.float32) / np.float32(rate)
    pulses = np.float32(0.6) + np.float32(0.4) * np.sin(np.float32(2 * np.pi * rng.uniform(25.0, 70.0)) * t)
    return _level(band * pulses, site.insects_db) * _swell(n, rate, 0.3, 8.0, rng)
