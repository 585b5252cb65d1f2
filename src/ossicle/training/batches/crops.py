"""Crops of an epoch as a function of (seed, epoch, index), so that a resumed run draws the same ones."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.columns.row_groups import is_constant, taken
from ossicle.core.digest import seed_of
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Clip
from ossicle.core.time import nearest_frames, to_samples
from ossicle.training.batches.material import Material
from ossicle.training.settings import TrainingSettings

# Cui et al., "Class-Balanced Loss Based on Effective Number of Samples" (2019).
_EFFECTIVE_BETA = 0.999


@dataclass(frozen=True, slots=True)
class Crop:
    """One chunk of a recording: the start of its first frame, in samples at the plan's rate; may be negative.

    ``window``: its index among the pseudo-labelled windows, if it is one of them. ``labels``: those of the
    whole crop, where simultaneous hits are merged; None where the annotations say.
    """

    recording_id: str
    start_sample: int
    window: int | None = None
    labels: tuple[str, ...] | None = None


class CropDraw:
    """Draw crops from clips: targets by label according to ``training.balance``, and a share of noise.

    Draws are with replacement, so ``balance`` determines the share of each label in an epoch. Clips of one label, and
    of noise, are drawn in proportion to their weights. With ``balance = "each"`` there is no random choice: every clip
    comes once before any comes again, in a new order each round. A separate draw may replace a crop by a
    pseudo-labelled window (``training.batches.pseudo``); without such windows everything else is unchanged.
    """

    def __init__(self, clips: Sequence[Clip], material: Material, training: TrainingSettings) -> None:
        self._material = material
        self._training = training
        self._clips = ClipColumns.from_clips(clips)
        self._turn, self._order = -1, np.zeros(0, dtype=np.int64)
        noise, targets = _rows_by_label(self._clips)
        self._noise = _Urn(noise, self._clips)
        self._targets = [_Urn(rows, self._clips) for rows in targets]
        self._label_shares = label_shares([len(rows) for rows in targets], training.balance)
        self._target_share = training.target_share if len(noise) else 1.0
        if not self._targets:
            self._target_share = 0.0

    @property
    def steps(self) -> int:
        """Number of steps in an epoch: the requested number, or enough to show each clip once (with ``balance``, on
        average).
        """
        return self._training.steps_per_epoch or max(1, math.ceil(len(self._clips) / self._training.step_crops))

    @property
    def n_crops(self) -> int:
        """Number of crops in an epoch."""
        return self.steps * self._training.step_crops

    def __call__(self, epoch: int, index: int) -> Crop:
        """Return the crop number ``index`` of an epoch."""
        rng = np.random.default_rng(seed_of(self._training.seed, "crop", epoch, index))
        clip = self._next(epoch, index) if self._training.balance == "each" else self._drawn_clip(rng)
        pseudo = self._material.pseudo
        if pseudo is not None:
            pseudo_generator = np.random.default_rng(seed_of(self._training.seed, "pseudo", epoch, index))
            window = pseudo.draw(clip.label if clip.role == "target" else "", pseudo_generator)
            if window is not None:
                return Crop(*pseudo.place(window), window)
        return self._placed_crop(clip, float(rng.random()))

    def pseudo_shares(self, epoch: int) -> dict[str, float]:
        """Return the share of pseudo-labelled windows in an epoch's crops, and that of each label (the highest) among
        all.

        Empty without such windows.
        """
        pseudo = self._material.pseudo
        if pseudo is None:
            return {}
        drawn = [self(epoch, index).window for index in range(self.n_crops)]
        counts = Counter(pseudo.label(window) for window in drawn if window is not None)
        shares = {f"pseudo_share.{label}": counts[label] / self.n_crops for label in sorted(counts)}
        return {"pseudo_share": counts.total() / self.n_crops, **shares}

    def _drawn_clip(self, rng: np.random.Generator) -> Clip:
        if rng.random() < self._target_share:
            urn = self._targets[int(rng.choice(len(self._targets), p=self._label_shares))]
        else:
            urn = self._noise
        return self._clips[urn.draw(rng)]

    def _next(self, epoch: int, index: int) -> Clip:
        turn, position = divmod(epoch * self.n_crops + index, len(self._clips))
        if turn != self._turn:
            # A whole round has one order: drawing it again for every crop would take longer than reading the crop.
            rng = np.random.default_rng(seed_of(self._training.seed, "order", turn))
            self._turn, self._order = turn, rng.permutation(len(self._clips))
        return self._clips[int(self._order[position])]

    def _placed_crop(self, clip: Clip, where: float) -> Crop:
        return place_any(clip, self._material, self._training.weak, where)


def label_shares(counts: Sequence[int], balance: str) -> NDArray[np.float64]:
    """Return the share of each label among the targets drawn: float64 (n_labels,), summing to 1.

    ``"natural"``: in proportion to the number of clips. ``"sqrt"``: to its square root, so that rare labels come more
    often and common ones keep most of their variety. ``"uniform"``: all equal. ``"effective"``: to the effective number
    of clips, ``(1 - 0.999^n) / 0.001`` (Cui et al. 2019).
    """
    n = np.asarray(counts, dtype=np.float64)
    if balance == "uniform":
        shares = np.ones_like(n)
    elif balance == "effective":
        shares = 1.0 - _EFFECTIVE_BETA**n
    else:
        shares = np.sqrt(n) if balance == "sqrt" else n
    label_share: NDArray[np.float64] = shares / max(float(shares.sum()), 1e-12)
    return label_share


def _rows_by_label(clips: ClipColumns) -> tuple[NDArray[np.int32], list[NDArray[np.int32]]]:
    """Return the rows of noise, and those of the targets of each label that has one, by label; ascending."""
    # Place 0 is for noise, and for targets without a label.
    labelled = np.array([bool(label) for label in clips.labels], dtype=np.bool_)
    group = np.where(clips.has_role("target") & labelled[clips.label], clips.label + 1, 0)
    order = np.argsort(group, kind="stable").astype(np.int32)
    noise, *targets = np.split(order, np.cumsum(np.bincount(group, minlength=len(labelled) + 1))[:-1])
    return noise, [rows for rows in targets if len(rows)]


class _Urn:
    """Rows of clips (n,), each drawn in proportion to its weight."""

    def __init__(self, rows: NDArray[np.int32], clips: ClipColumns) -> None:
        self._rows = rows
        weights = taken(clips.weight, rows)
        # Equal weights, the usual case, need no table search at every draw.
        equal = is_constant(weights) or not len(weights) or bool((weights == weights[0]).all())
        self._upto = None if equal else np.cumsum(weights)

    def draw(self, rng: np.random.Generator) -> int:
        """Return one row, with one draw of the generator."""
        if self._upto is None:
            return int(self._rows[int(rng.integers(len(self._rows)))])
        return int(self._rows[int(np.searchsorted(self._upto, rng.random() * self._upto[-1], side="right"))])


def place(clip: Clip, plan: ChunkPlan, where: float) -> Crop:
    """Return a crop on the plan's grid that contains the clip's centre.

    ``where`` in [0, 1) is the position within the inner part of the crop.
    """
    centre = nearest_frames((clip.start_s + clip.end_s) / 2, plan.hop_s)
    edge = min(plan.context_frames, plan.chunk_frames // 4)
    first = centre - edge - int(where * (plan.chunk_frames - 2 * edge))
    return Crop(clip.recording_id, first * plan.hop_samples)


def place_weak(clip: Clip, plan: ChunkPlan, n_samples: int, where: float) -> Crop:
    """Return a crop for a label without times: anywhere in a longer clip, around a shorter one.

    The crop stays within the recording's ``n_samples``; a shorter recording is at its start, followed by zeros, as
    models read it. ``where`` in [0, 1).
    """
    length = plan.chunk_frames * plan.hop_samples
    start, end = to_samples(clip.start_s, plan.rate), to_samples(clip.end_s, plan.rate)
    low, high = (start, end - length) if end - start >= length else (end - length, start)
    low, high = (min(max(bound, 0), max(n_samples - length, 0)) for bound in (low, high))
    return Crop(clip.recording_id, low + int(where * (high - low + 1)))


def place_any(clip: Clip, material: Material, weak: bool, where: float) -> Crop:
    """Return a crop of a clip, by :func:`place_weak` or :func:`place`."""
    if weak:
        crop = place_weak(clip, material.plan, material.store.n_samples(clip.recording_id), where)
        crop = replace(crop, labels=material.labels_of(clip))
        if material.log_mel is not None:
            # Kept spectrograms have rows on a grid; crops with times begin on it anyway.
            return replace(crop, start_sample=material.log_mel.grid.on_grid(crop.start_sample))
        return crop
    return place(clip, material.plan, where)


Batch = tuple[Tensor, Tensor, Tensor]


class EpochCrops(Dataset[Batch]):
    """The crops of all epochs, by epoch and number: waveform (chunk_samples,) or kept spectrogram (n_rows, n_mels),
    targets and mask (chunk_frames, n_labels) each.
    """

    def __init__(self, material: Material, draw: CropDraw) -> None:
        self._material, self._draw = material, draw

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        """Return one crop."""
        return read_crop(self._material, self._draw(*key))


class FixedCrops(Dataset[Batch]):
    """A list of crops that never changes (for validation)."""

    def __init__(self, material: Material, crops: tuple[Crop, ...]) -> None:
        self._material, self._crops = material, crops

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, index: int) -> Batch:
        """Return one crop."""
        return read_crop(self._material, self._crops[index])


def read_crop(material: Material, crop: Crop) -> Batch:
    """Return samples (or the rows of a kept spectrogram), targets and mask of a crop."""
    if crop.window is not None and material.pseudo is not None:
        samples, targets, mask = material.pseudo.read(crop.window)
        return torch.from_numpy(samples), torch.from_numpy(targets), torch.from_numpy(mask)
    where = (crop.recording_id, crop.start_sample)
    return (
        torch.from_numpy(material.model_input(*where)),
        torch.from_numpy(material.targets(*where, crop.labels)),
        torch.from_numpy(material.mask(*where)),
    )


def validation_crops(clips: Sequence[Clip], material: Material, training: TrainingSettings) -> tuple[Crop, ...]:
    """Return at most ``training.validation_crops`` crops in the middle of held-out clips, drawn once for all epochs."""
    rng = np.random.default_rng(seed_of(training.seed, "validation"))
    order = rng.permutation(len(clips))[: training.validation_crops]
    return tuple(place_any(clips[int(i)], material, training.weak, 0.5) for i in sorted(order))
