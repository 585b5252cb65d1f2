"""Shift crops in time, together with their targets.

If frames overlap (frame-wise networks, sliding windows), a chunk is shifted by whole frames, so that targets and mask
move by the same number. If they do not (a frame is a clip), each clip is shifted within itself by any number of
samples; its labels stay unchanged, because they do not depend on time.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.time import to_samples
from ossicle.models.augmentation.draws import replaced, touched
from ossicle.models.augmentation.settings import EarlySettings
from ossicle.models.augmentation.sounds import Sounds


def shift(sounds: Sounds, settings: EarlySettings, plan: ChunkPlan, generator: torch.Generator) -> Sounds:
    """Shift some crops by up to ``settings.shift_s``, never by 0; crops shorter than that by less than their length."""
    items = touched(len(sounds), settings.shift_probability, generator)
    if len(items) == 0:
        return sounds
    clips = not plan.overlaps
    n_frames, farthest = sounds.targets.shape[1], to_samples(settings.shift_s, plan.rate)
    if clips:
        farthest = min(farthest, plan.window_samples - 1)
        by = _offsets((len(items), n_frames), farthest, generator)
    else:
        farthest = min(farthest // plan.hop_samples, n_frames - 1)
        by = _offsets((len(items), 1), farthest, generator)
    if farthest == 0:
        return sounds
    device, circular = sounds.waveforms.device, settings.shift == "circular"
    chosen, by = items.to(device), by.to(device)
    waveforms = sounds.waveforms[chosen]
    if clips:
        moved = _moved_clips(waveforms, by.reshape(-1, 1), plan, circular)
        return Sounds(replaced(sounds.waveforms, items, moved), sounds.targets, sounds.mask)
    moved = _moved_frames(waveforms, by * plan.hop_samples, plan, n_frames, circular)
    return Sounds(
        replaced(sounds.waveforms, items, moved),
        replaced(sounds.targets, items, _shifted(sounds.targets[chosen], by, circular)),
        replaced(sounds.mask, items, _shifted(sounds.mask[chosen], by, circular)),
    )


def _offsets(shape: tuple[int, ...], farthest: int, generator: torch.Generator) -> Tensor:
    """Return whole numbers from 1 to ``farthest``, of either sign."""
    length = torch.randint(1, max(farthest, 1) + 1, shape, generator=generator)
    return length * (2 * torch.randint(0, 2, shape, generator=generator) - 1)


def _shifted(values: Tensor, by: Tensor, circular: bool) -> Tensor:
    """Return ``values`` (batch, n) or (batch, n, m), each shifted along n by its own number of positions, ``by``
    (batch, 1).
    """
    n = values.shape[1]
    source = torch.arange(n, device=values.device) - by
    return _read(values, source % n if circular else source)


def _moved_clips(waveforms: Tensor, by: Tensor, plan: ChunkPlan, circular: bool) -> Tensor:
    """Shift each clip of the chunks within itself, ``by`` (batch * n_frames, 1); samples between clips stay."""
    between = plan.hop_samples - plan.window_samples
    each = pad(waveforms, (0, between)).reshape(-1, plan.hop_samples)
    moved = _shifted(each[:, : plan.window_samples], by, circular)
    moved = torch.cat([moved, each[:, plan.window_samples :]], dim=1)
    return moved.reshape(len(waveforms), -1)[:, : waveforms.shape[1]]


def _moved_frames(waveforms: Tensor, by: Tensor, plan: ChunkPlan, n_frames: int, circular: bool) -> Tensor:
    """Shift chunks by samples that are whole frames, ``by`` (batch, 1).

    The shift is circular over the stretches of frames; the edges of a chunk, which belong to no frame, are filled with
    the samples before and after them on that circle.
    """
    edge, turn = (plan.window_samples - plan.hop_samples) // 2, n_frames * plan.hop_samples
    source = torch.arange(waveforms.shape[1], device=waveforms.device) - by
    return _read(waveforms, edge + (source - edge) % turn if circular else source)


def _read(values: Tensor, source: Tensor) -> Tensor:
    """Return ``values`` (batch, n) or (batch, n, m) at ``source`` (batch, n); 0 beyond the ends."""
    n = values.shape[1]
    inside = (source >= 0) & (source < n)
    index = source.clamp(0, n - 1)
    if values.dim() == 3:
        index, inside = index[:, :, None].expand_as(values), inside[:, :, None]
    return torch.where(inside, values.gather(1, index), 0.0)
