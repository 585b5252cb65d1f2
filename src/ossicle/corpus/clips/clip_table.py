"""Clips: the dataset as a table, from annotations, folds and mined noise."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.clip_columns import ROLES, ClipColumns
from ossicle.core.columns.row_groups import constant, group_rows
from ossicle.core.errors import SplitError
from ossicle.core.intervals import Intervals, as_intervals, both
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.clip_units import ClipUnits
from ossicle.corpus.clips.matched_noise import Mined, Unplaced, mine_beside
from ossicle.corpus.clips.noise_sampling import MiningRow, free_stretches, mine_noise
from ossicle.corpus.clips.sampling_report import TapeMining, mining_report, refuse_overlaps
from ossicle.corpus.clips.settings import DatasetSettings, clip_weight
from ossicle.corpus.clips.target_rows import TargetRows, Unused, target_rows
from ossicle.corpus.splits.folds import FoldEntry


@dataclass(frozen=True, eq=False)
class DatasetClips:
    """The clips of a dataset, and how they were made.

    Attributes
    ----------
    units
        All clips, sorted by recording, times, label and role, and the units that no split may separate.
    quality
        float64 (n_clips,): the quality of the annotation of each target; NaN if unknown, and for noise.
    targets
        bool (n_annotations,): the annotations that are targets.
    mining, tapes
        The results of mining per recording (noise = "corpus") and per tape.
    unplaced
        Targets for which noise was missing (noise = "beside").
    unused
        Unused recordings and annotations.
    """

    units: ClipUnits
    quality: NDArray[np.float64]
    targets: NDArray[np.bool_]
    mining: tuple[MiningRow, ...]
    tapes: tuple[TapeMining, ...]
    unplaced: tuple[Unplaced, ...]
    unused: tuple[Unused, ...]

    @property
    def clips(self) -> ClipColumns:
        """All clips, sorted by recording, times, label and role."""
        return self.units.clips


def build_dataset(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    folds: Mapping[str, FoldEntry],
    settings: DatasetSettings,
    seed: int,
    crop_s: float,
    partly: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    unknown: Collection[str] = (),
) -> DatasetClips:
    """Return a target clip for each annotation, at its own times or in a window around its start, and noise clips:
    ``crop_s`` seconds long, or beside targets.

    Noise comes from free stretches of reviewed recordings, including those reviewed as empty. Annotations outside
    ``quality_min`` to ``quality_max`` are not targets but still exclude noise. A target that passes the end of its
    recording is cut there. Unreviewed, left-out or unassigned recordings are listed as unused. ``partly`` holds the
    stretches (seconds, by recording id) that a review checked in recordings not annotated as a whole: these are used,
    and noise comes from there alone. ``unknown`` are ids of recordings with uncertain labels: they give no noise.
    Raises SplitError without targets and for overlaps that must be refused; UsageError for invalid weights.
    """
    notes = AnnotationColumns.from_annotations(annotations)
    looked = partly or {}
    ordered = sorted(recordings, key=lambda r: r.id)
    unused = [Unused(r.id, reason) for r in ordered if (reason := _why_unused(r, folds, looked))]
    without = {entry.recording_id for entry in unused}
    used = [recording for recording in ordered if recording.id not in without]
    quiet = [recording for recording in used if recording.id not in unknown]
    weights = np.array([clip_weight(recording, settings) for recording in used], dtype=np.float64)
    targets = target_rows(notes, used, settings)
    if not len(targets.unit):
        raise SplitError("no targets: annotate reviewed recordings, or change dataset.quality_min and quality_max")
    if settings.noise == "beside":
        free = _free(quiet, notes, settings.margin_s, looked)
        noise = _noise_beside_targets(targets, used, notes.labels, free, folds, settings, seed)
    elif settings.noise == "recordings":
        noise = _empty_recordings(quiet, notes, used, folds)
    else:
        noise = _anywhere(quiet, notes, used, folds, settings, len(targets.unit), crop_s, seed, looked)
    units, quality = _targets_and_noise(targets, noise, used, weights, notes.labels, folds)
    tapes = mining_report(noise.n_asked, noise.fallback, units.clips)
    if settings.refuse_overlaps:
        refuse_overlaps(tapes)
    listed = (*unused, *targets.unused)
    return DatasetClips(units, quality, targets.is_kept, noise.rows, tuple(tapes), tuple(noise.unplaced), listed)


@dataclass(slots=True)
class _Noise:
    """Mined noise: recording, start and end of each clip, and the unit of its target, -1 for none.

    ``n_asked`` and from the ``fallback`` by group.
    """

    recording: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    start_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    end_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    unit: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    n_asked: Counter[str] = field(default_factory=Counter)
    fallback: Counter[str] = field(default_factory=Counter)
    rows: tuple[MiningRow, ...] = ()
    unplaced: list[Unplaced] = field(default_factory=list)

    def place(self, spans: Iterable[tuple[int, float, float, int]]) -> None:
        """Take recording, start, end and unit of clips."""
        clip_rows = np.array(list(spans), dtype=np.float64).reshape(-1, 4)
        self.recording, self.unit = clip_rows[:, 0].astype(np.int64), clip_rows[:, 3].astype(np.int64)
        self.start_s, self.end_s = clip_rows[:, 1], clip_rows[:, 2]


def _noise_beside_targets(
    targets: TargetRows,
    used: Sequence[Recording],
    labels: Sequence[str],
    free: Mapping[str, Intervals],
    folds: Mapping[str, FoldEntry],
    settings: DatasetSettings,
    seed: int,
) -> _Noise:
    noise = _Noise()
    groups = [folds[recording.id].group for recording in used]
    places = {recording.id: row for row, recording in enumerate(used)}
    mined = Mined(
        [recording.id for recording in used], groups, {places[key]: stretches for key, stretches in free.items()}
    )
    matched_noise = mine_beside(targets, labels, mined, settings.noise_per_target, settings.fallback_raw, seed)
    noise.recording, noise.start_s, noise.end_s = matched_noise.recording, matched_noise.start_s, matched_noise.end_s
    noise.unit = targets.unit[matched_noise.target]
    n_asked = np.bincount(targets.recording, matched_noise.n_asked, len(used))
    elsewhere = targets.recording[
        matched_noise.target[matched_noise.recording != targets.recording[matched_noise.target]]
    ]
    moved = np.bincount(elsewhere, minlength=len(used))
    for recording_number in np.unique(targets.recording).tolist():
        noise.n_asked[groups[recording_number]] += int(n_asked[recording_number])
        noise.fallback[groups[recording_number]] += int(moved[recording_number])
    placed = matched_noise.placed
    for row in np.flatnonzero(placed < matched_noise.n_asked).tolist():
        noise.unplaced.append(
            Unplaced(
                used[targets.recording[row]].id,
                float(targets.start_s[row]),
                float(targets.end_s[row]),
                labels[targets.label[row]],
                asked=int(matched_noise.n_asked[row]),
                placed=int(placed[row]),
            )
        )
    return noise


def _anywhere(
    quiet: Sequence[Recording],
    notes: AnnotationColumns,
    used: Sequence[Recording],
    folds: Mapping[str, FoldEntry],
    settings: DatasetSettings,
    n_targets: int,
    crop_s: float,
    seed: int,
    looked: Mapping[str, Sequence[tuple[float, float]]],
) -> _Noise:
    n = int(settings.noise_per_target * n_targets + 0.5)
    spans, rows = mine_noise(quiet, notes, n, [crop_s], settings.margin_s, seed, looked)
    noise = _Noise(rows=tuple(rows))
    for row in rows:
        noise.n_asked[folds[row.recording_id].group] += row.asked
    places = {recording.id: row for row, recording in enumerate(used)}
    row_of_code = np.array([places[key] for key in spans.groups.recording_ids], dtype=np.int64)
    noise.recording = row_of_code[spans.groups.codes]
    noise.start_s, noise.end_s = spans.start_s, spans.end_s
    noise.unit = np.full(len(spans), -1, dtype=np.int64)
    return noise


def _empty_recordings(
    quiet: Sequence[Recording],
    notes: AnnotationColumns,
    used: Sequence[Recording],
    folds: Mapping[str, FoldEntry],
) -> _Noise:
    heard, places = set(notes.recording_ids), {recording.id: row for row, recording in enumerate(used)}
    empty = [recording for recording in quiet if recording.reviewed and recording.id not in heard]
    noise = _Noise(n_asked=Counter(folds[recording.id].group for recording in empty))
    noise.place((places[recording.id], 0.0, recording.duration_s, -1) for recording in empty)
    return noise


def _targets_and_noise(
    targets: TargetRows,
    noise: _Noise,
    used: Sequence[Recording],
    weights: NDArray[np.float64],
    labels: tuple[str, ...],
    folds: Mapping[str, FoldEntry],
) -> tuple[ClipUnits, NDArray[np.float64]]:
    """Return targets and noise as one sorted table of clips, and the quality of each clip's annotation."""
    n_targets, n_noise, n_units = len(targets.unit), len(noise.unit), len(targets.quality)
    # Noise of targets follows in the order of their units; the other noise is sorted, and each clip of it is a unit.
    lone = np.flatnonzero(noise.unit < 0)
    lone = lone[np.lexsort((noise.end_s[lone], noise.start_s[lone], noise.recording[lone]))]
    noise_rows = np.flatnonzero(noise.unit >= 0)
    moved = np.concatenate([noise_rows[np.argsort(noise.unit[noise_rows], kind="stable")], lone])
    recording = np.concatenate([targets.recording, noise.recording[moved]])
    start_s = np.concatenate([targets.start_s, noise.start_s[moved]])
    end_s = np.concatenate([targets.end_s, noise.end_s[moved]])
    unit = np.concatenate([targets.unit, noise.unit[moved]])
    unit[len(unit) - len(lone) :] = n_units + np.arange(len(lone))
    names = tuple(sorted({"", *labels}))
    codes = np.array([names.index(label) for label in labels], dtype=np.int32)
    label = np.full(n_targets + n_noise, names.index(""), dtype=np.int32)
    label[:n_targets] = codes[targets.label]
    role = np.full(n_targets + n_noise, ROLES.index("noise"), dtype=np.int8)
    role[:n_targets] = ROLES.index("target")
    order = np.lexsort((role, label, end_s, start_s, recording))
    recording = recording[order]
    groups, _ = group_rows([recording.id for recording in used], recording.astype(np.int32))
    entries = [folds[recording.id] for recording in used]
    group_names = tuple(sorted({entry.group for entry in entries}))
    places = {name: code for code, name in enumerate(group_names)}
    weight: NDArray[np.float64] = constant(1.0, len(order), np.float64)
    if bool((weights != 1.0).any()):
        # Noise has weight 1.
        weight = np.where(order < n_targets, weights[recording], 1.0)
    clips = ClipColumns(
        groups,
        start_s[order],
        end_s[order],
        role[order],
        np.array([entry.fold for entry in entries], dtype=np.int32)[recording],
        np.array([places[entry.group] for entry in entries], dtype=np.int32)[recording],
        group_names,
        label[order],
        names,
        weight,
    )
    is_target = order < n_targets
    quality = np.full(len(order), np.nan)
    quality[is_target] = targets.stated_quality[order[is_target]]
    lone_quality = np.full(len(lone), np.nan)
    return ClipUnits(clips, unit[order], np.concatenate([targets.quality, lone_quality])), quality


def _free(
    recordings: Sequence[Recording],
    annotations: AnnotationColumns,
    margin_s: float,
    looked: Mapping[str, Sequence[tuple[float, float]]],
) -> dict[str, Intervals]:
    """Return the stretches of each recording that are known to be free, (n, 2) seconds."""
    free = {recording.id: free_stretches(recording, annotations, margin_s) for recording in recordings}
    return {key: both(times, as_intervals(looked[key])) if key in looked else times for key, times in free.items()}


def _why_unused(recording: Recording, folds: Mapping[str, FoldEntry], looked: Collection[str]) -> str:
    if recording.status == "left_out":
        return f"left out: {recording.reason}"
    if not recording.reviewed and recording.id not in looked:
        return "nobody has reviewed it, so it may contain calls"
    if recording.id not in folds:
        return "it lies in no fold"
    return ""
