"""Crops moved in time, and their targets with them.

Where frames overlap (frame-wise networks, sliding windows), a chunk moves by whole frames, so that targets and mask
move by as many. Where they do not (a frame is a clip), each clip is moved in itself by any number of samples, and its
labels stay: they say what it holds, not where.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from ossicle.core.chunks import ChunkPlan
from ossicle.core.time import to_samples
from ossicle.models.augmentation.draws import replaced, touched
from ossicle.models.augmentation.settings import EarlySettings
from ossicle.models.augmentation.sounds import Sounds


def shift(sounds: Sounds, settings: EarlySettings, plan: ChunkPlan, generator: torch.Generator) -> Sounds:
    """Some crops moved by up to ``settings.shift_s``, never by nothing; shorter ones than that by less than a turn."""
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
        replaced(sounds.targets, items, _moved(sounds.targets[chosen], by, circular)),
        replaced(sounds.mask, items, _moved(sounds.mask[chosen], by, circular)),
    )


def _offsets(shape: tuple[int, ...], farthest: int, generator: torch.Generator) -> Tensor:
    """Whole numbers from 1 to ``farthest``, of either sign."""
    length = torch.randint(1, max(farthest, 1) + 1, shape, generator=generator)
    return length * (2 * torch.randint(0, 2, shape, generator=generator) - 1)


def _moved(values: Tensor, by: Tensor, circular: bool) -> Tensor:
    """``values`` (batch, n) or (batch, n, m), each moved along n by its own number of places, ``by`` (batch, 1)."""
    n = values.shape[1]
    source = torch.arange(n, device=values.device) - by
    return _read(values, source % n if circular else source)


def _moved_clips(waveforms: Tensor, by: Tensor, plan: ChunkPlan, circular: bool) -> Tensor:
    """Chunks each clip of which is moved in itself, ``by`` (batch * n_frames, 1); what lies between clips stays."""
    between = plan.hop_samples - plan.window_samples
    each = pad(waveforms, (0, between)).reshape(-1, plan.hop_samples)
    moved = _moved(each[:, : plan.window_samples], by, circular)
    moved = torch.cat([moved, each[:, plan.window_samples :]], dim=1)
    return moved.reshape(len(waveforms), -1)[:, : waveforms.shape[1]]


def _moved_frames(waveforms: Tensor, by: Tensor, plan: ChunkPlan, n_frames: int, circular: bool) -> Tensor:
    """Chunks moved by samples that are whole frames, ``by`` (batch, 1).

    Circular: the stretches that frames stand for go round; the edges of a chunk, which belong to no frame, are what
    comes before and after them on that circle.
    """
    edge, turn = (plan.window_samples - plan.hop_samples) // 2, n_frames * plan.hop_samples
    source = torch.arange(waveforms.shape[1], device=waveforms.device) - by
    return _read(waveforms, edge + (source - edge) % turn if circular else source)


def _read(values: Tensor, source: Tensor) -> Tensor:
    """``values`` (batch, n) or (batch, n, m) at ``source`` (batch, n); 0 beyond its ends."""
    n = values.shape[1]
    inside = (source >= 0) & (source < n)
    index = source.clamp(0, n - 1)
    if values.dim() == 3:
        index, inside = index[:, :, None].expand_as(values), inside[:, :, None]
    return torch.where(inside, values.gather(1, index), 0.0)
