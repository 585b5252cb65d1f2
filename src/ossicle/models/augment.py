"""Augmentation on whole batches: pure functions of tensors, settings and a generator that the caller passes.

Waveforms are changed first (steady noise in the place of crops, gain, background of another crop), then their log-mel
(equaliser tilt, frequency and time masks after Park et al., "SpecAugment", 2019). Only crops without any target are
added to others: calls are heard over backgrounds of other places, and no target drowns in a sum. All is drawn on the
CPU, so that every device sees the same.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.core.time import nearest_frames
from ossicle.models.settings import AugmentSettings


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Float32 draws from [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def vary_waveforms(waveforms: Tensor, targets: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Noise, gain, background: waveforms (batch, n_samples), targets (batch, n_frames, n_labels); the targets stay."""
    batch = len(waveforms)
    device = waveforms.device
    free = torch.nonzero(targets.amax(dim=(1, 2)) == 0)[:, 0].cpu()
    if settings.noise_probability > 0:
        silenced = free[torch.rand(len(free), generator=generator) < settings.noise_probability]
        if len(silenced):  # MKL has no transform of nothing
            noise = coloured_noise(len(silenced), waveforms.shape[1], generator).to(device)
            waveforms = waveforms.index_copy(0, silenced.to(device), noise)
    gain = uniform((batch, 1), -settings.gain_db, settings.gain_db, generator).to(device)
    waveforms = waveforms * 10 ** (gain / 20)
    if len(free) == 0:
        return waveforms
    partner = free[torch.randint(0, len(free), (batch,), generator=generator)]
    chosen = torch.rand(batch, 1, generator=generator) < settings.background_probability
    # A crop drawn as its own background would only get louder.
    chosen &= (partner != torch.arange(batch))[:, None]
    level = uniform((batch, 1), settings.background_low_db, settings.background_high_db, generator)
    added = waveforms[partner.to(device)]
    if settings.background_by == "snr":
        above = call_power(waveforms, targets).sqrt()
        below = added.square().mean(dim=1, keepdim=True).sqrt()
        # Digital silence neither drowns nor is drowned.
        scale = torch.where(below > 0, above / below.clamp_min(1e-12), 0.0) * 10 ** (-level / 20).to(device)
        return waveforms + chosen.to(device) * scale * added
    return waveforms + (chosen * 10 ** (level / 20)).to(device) * added


def call_power(waveforms: Tensor, targets: Tensor) -> Tensor:
    """Mean square of each crop where it has targets, or of the whole crop where it has none: (batch, 1)."""
    share = targets.amax(dim=2)
    share = torch.where(share.sum(dim=1, keepdim=True) > 0, share, 1.0)
    weight = interpolate(share[:, None], size=waveforms.shape[1], mode="nearest")[:, 0]
    return (waveforms.square() * weight).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True)


def coloured_noise(batch: int, n_samples: int, generator: torch.Generator) -> Tensor:
    """Steady noise (batch, n_samples), white or with power that falls by up to 6 dB an octave, from -60 to -15 dBFS."""
    spectrum = torch.fft.rfft(torch.randn(batch, n_samples, generator=generator))
    frequency = torch.arange(spectrum.shape[1]).clamp_min(1) / max(spectrum.shape[1], 1)
    slope = uniform((batch, 1), 0.0, 2.0, generator) * torch.randint(0, 2, (batch, 1), generator=generator)
    noise: Tensor = torch.fft.irfft(spectrum * frequency ** (-slope / 2), n=n_samples)
    level = 10 ** (uniform((batch, 1), -60.0, -15.0, generator) / 20)
    noise = noise / noise.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-12)
    return noise * level


def vary_log_mel(log_mel: Tensor, settings: AugmentSettings, hop_s: float, generator: torch.Generator) -> Tensor:
    """Equaliser tilt and masks on (batch, n_frames, n_mels) in dB; masks are filled with the crop's mean."""
    batch, n_frames, n_mels = log_mel.shape
    device = log_mel.device
    points = uniform((batch, 1, 5), -settings.tilt_db, settings.tilt_db, generator).to(device)
    varied = log_mel + interpolate(points, size=n_mels, mode="linear", align_corners=True)
    fill = varied.mean(dim=(1, 2), keepdim=True)
    bands = _mask(batch, n_mels, int(settings.frequency_mask * n_mels), generator).to(device)
    varied = torch.where(bands[:, None, :], fill, varied)
    longest = min(n_frames, nearest_frames(settings.time_mask_s, hop_s))
    frames = _mask(batch, n_frames, longest, generator).to(device)
    return torch.where(frames[:, :, None], fill, varied)


def _mask(batch: int, size: int, longest: int, generator: torch.Generator) -> Tensor:
    """One stretch a row of up to ``longest`` places: bool (batch, size)."""
    width = torch.randint(0, longest + 1, (batch, 1), generator=generator)
    first = (torch.rand(batch, 1, generator=generator) * (size - width + 1)).long()
    place = torch.arange(size)[None]
    return (place >= first) & (place < first + width)
