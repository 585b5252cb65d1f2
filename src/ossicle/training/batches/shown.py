"""One crop after each stage of its augmentation, computed by the functions of a training step, for display."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.core.model_input.chunks import framing
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.records import Clip
from ossicle.models.augmentation.sounds import Sounds
from ossicle.models.augmentation.spectral import vary_log_mel
from ossicle.models.augmentation.stages import waveform_stages
from ossicle.models.augmentation.stretch import vary_stretch
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.settings import AugmentSettings
from ossicle.training.batches.crops import Batch, CropDraw, place_any, read_crop
from ossicle.training.batches.material import Material
from ossicle.training.settings import TrainingSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A crop after a stage.

    ``samples`` (n_samples,), or None after a stage that has a spectrogram only; ``log_mel`` (n_rows, n_mels) in dB;
    ``targets`` and ``mask`` (n_frames, n_labels). All float32.
    """

    stage: str
    samples: NDArray[np.float32] | None
    log_mel: NDArray[np.float32]
    targets: NDArray[np.float32]
    mask: NDArray[np.float32]


def batch_of(clip: Clip, material: Material, training: TrainingSettings, seed: int) -> tuple[Batch, float]:
    """Return a batch as in training, with a crop of ``clip`` in the first place, and the second at which that crop
    begins.
    """
    where = np.random.default_rng(seed_of(seed, "shown", "place")).random()
    first = place_any(clip, material, training.weak, float(where))
    draw = CropDraw(material.clips, material, replace(training, seed=seed))
    crops = [first, *(draw(0, index) for index in range(1, training.batch_size))]
    waveforms, targets, mask = zip(*(read_crop(material, crop) for crop in crops), strict=True)
    return (torch.stack(waveforms), torch.stack(targets), torch.stack(mask)), first.start_sample / material.plan.rate


def shown_stages(
    batch: Batch, material: Material, front: FrontEndSettings, augment: AugmentSettings, seed: int
) -> list[Shown]:
    """Yield the first crop of a batch as it was read and after each stage, in order."""
    generator = torch.Generator().manual_seed(seed_of(seed, "shown", "augment"))
    with torch.no_grad():
        return list(_stages(batch, material, front, augment, generator))


def _stages(
    batch: Batch, material: Material, front: FrontEndSettings, augment: AugmentSettings, generator: torch.Generator
) -> Iterator[Shown]:
    plan = material.plan
    front_end = ChunkLogMel(LogMel(front), plan, front)
    sounds = Sounds(*batch)
    # The whole batch each time: a single crop would be rounded differently and look changed.
    yield _shown_stage("read", sounds, front_end(sounds.waveforms))
    for stage, sounds in waveform_stages(Sounds(*batch), augment, plan, generator):
        yield _shown_stage(stage, sounds, front_end(sounds.waveforms))
    log_mel, targets, mask = vary_stretch(
        front_end(sounds.waveforms), sounds.targets, sounds.mask, augment, front, framing(plan, front).shared, generator
    )
    yield _shown_stage("stretch", Sounds(sounds.waveforms, targets, mask), log_mel, heard=False)
    log_mel = vary_log_mel(log_mel, augment, front.hop_samples / front.rate, generator)
    yield _shown_stage("spectral", Sounds(sounds.waveforms, targets, mask), log_mel, heard=False)


def _shown_stage(stage: str, sounds: Sounds, log_mel: torch.Tensor, heard: bool = True) -> Shown:
    return Shown(
        stage=stage,
        samples=sounds.waveforms[0].numpy() if heard else None,
        log_mel=log_mel[0].numpy(),
        targets=sounds.targets[0].numpy(),
        mask=sounds.mask[0].numpy(),
    )


def always(settings: T) -> T:
    """Return settings with which every stage changes all crops."""
    changed: dict[str, Any] = {}
    for spec in fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, spec.name)
        if is_dataclass(value):
            changed[spec.name] = always(value)
        elif spec.name.endswith("probability") and value > 0:
            changed[spec.name] = 1.0
    return replace(settings, **changed)  # type: ignore[type-var]
