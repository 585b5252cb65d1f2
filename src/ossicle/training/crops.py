"""Which crop each draw of an epoch reads: a function of (seed, epoch, index), so a resumed run draws the same."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ossicle.core.chunks import ChunkPlan
from ossicle.core.digest import seed_of
from ossicle.core.records import Clip
from ossicle.core.time import nearest_frames
from ossicle.training.material import Material


@dataclass(frozen=True, slots=True)
class Crop:
    """One chunk of a recording; ``start_frame`` may be negative."""

    recording_id: str
    start_frame: int


class CropDraw:
    """Draws crops from clips: labels evenly among the targets, a share of noise, the clip anywhere in the crop.

    Of the clips of one label, and of noise, each is drawn in proportion to its weight.
    """

    def __init__(self, clips: tuple[Clip, ...], plan: ChunkPlan, target_share: float, seed: int) -> None:
        self._plan = plan
        self._seed = seed
        by_label: dict[str, list[Clip]] = {}
        for clip in clips:
            by_label.setdefault(clip.label if clip.role == "target" else "", []).append(clip)
        noise = by_label.pop("", [])
        self._noise = _Urn(noise)
        self._targets = [_Urn(by_label[label]) for label in sorted(by_label)]
        # The root of a label's count: rare labels are seen more often, common ones still in most of their variety.
        counts = np.sqrt([len(by_label[label]) for label in sorted(by_label)])
        self._label_shares: NDArray[np.float64] = counts / max(float(counts.sum()), 1.0)
        self._target_share = target_share if noise else 1.0
        if not self._targets:
            self._target_share = 0.0

    def __call__(self, epoch: int, index: int) -> Crop:
        """The crop number ``index`` of an epoch."""
        rng = np.random.default_rng(seed_of(self._seed, "crop", epoch, index))
        if rng.random() < self._target_share:
            urn = self._targets[int(rng.choice(len(self._targets), p=self._label_shares))]
        else:
            urn = self._noise
        return place(urn.draw(rng), self._plan, float(rng.random()))


class _Urn:
    """Clips, each drawn in proportion to its weight."""

    def __init__(self, clips: list[Clip]) -> None:
        self._clips = clips
        weights = np.array([clip.weight for clip in clips], dtype=np.float64)
        # Equal weights, the usual case, need no table to be searched at every draw.
        self._upto = np.cumsum(weights) if len(set(weights.tolist())) > 1 else None

    def draw(self, rng: np.random.Generator) -> Clip:
        """One clip; one draw of the generator."""
        if self._upto is None:
            return self._clips[int(rng.integers(len(self._clips)))]
        return self._clips[int(np.searchsorted(self._upto, rng.random() * self._upto[-1], side="right"))]


def place(clip: Clip, plan: ChunkPlan, where: float) -> Crop:
    """A crop that holds the clip's centre; ``where`` in [0, 1) says how far into the inner part of the crop."""
    centre = nearest_frames((clip.start_s + clip.end_s) / 2, plan.hop_s)
    edge = min(plan.context_frames, plan.chunk_frames // 4)
    return Crop(clip.recording_id, centre - edge - int(where * (plan.chunk_frames - 2 * edge)))


Batch = tuple[Tensor, Tensor, Tensor]


class EpochCrops(Dataset[Batch]):
    """The crops of one epoch: waveform (chunk_samples,), targets and mask (chunk_frames, n_labels) each."""

    def __init__(self, material: Material, draw: CropDraw, epoch: int, size: int) -> None:
        self._material, self._draw, self._epoch, self._size = material, draw, epoch, size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int) -> Batch:
        """One crop."""
        return read_crop(self._material, self._draw(self._epoch, index))


class FixedCrops(Dataset[Batch]):
    """A list of crops that never changes (validation)."""

    def __init__(self, material: Material, crops: tuple[Crop, ...]) -> None:
        self._material, self._crops = material, crops

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, index: int) -> Batch:
        """One crop."""
        return read_crop(self._material, self._crops[index])


def read_crop(material: Material, crop: Crop) -> Batch:
    """Samples, targets and mask of a crop."""
    where = (crop.recording_id, crop.start_frame)
    return (
        torch.from_numpy(material.samples(*where)),
        torch.from_numpy(material.targets(*where)),
        torch.from_numpy(material.mask(*where)),
    )


def validation_crops(clips: tuple[Clip, ...], plan: ChunkPlan, most: int, seed: int) -> tuple[Crop, ...]:
    """At most ``most`` crops, each centred on a held-out clip, drawn once for the whole training."""
    order = np.random.default_rng(seed_of(seed, "validation")).permutation(len(clips))[:most]
    return tuple(place(clips[int(i)], plan, 0.5) for i in sorted(order))
