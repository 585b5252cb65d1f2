"""Pitch and time stretch of training spectrograms, with matching targets.

Pitch resamples the bands as if every frequency were multiplied by a factor; time resamples the rows as if the sound
lasted longer or shorter, around the middle of the chunk. Both interpolate linearly, in decibels. Bands and rows beyond
the edge of the spectrogram repeat the last one. Time stretch moves the targets with the sound: a new frame has the mean
target of its source stretch, to the resolution of a frame; frames from beyond the chunk or from unchecked stretches are
masked.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ossicle.core.errors import UsageError
from ossicle.core.model_input.frontend import FrontEndSettings, band_centres_hz
from ossicle.models.augmentation.draws import replaced, touched
from ossicle.models.settings import AugmentSettings

Stretched = tuple[Tensor, Tensor, Tensor]


def vary_stretch(
    spectrogram: Tensor,
    targets: Tensor,
    mask: Tensor,
    settings: AugmentSettings,
    front: FrontEndSettings,
    shared: bool,
    generator: torch.Generator,
) -> Stretched:
    """Stretch each crop by its own factors of pitch and time, uniform in octaves between the limits of the settings.

    ``spectrogram`` (batch, n_rows, n_mels) in dB; ``targets`` and ``mask`` (batch, n_frames, n_labels). ``shared``: the
    rows are those of one STFT (``core.model_input.chunks.framing``); otherwise time cannot be stretched and UsageError
    is raised. Only what is switched on is drawn.
    """
    if settings.stretch_probability == 0 or not (settings.stretches_pitch or settings.stretches_time):
        return spectrogram, targets, mask
    items = touched(len(spectrogram), settings.stretch_probability, generator)
    if len(items) == 0:
        return spectrogram, targets, mask
    chosen = items.to(spectrogram.device)
    if settings.stretches_pitch:
        factors = _factors(len(items), settings.pitch_low, settings.pitch_high, generator)
        stretched = stretch_pitch(spectrogram[chosen], factors, band_centres_hz(front))
        spectrogram = replaced(spectrogram, items, stretched)
    if settings.stretches_time:
        if not shared:
            raise UsageError("[augment] time_low, time_high: windows of an exact step have no time axis to stretch")
        factors = _factors(len(items), settings.time_low, settings.time_high, generator)
        moved = stretch_time(spectrogram[chosen], targets[chosen], mask[chosen], factors)
        spectrogram, targets, mask = (
            replaced(old, items, new) for old, new in zip((spectrogram, targets, mask), moved, strict=True)
        )
    return spectrogram, targets, mask


def _factors(batch: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    octaves = torch.rand(batch, generator=generator, dtype=torch.float64)
    return 2.0 ** (math.log2(low) + octaves * (math.log2(high) - math.log2(low)))


def stretch_pitch(spectrogram: Tensor, factors: Tensor, centres_hz: NDArray[np.float64]) -> Tensor:
    """Multiply frequencies by ``factors`` (batch,): content at f Hz moves to factor * f Hz."""
    bands = np.arange(len(centres_hz))
    sources = np.stack([np.interp(centres_hz / factor, centres_hz, bands) for factor in factors.tolist()])
    return _resampled(spectrogram.transpose(1, 2), torch.from_numpy(sources)).transpose(1, 2)


def stretch_time(spectrogram: Tensor, targets: Tensor, mask: Tensor, factors: Tensor) -> Stretched:
    """Multiply durations by ``factors`` (batch,) around the middle of the chunk, for sound and targets."""
    n_rows, n_frames = spectrogram.shape[1], targets.shape[1]
    middle = (n_rows - 1) / 2
    rows = torch.arange(n_rows, dtype=torch.float64)
    sources = middle + (rows - middle) / factors[:, None]
    stretched = _resampled(spectrogram, sources.clamp(0, n_rows - 1))
    # Borders of each new frame, in old frames.
    borders = torch.arange(n_frames + 1, dtype=torch.float64)
    borders = n_frames / 2 + (borders - n_frames / 2) / factors[:, None]
    width = 1 / factors[:, None, None].to(targets.device, targets.dtype)
    shares = _between(targets, borders) / width
    unknown = _between(1 - mask, borders) / width
    inside = (borders[:, :-1] > -1e-9) & (borders[:, 1:] < n_frames + 1e-9)
    known = (unknown < 1e-3) & inside[:, :, None].to(mask.device)
    return stretched, shares.clamp(0, 1).to(targets.dtype), known.to(mask.dtype)


def _resampled(values: Tensor, sources: Tensor) -> Tensor:
    """Return ``values`` (batch, n, m) at ``sources`` (batch, k) in [0, n - 1] along n, interpolated: (batch, k, m)."""
    below = sources.floor().clamp(max=values.shape[1] - 2 if values.shape[1] > 1 else 0)
    share = (sources - below).to(values.device, values.dtype)[:, :, None]
    index = below.long().to(values.device)[:, :, None].expand(-1, -1, values.shape[2])
    above = (index + 1).clamp(max=values.shape[1] - 1)
    low = values.gather(1, index)
    return low + share * (values.gather(1, above) - low)


def _between(values: Tensor, borders: Tensor) -> Tensor:
    """Return sums of ``values`` (batch, n, m; constant within a frame) between neighbours of ``borders`` (batch, k
    + 1).
    """
    sums = torch.nn.functional.pad(values.cumsum(dim=1), (0, 0, 1, 0))
    return _resampled(sums, borders.clamp(0, values.shape[1])).diff(dim=1)
