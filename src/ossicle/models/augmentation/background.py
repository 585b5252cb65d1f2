"""The late stage: add the background of another crop without targets to a crop.

Calls are then heard over backgrounds of other places, and no target is masked unnoticed in a sum (docs/decisions/0008).
"""

from dataclasses import replace

import torch
from torch import Tensor

from ossicle.models.augmentation.draws import uniform
from ossicle.models.augmentation.sounds import Sounds, call_power, peaks
from ossicle.models.settings import AugmentSettings


def add_backgrounds(sounds: Sounds, source: Sounds, settings: AugmentSettings, generator: torch.Generator) -> Sounds:
    """Mix some crops with one of ``source`` (the same batch before mixup) that has no target; none, if all have
    targets.
    """
    waveforms, batch, device = sounds.waveforms, len(sounds), sounds.waveforms.device
    free = source.free
    if len(free) == 0:
        return sounds
    partner = free[torch.randint(0, len(free), (batch,), generator=generator)]
    chosen = torch.rand(batch, 1, generator=generator) < settings.background_probability
    # A crop mixed with itself would only get louder.
    chosen &= (partner != torch.arange(batch))[:, None]
    added = source.waveforms[partner.to(device)]
    if settings.background_by == "share":
        share = uniform((batch, 1), settings.background_low_share, settings.background_high_share, generator)
        return replace(sounds, waveforms=_shared_background(waveforms, added, chosen.to(device), share.to(device)))
    level = uniform((batch, 1), settings.background_low_db, settings.background_high_db, generator)
    if settings.background_by == "snr":
        above = call_power(waveforms, sounds.targets).sqrt()
        below = added.square().mean(dim=1, keepdim=True).sqrt()
        # Digital silence neither masks another sound nor is masked.
        scale = torch.where(below > 0, above / below.clamp_min(1e-12), 0.0) * 10 ** (-level / 20).to(device)
        return replace(sounds, waveforms=waveforms + chosen.to(device) * scale * added)
    return replace(sounds, waveforms=waveforms + (chosen * 10 ** (level / 20)).to(device) * added)


def _shared_background(waveforms: Tensor, added: Tensor, chosen: Tensor, share: Tensor) -> Tensor:
    """Return ``(1 - share)`` of the crop plus ``share`` of the background, which is first scaled to the crop's peak."""
    crop_peaks, other = peaks(waveforms), peaks(added)
    mixed = (1 - share) * waveforms + share * (crop_peaks / torch.where(other > 0, other, 1.0)) * added
    return torch.where(chosen & (crop_peaks > 0) & (other > 0), mixed, waveforms)
