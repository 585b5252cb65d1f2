"""Augmentation on whole batches: pure functions of tensors, settings and a generator that the caller passes.

Waveforms are changed first (gain, mixing two crops), then their log-mel (equaliser tilt, frequency and time masks
after Park et al., "SpecAugment", 2019). Mixing adds two crops and unites their targets; it is off by default, because
calls that drown in the sum stay targets and teach the network to hear what is not there.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.models.settings import AugmentSettings


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Float32 draws from [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def vary_waveforms(
    waveforms: Tensor, targets: Tensor, mask: Tensor, settings: AugmentSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Gain, then mixing: (batch, n_samples) and two (batch, n_frames, n_labels) in, the same shapes out."""
    batch = len(waveforms)
    gain = uniform((batch, 1), -settings.gain_db, settings.gain_db, generator)
    waveforms = waveforms * 10 ** (gain / 20)
    partner = torch.randperm(batch, generator=generator)
    chosen = torch.rand(batch, 1, generator=generator) < settings.mix_probability
    # A crop drawn as its own partner would only get louder.
    chosen &= (partner != torch.arange(batch))[:, None]
    level = 10 ** (uniform((batch, 1), -settings.mix_db, 0.0, generator) / 20) * chosen
    mixed = waveforms + level * waveforms[partner]
    both = 1 - (1 - targets) * (1 - targets[partner])
    known = mask * mask[partner]
    return mixed, torch.where(chosen[..., None], both, targets), torch.where(chosen[..., None], known, mask)


def vary_log_mel(log_mel: Tensor, settings: AugmentSettings, hop_s: float, generator: torch.Generator) -> Tensor:
    """Equaliser tilt and masks on (batch, n_frames, n_mels) in dB; masks are filled with the crop's mean."""
    batch, n_frames, n_mels = log_mel.shape
    points = uniform((batch, 1, 5), -settings.tilt_db, settings.tilt_db, generator)
    varied = log_mel + interpolate(points, size=n_mels, mode="linear", align_corners=True)
    fill = varied.mean(dim=(1, 2), keepdim=True)
    bands = _mask(batch, n_mels, int(settings.frequency_mask * n_mels), generator)
    varied = torch.where(bands[:, None, :], fill, varied)
    frames = _mask(batch, n_frames, int(settings.time_mask_s / hop_s), generator)
    return torch.where(frames[:, :, None], fill, varied)


def _mask(batch: int, size: int, longest: int, generator: torch.Generator) -> Tensor:
    """One stretch a row of up to ``longest`` places: bool (batch, size)."""
    width = torch.randint(0, longest + 1, (batch, 1), generator=generator)
    first = (torch.rand(batch, 1, generator=generator) * (size - width + 1)).long()
    place = torch.arange(size)[None]
    return (place >= first) & (place < first + width)
