"""Training data: clips, annotations and the store, turned into frame targets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.records.column_tables import read_annotations, read_clips
from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.shards.logmel import LogMelFolder
from ossicle.audio.store import MixedStore
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.columns.simultaneous import MergedTargets, at_first_starts, onset_groups
from ossicle.core.intervals import Intervals, as_intervals, part_by_group, union, union_by_group
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Annotation, Clip
from ossicle.core.tracks import rasterise
from ossicle.training.batches.pseudo import PseudoCrops
from ossicle.training.batches.target_rules import TargetRules

_TOUCH_S = 1e-9


@dataclass(frozen=True)
class Material:
    """Clips to draw from, the targets of every recording, and the samples.

    ``intervals[recording_id][label]``: float64 (n, 2), disjoint, seconds. ``known``: the same for recordings with only
    some checked stretches; all others are known completely. ``withheld``: the same for clips that must not be used
    although the rest of their recordings is (leaky splits). ``presence_s``: None if targets are shares of frames; else
    labels have no times, and a target is 1 where the label fills more than these seconds of a frame. ``unknown``:
    labels whose presence in a recording is unknown. ``pseudo``: windows that replace some crops; None without.
    ``log_mel``: kept spectrograms, which crops then read instead of samples. ``merged``: the labels of clips whose
    simultaneous hits are one target; None without merging.
    """

    clips: Sequence[Clip]
    labels: tuple[str, ...]
    intervals: Mapping[str, Mapping[str, Intervals]]
    store: MixedStore
    plan: ChunkPlan
    known: Mapping[str, Intervals] = field(default_factory=dict)
    withheld: Mapping[str, Intervals] = field(default_factory=dict)
    presence_s: float | None = None
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pseudo: PseudoCrops | None = None
    log_mel: LogMelFolder | None = None
    merged: MergedTargets | None = None

    def labels_of(self, clip: Clip) -> tuple[str, ...] | None:
        """Return the labels of a target clip whose simultaneous hits are merged; None where the annotations say."""
        if self.merged is None or clip.role != "target":
            return None
        return self.merged.labels_at(clip.recording_id, clip.start_s, clip.label)

    def model_input(self, recording_id: str, start_sample: int) -> NDArray[np.float32]:
        """Return the samples of one chunk as :meth:`samples` does, or the rows of its kept spectrogram in dB: float32
        (n_rows, n_mels).
        """
        if self.log_mel is None:
            return self.samples(recording_id, start_sample)
        grid, plan = self.log_mel.grid, self.plan
        n_rows = 1 + (plan.chunk_samples - grid.n_fft) // grid.hop_samples
        return self.log_mel.rows(recording_id, grid.crop_row(start_sample), n_rows)

    def samples(self, recording_id: str, start_sample: int) -> NDArray[np.float32]:
        """Return the samples of one chunk whose first frame begins at ``start_sample``: float32
        (plan.chunk_samples,).
        """
        offset = (self.plan.window_samples - self.plan.hop_samples) // 2
        return self.store.read(recording_id, start_sample - offset, self.plan.chunk_samples)

    def targets(self, recording_id: str, start_sample: int, labels: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return the share of each frame that each label fills, or its presence: float32 (chunk_frames, len(labels)).

        The target is 1 in unchecked stretches, for uncertain labels and in withheld clips: the mask excludes these from
        the loss, and no such crop counts as one without calls. ``labels``: those that the whole crop has, instead of
        what the annotations say (labels without times).
        """
        hop_s, start_s = self.plan.hop_s, start_sample / self.plan.rate
        label_intervals = self.intervals.get(recording_id, {})
        empty = np.zeros((0, 2))
        columns = [
            rasterise(label_intervals.get(label, empty), self.plan.chunk_frames, hop_s, start_s=start_s)
            for label in self.labels
        ]
        targets = np.stack(columns, axis=1)
        if labels is not None:
            targets[:] = np.array([label in labels for label in self.labels], dtype=np.float32)
        elif self.presence_s is not None:
            targets = (targets > self.presence_s / hop_s).astype(np.float32)
        targets[~self._is_checked(recording_id, start_sample)] = 1.0
        targets[:, self._unsure(recording_id)] = 1.0
        return targets

    def mask(self, recording_id: str, start_sample: int) -> NDArray[np.float32]:
        """Return 1 for known frames; 0 for padding, unchecked stretches, uncertain labels and withheld clips.

        float32, (plan.chunk_frames, len(labels)).
        """
        begins = start_sample + self.plan.hop_samples * np.arange(self.plan.chunk_frames)
        inside = (begins > -self.plan.hop_samples) & (begins < self.store.n_samples(recording_id))
        inside &= self._is_checked(recording_id, start_sample)
        known = np.repeat(inside[:, None], len(self.labels), axis=1).astype(np.float32)
        known[:, self._unsure(recording_id)] = 0.0
        return known

    def positive_share(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        """Return the share of known time that each label fills in the recordings of ``clips``: (len(labels),)."""
        ids = sorted(ClipColumns.from_clips(clips).recording_ids)
        seconds = sum(self._known_s(rid) for rid in ids)
        filled: dict[str, list[float]] = {label: [] for label in self.labels}
        for rid in ids:
            for label, label_intervals in self.intervals.get(rid, {}).items():
                if label in filled:
                    filled[label].append(float(np.diff(label_intervals).sum()))
        return np.array([sum(lengths) for lengths in filled.values()]) / max(seconds, 1e-9)

    def _is_checked(self, recording_id: str, start_sample: int) -> NDArray[np.bool_]:
        """Return which frames of a chunk lie wholly in known stretches and touch no withheld clip:
        (plan.chunk_frames,).
        """
        n, hop_s, start_s = self.plan.chunk_frames, self.plan.hop_s, start_sample / self.plan.rate
        looked = np.ones(n, dtype=np.bool_)
        if recording_id in self.known:
            looked &= rasterise(self.known[recording_id], n, hop_s, start_s=start_s) >= 1.0
        if recording_id in self.withheld:
            looked &= rasterise(self.withheld[recording_id], n, hop_s, start_s=start_s) <= 0.0
        return looked

    def _unsure(self, recording_id: str) -> list[int]:
        """Return the columns of labels whose presence in a recording is unknown."""
        return [column for column, label in enumerate(self.labels) if label in self.unknown.get(recording_id, ())]

    def _known_s(self, recording_id: str) -> float:
        if recording_id in self.known:
            return float(np.diff(self.known[recording_id]).sum())
        return self.store.n_samples(recording_id) / self.plan.rate


def apart(material: Material, held_out: Sequence[Clip]) -> Material:
    """Return the material without the stretches of held-out clips, if other clips of their recordings are used.

    A recording held out as a whole needs no withholding, since no crop is drawn from it.
    """
    clips, held = ClipColumns.from_clips(material.clips), ClipColumns.from_clips(held_out)
    taught = set(clips.where(~np.isin(clips.fold, held.fold)).recording_ids)
    spans = {key: held.of(key) for key in sorted(taught.intersection(held.recording_ids))}
    return replace(
        material,
        withheld={key: union(np.stack([columns.start_s, columns.end_s], axis=1)) for key, columns in spans.items()},
    )


def target_intervals(annotations: Iterable[Annotation], apart_s: float = 0.0) -> dict[str, dict[str, Intervals]]:
    """Return disjoint intervals of every recording and label, neighbours at least ``apart_s`` apart
    (``intervals.part``).

    Overlapping annotations of one label become one; touching ones stay two.
    """
    notes = AnnotationColumns.from_annotations(annotations)
    n_labels = max(len(notes.labels), 1)
    groups, merged = union_by_group(notes.recording * np.int64(n_labels) + notes.label, notes.intervals(), -_TOUCH_S)
    first = np.concatenate([[True], groups[1:] != groups[:-1]])[: len(groups)]
    merged = part_by_group(merged, apart_s, first)
    edges = np.append(np.flatnonzero(first), len(groups)).tolist()
    by_recording: dict[str, dict[str, Intervals]] = {key: {} for key in sorted(notes.recording_ids)}
    for group, start, stop in zip(groups[first].tolist(), edges, edges[1:], strict=False):
        recording, label = divmod(group, n_labels)
        by_recording[notes.recording_ids[recording]][notes.labels[label]] = merged[start:stop]
    return by_recording


def around_onsets(annotations: AnnotationColumns, onset_s: float) -> AnnotationColumns:
    """Return annotations of ``onset_s`` seconds, with the start of the given ones in their middle."""
    starts = annotations.start_s
    return replace(annotations, start_s=np.maximum(starts - onset_s / 2, 0.0), end_s=starts + onset_s / 2)


def load_material(
    dataset: DatasetFolder,
    store: Path,
    labels: tuple[str, ...],
    plan: ChunkPlan,
    rules: TargetRules = TargetRules(),
    *,
    audio: Path | Roots | None = None,
    cache_mb: float = 0.0,
    log_mel: LogMelFolder | None = None,
) -> Material:
    """Return the material of a dataset and a store folder.

    ``rules``: how annotations become targets. ``audio``: the folder of recordings, for those that are not in the store;
    ``cache_mb``: memory for whole recordings; ``log_mel``: kept spectrograms of the same recordings.
    """
    # Read here, so that the dataset's folder does not keep them when the training has its own.
    clips, annotations = read_clips(dataset.clips_file), read_annotations(dataset.annotations_file)
    known = {key: as_intervals(times) for key, times in dataset.known.items()}
    merged = None
    if merging := dataset.merged:
        groups = onset_groups(annotations, merging["merge_s"])
        starts = np.maximum(annotations.start_s - merging["before_s"], 0.0)
        # Labels with times stand together at the first of them; labels of whole clips are looked up.
        merged = MergedTargets(replace(annotations, start_s=starts), groups) if rules.presence_s is not None else None
        annotations = at_first_starts(annotations, groups)
    if rules.onset_s > 0:
        annotations = around_onsets(annotations, rules.onset_s)
    intervals = target_intervals(annotations, rules.apart_frames * plan.hop_s)
    samples = MixedStore(store, audio, cache_mb)
    return Material(
        clips,
        labels,
        intervals,
        samples,
        plan,
        known,
        presence_s=rules.presence_s,
        unknown=dataset.unknown,
        log_mel=log_mel,
        merged=merged,
    )
