"""Augmentation of whole batches in named stages: pure functions of tensors, settings and a given generator.

    early > mixup > late > normalise > filter     waveforms, targets and mask (:func:`waveform_stages`)
    stretch > spectral                            their spectrograms (``augmentation.stretch``,
    ``augmentation.spectral``)

Each stage has the share of crops that it changes; a stage with a share of 0 draws nothing and changes no bit.
Everything is drawn on the CPU, so that all devices give the same result, and each crop is changed by its own draws and
levels: crops of a batch interact only when they are mixed.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.models.augmentation.background import add_backgrounds
from ossicle.models.augmentation.early import vary_early
from ossicle.models.augmentation.filtering import vary_frequencies
from ossicle.models.augmentation.mixup import mix
from ossicle.models.augmentation.sounds import Sounds, to_full_scale
from ossicle.models.settings import AugmentSettings


def vary_waveforms(sounds: Sounds, settings: AugmentSettings, plan: ChunkPlan, generator: torch.Generator) -> Sounds:
    """Return a batch of crops after all stages of waveforms."""
    varied = sounds
    for _, after in waveform_stages(sounds, settings, plan, generator):
        varied = after
    return varied


def waveform_stages(
    sounds: Sounds, settings: AugmentSettings, plan: ChunkPlan, generator: torch.Generator
) -> Iterator[tuple[str, Sounds]]:
    """Yield the name of each stage and the batch after it, in order."""
    sounds = vary_early(sounds, settings, plan, generator)
    if settings.normalise == "both":
        sounds = _normalised(sounds)
    yield "early", sounds
    alone = sounds
    sounds = mix(sounds, settings.mixup, plan.rate, generator)
    yield "mixup", sounds
    sounds = add_backgrounds(sounds, alone, settings, generator)
    yield "late", sounds
    if settings.normalise != "none":
        sounds = _normalised(sounds)
    yield "normalise", sounds
    if settings.spectral.filter_probability > 0:
        sounds = replace(sounds, waveforms=vary_frequencies(sounds.waveforms, settings.spectral, generator))
        if settings.normalise != "none":
            sounds = _normalised(sounds)
    yield "filter", sounds


def _normalised(sounds: Sounds) -> Sounds:
    return replace(sounds, waveforms=to_full_scale(sounds.waveforms))
