"""The early stage: single crops, before any mixing. Gain, polarity, time shift, added noise."""

from dataclasses import replace

import torch
from torch import Tensor

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.models.augmentation.draws import replaced, touched, uniform
from ossicle.models.augmentation.shifting import shift
from ossicle.models.augmentation.sounds import Sounds, call_power
from ossicle.models.settings import AugmentSettings


def vary_early(sounds: Sounds, settings: AugmentSettings, plan: ChunkPlan, generator: torch.Generator) -> Sounds:
    """Apply the whole stage; ``plan`` maps samples to frames."""
    waveforms = _gain(sounds.waveforms, settings, generator)
    turned = touched(len(sounds), settings.early.polarity_probability, generator)
    waveforms = replaced(waveforms, turned, -waveforms[turned.to(waveforms.device)])
    sounds = shift(replace(sounds, waveforms=waveforms), settings.early, plan, generator)
    return replace(sounds, waveforms=_hiss(sounds, settings, generator))


def _gain(waveforms: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    if settings.gain_probability == 0:
        return waveforms
    gain = uniform((len(waveforms), 1), -settings.gain_db, settings.gain_db, generator)
    if settings.gain_probability < 1:
        gain *= torch.rand(len(waveforms), 1, generator=generator) < settings.gain_probability
    return waveforms * 10 ** (gain.to(waveforms.device) / 20)


def _hiss(sounds: Sounds, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Add steady noise below the crop's calls (or the whole crop, if it has none) by a drawn ratio."""
    early, waveforms = settings.early, sounds.waveforms
    items = touched(len(sounds), early.hiss_probability, generator)
    if len(items) == 0:
        return waveforms
    ratio = uniform((len(items), 1), early.hiss_low_db, early.hiss_high_db, generator).to(waveforms.device)
    noise = steady_noise(len(items), waveforms.shape[1], generator).to(waveforms.device)
    chosen = items.to(waveforms.device)
    # Digital silence has no signal-to-noise ratio and stays unchanged.
    level = call_power(waveforms[chosen], sounds.targets[chosen]).sqrt() * 10 ** (-ratio / 20)
    return replaced(waveforms, items, waveforms[chosen] + level * noise)


def steady_noise(batch: int, n_samples: int, generator: torch.Generator) -> Tensor:
    """Return steady noise (batch, n_samples) with a root mean square of 1: white, or with power falling by up to 6 dB
    per octave.
    """
    spectrum = torch.fft.rfft(torch.randn(batch, n_samples, generator=generator))
    frequency = torch.arange(spectrum.shape[1]).clamp_min(1) / max(spectrum.shape[1], 1)
    slope = uniform((batch, 1), 0.0, 2.0, generator) * torch.randint(0, 2, (batch, 1), generator=generator)
    noise: Tensor = torch.fft.irfft(spectrum * frequency ** (-slope / 2), n=n_samples)
    return noise / noise.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-12)
