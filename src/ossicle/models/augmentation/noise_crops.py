"""Sound without targets for training: crops of silence, noise and hum of many kinds, added to every batch.

A detector that has met only its own recordings may fire on sound it never met: loud noise, mains hum, the rhythm of
speech. These crops teach it silence there. All parameters have wide random ranges; nothing is copied from the probes of
the noise gate (``corpus.synthetic.noise_probes``), which stay unseen.

One chain makes every crop: an excitation (Gaussian noise, or drops) gets a random spectrum of three slopes, a rhythm,
optionally a comb of harmonics, and a random level. Sparse clicks are left out on purpose: no probe asks for them, and
many targets are clicks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import scipy
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.models.augmentation.draws import uniform

NOISE_KINDS: Mapping[str, float] = {
    "silence": 0.15,
    "steady": 0.2,
    "hum": 0.2,
    "modulated": 0.3,
    "gusts": 0.075,
    "drops": 0.075,
}
"""Kinds of noise crops, and how often each is drawn; the shares add up to 1."""

_LEVEL_DB = (-75.0, -10.0)
_LEAST_LEVEL = 1e-12
_CONTROL_HZ = 100.0
_WAVES = 16
_MOST_HARMONICS = 40


@dataclass(frozen=True, slots=True, eq=False)
class NoiseCrops:
    """``waveforms`` float32 (n, n_samples) in [-1, 1]; ``kinds`` int64 (n,), indices into :data:`NOISE_KINDS`."""

    waveforms: Tensor
    kinds: Tensor


def noise_count(batch: int, share: float) -> int:
    """Return the number of noise crops that are added to a batch: the share of its size, at least 1 if not 0."""
    return max(1, round(share * batch)) if share > 0 else 0


def noise_crops(n: int, n_samples: int, rate: int, generator: torch.Generator) -> NoiseCrops:
    """Draw noise crops, each of its own kind and with its own parameters.

    Parameters
    ----------
    n
        Number of crops, at least 1.
    n_samples
        Length of each crop in samples.
    rate
        Sample rate in Hz; spectra and rhythms are drawn in Hz, up to half of it.
    generator
        Source of all random values, on the CPU.

    Returns
    -------
    NoiseCrops
        The crops and their kinds, on the CPU. Levels are RMS from -75 to -10 dBFS, or silence.
    """
    shares = torch.tensor(list(NOISE_KINDS.values()))
    kinds = torch.multinomial(shares, n, replacement=True, generator=generator)
    names = list(NOISE_KINDS)
    chosen = {name: kinds == names.index(name) for name in names}
    excitation = torch.randn(n, scipy.fft.next_fast_len(n_samples, real=True), generator=generator)
    dripping = torch.nonzero(chosen["drops"])[:, 0]
    if len(dripping):
        excitation = excitation.index_copy(0, dripping, _drops(excitation[dripping], rate, generator))
    carrier = _coloured(excitation, rate, chosen, generator)[:, :n_samples]
    waves = _to_rms(carrier * _rhythm(n, n_samples, rate, chosen, generator).exp())
    humming = torch.nonzero(chosen["hum"])[:, 0]
    if len(humming):
        below = 10 ** (-uniform((len(humming), 1), 5.0, 50.0, generator) / 20)
        hum = _to_rms(_hum(len(humming), n_samples, rate, generator))
        waves = waves.index_copy(0, humming, _to_rms(hum + below * waves[humming]))
    waves = waves * 10 ** (uniform((n, 1), *_LEVEL_DB, generator) / 20)
    silent = torch.nonzero(chosen["silence"])[:, 0]
    if len(silent):
        waves = waves.index_copy(0, silent, _silence(len(silent), n_samples, generator))
    return NoiseCrops(waves.clamp(-1.0, 1.0), kinds)


def _log_uniform(
    shape: tuple[int, ...], low: float | Tensor, high: float | Tensor, generator: torch.Generator
) -> Tensor:
    """Return draws whose logarithm is uniform; bounds may differ by crop."""
    least, most = torch.as_tensor(low), torch.as_tensor(high)
    return least * (most / least).clamp_min(1.0) ** torch.rand(shape, generator=generator)


def _to_rms(waves: Tensor) -> Tensor:
    return waves / waves.square().mean(dim=1, keepdim=True).sqrt().clamp_min(_LEAST_LEVEL)


def _drops(noise: Tensor, rate: int, generator: torch.Generator) -> Tensor:
    """Return impulses of random strength, 100 to 3000 a second, over faint noise: rain on leaves or a roof."""
    n = len(noise)
    share = _log_uniform((n, 1), 100.0, 3000.0, generator) / rate
    hits = torch.rand(noise.shape, generator=generator) < share
    spread = uniform((n, 1), 0.2, 1.2, generator)
    return noise * (0.1 + torch.where(hits, (spread * noise.roll(1, dims=1)).exp() / share.sqrt(), 0.0))


def _coloured(excitation: Tensor, rate: int, chosen: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
    """Shape the spectrum: a rise up to a first corner, a slope, a fall above a second corner, and a ripple.

    A third of the steady crops stay white. Gusts fall steeply above a low corner.
    """
    n, length = excitation.shape
    nyquist = rate / 2
    hz = torch.fft.rfftfreq(length, 1 / rate).clamp_min(rate / length)
    octaves = hz.log2()[None]
    first = _log_uniform((n, 1), 15.0, 0.15 * nyquist, generator)
    second = _log_uniform((n, 1), first, nyquist, generator)
    rise = uniform((n, 1), 0.0, 18.0, generator)
    slope = uniform((n, 1), -9.0, 4.0, generator)
    fall = uniform((n, 1), 0.0, 24.0, generator)
    gusts = chosen["gusts"][:, None]
    second = torch.where(gusts, _log_uniform((n, 1), 40.0, 0.1 * nyquist, generator), second)
    first = torch.minimum(first, second)
    fall = torch.where(gusts, 6.0 + 0.75 * fall, fall)
    positions, low, high = octaves, first.log2(), second.log2()
    gain_db = rise * (positions - low).clamp_max(0.0) - fall * (positions - high).clamp_min(0.0)
    gain_db = gain_db + slope * (torch.minimum(torch.maximum(positions, low), high) - low)
    depth, period = uniform((n, 1), 0.0, 4.0, generator), _log_uniform((n, 1), 0.3, 4.0, generator)
    gain_db = gain_db + depth * torch.sin(2 * math.pi * (positions / period + torch.rand(n, 1, generator=generator)))
    white = chosen["steady"][:, None] & (torch.rand(n, 1, generator=generator) < 1 / 3)
    gain_db = torch.where(white, 0.0, gain_db)
    shaped: Tensor = torch.fft.irfft(torch.fft.rfft(excitation) * 10 ** (gain_db / 20), n=length)
    return shaped


def _rhythm(n: int, n_samples: int, rate: int, chosen: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
    """Return the logarithm of the envelope, (n, n_samples): a sum of slow waves, or 0 for steady sound.

    Modulated crops move 0.7 to 12 times a second, a third of them between two levels as syllables do; gusts and drops
    move slowly.
    """
    modulated, slow = chosen["modulated"][:, None], (chosen["gusts"] | chosen["drops"])[:, None]
    lowest = torch.where(modulated, _log_uniform((n, 1), 0.7, 5.0, generator), 0.05)
    highest = torch.where(modulated, lowest * uniform((n, 1), 1.2, 4.0, generator), 1.5).clamp_max(12.0)
    rates = _log_uniform((n, _WAVES), lowest, highest, generator)
    phases = torch.rand(n, _WAVES, generator=generator)
    control = max(2, math.ceil(n_samples / rate * _CONTROL_HZ))
    t = torch.arange(control) / _CONTROL_HZ
    waves = torch.sin(2 * math.pi * (rates[:, :, None] * t + phases[:, :, None])).sum(dim=1) / math.sqrt(_WAVES / 2)
    abrupt = modulated & (torch.rand(n, 1, generator=generator) < 1 / 3)
    waves = torch.where(abrupt, 1.3 * torch.tanh(4.0 * waves), waves)
    swing = torch.where(modulated, uniform((n, 1), 0.2, 1.6, generator), uniform((n, 1), 0.1, 1.0, generator))
    waves = torch.where(modulated | slow, swing * waves, 0.0)
    return interpolate(waves[:, None], size=n_samples, mode="linear", align_corners=True)[:, 0]


def _hum(n: int, n_samples: int, rate: int, generator: torch.Generator) -> Tensor:
    """Return combs of harmonics of 45 to 65 Hz, (n, n_samples), with random strengths and a slightly moving pitch."""
    pitch = uniform((n, 1, 1), 45.0, 65.0, generator)
    order = torch.arange(1, _MOST_HARMONICS + 1, dtype=torch.float32)[None, :, None]
    strength = order ** -uniform((n, 1, 1), 0.0, 2.0, generator)
    strength = strength * torch.randn(n, _MOST_HARMONICS, 1, generator=generator).mul(0.7).exp()
    weak = torch.randint(0, 3, (n, 1, 1), generator=generator)  # the odd, the even, or no harmonics are weak
    strength = strength * torch.where((order % 2 == weak % 2) & (weak < 2), 0.1, 1.0)
    most = _log_uniform((n, 1, 1), 1.0, float(_MOST_HARMONICS), generator).round()
    strength = strength * ((order <= most) & (order * pitch < rate / 2))
    t = (torch.arange(n_samples) / rate)[None]
    drift = uniform((n, 1), 0.0, 0.2, generator) / math.pi
    drift = drift * torch.sin(2 * math.pi * uniform((n, 1), 0.05, 1.0, generator) * t)
    cycles, phases = pitch[:, 0] * t + drift, torch.rand(n, _MOST_HARMONICS, generator=generator)
    combs = torch.zeros(n, n_samples)
    for harmonic in range(int(most.amax())):
        wave = torch.sin(2 * math.pi * ((harmonic + 1) * cycles + phases[:, harmonic, None]))
        combs += strength[:, harmonic] * wave
    return combs


def _silence(n: int, n_samples: int, generator: torch.Generator) -> Tensor:
    """Return silence: half of it digital, the rest with the last bits of a recorder or a constant offset."""
    faint = torch.randn(n, n_samples, generator=generator) * 10 ** (uniform((n, 1), -115.0, -80.0, generator) / 20)
    offset = _log_uniform((n, 1), 1e-5, 1e-2, generator) * torch.sign(uniform((n, 1), -1.0, 1.0, generator))
    kind = torch.randint(0, 4, (n, 1), generator=generator)
    return torch.where(kind < 2, 0.0, torch.where(kind == 2, faint, offset.expand_as(faint)))
