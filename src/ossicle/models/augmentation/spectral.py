"""The spectral stage: contrast, treble, equaliser and masks of log-mel spectrograms, each crop by itself.

Masks follow Park et al. (2019). They leave the targets unchanged: a label of a clip stays true, and a partly masked
call can still be heard.

References
----------
D. S. Park et al., "SpecAugment: A simple data augmentation method for automatic speech recognition", 2019.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.core.time import nearest_frames
from ossicle.models.augmentation.draws import replaced, touched, uniform
from ossicle.models.augmentation.settings import SpectralSettings
from ossicle.models.settings import AugmentSettings


def vary_log_mel(log_mel: Tensor, settings: AugmentSettings, hop_s: float, generator: torch.Generator) -> Tensor:
    """Apply the whole stage to (batch, n_frames, n_mels) in dB; masks are filled with the crop's mean."""
    spectral = settings.spectral
    batch, n_frames, n_mels = log_mel.shape
    device = log_mel.device
    varied = _turn_treble(_change_contrast(log_mel, spectral, generator), spectral, generator)
    if settings.tilt_probability > 0:
        points = uniform((batch, 1, 5), -settings.tilt_db, settings.tilt_db, generator)
        if settings.tilt_probability < 1:
            points *= torch.rand(batch, 1, 1, generator=generator) < settings.tilt_probability
        varied = varied + interpolate(points.to(device), size=n_mels, mode="linear", align_corners=True)
    fill = varied.mean(dim=(1, 2), keepdim=True)
    widest = int(settings.frequency_mask * n_mels)
    bands = masks(batch, n_mels, widest, spectral.frequency_masks, spectral.frequency_mask_probability, generator)
    varied = torch.where(bands.to(device)[:, None, :], fill, varied)
    longest = min(n_frames, nearest_frames(settings.time_mask_s, hop_s))
    frames = masks(batch, n_frames, longest, spectral.time_masks, spectral.time_mask_probability, generator)
    return torch.where(frames.to(device)[:, :, None], fill, varied)


def masks(batch: int, size: int, longest: int, most: int, probability: float, generator: torch.Generator) -> Tensor:
    """Return from one to ``most`` stretches of up to ``longest`` positions, in the items that have any: bool (batch,
    size).
    """
    if probability == 0:
        return torch.zeros(batch, size, dtype=torch.bool)
    width = torch.randint(0, longest + 1, (batch, most), generator=generator)
    first = (torch.rand(batch, most, generator=generator) * (size - width + 1)).long()
    if most > 1:
        number = torch.randint(1, most + 1, (batch, 1), generator=generator)
        width = width * (torch.arange(most) < number)
    if probability < 1:
        width = width * (torch.rand(batch, 1, generator=generator) < probability)
    positions = torch.arange(size)
    within: Tensor = (positions >= first[:, :, None]) & (positions < (first + width)[:, :, None])
    return within.any(dim=1)


def _change_contrast(log_mel: Tensor, settings: SpectralSettings, generator: torch.Generator) -> Tensor:
    """Raise levels, as shares of the range of a crop, to a power whose logarithm is uniform."""
    items = touched(len(log_mel), settings.power_probability, generator)
    if len(items) == 0:
        return log_mel
    low, high = math.log(settings.power_low), math.log(settings.power_high)
    power = uniform((len(items), 1, 1), low, high, generator).exp().to(log_mel.device)
    chosen = log_mel[items.to(log_mel.device)]
    least = chosen.amin(dim=(1, 2), keepdim=True)
    span = chosen.amax(dim=(1, 2), keepdim=True) - least
    share = (chosen - least) / torch.where(span > 0, span, 1.0)
    return replaced(log_mel, items, least + span * share**power)


def _turn_treble(log_mel: Tensor, settings: SpectralSettings, generator: torch.Generator) -> Tensor:
    """Add a gain that runs linearly from 0 dB at the lowest band to a drawn level at a drawn band, and stays constant
    above.
    """
    n_mels = log_mel.shape[2]
    items = touched(len(log_mel), settings.treble_probability, generator)
    if len(items) == 0:
        return log_mel
    depth = uniform((len(items), 1), 0.0, settings.treble_db, generator)
    knee = uniform((len(items), 1), (n_mels - 1) / 2, n_mels - 1, generator)
    curve = -depth * (torch.arange(n_mels) / knee).clamp_max(1.0)
    return replaced(log_mel, items, log_mel[items.to(log_mel.device)] + curve.to(log_mel.device)[:, None])
