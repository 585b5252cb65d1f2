"""The dataset of a corpus with one Python object for each annotation, clip and unit: the oracle of the columns.

This is how Ossicle built datasets before it kept annotations and clips as columns.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ossicle.core.digest import seed_of
from ossicle.core.errors import SplitError
from ossicle.core.intervals import Intervals, as_intervals, both
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.corpus.clips.clip_counts import StatsRow
from ossicle.corpus.clips.clip_units import Unit
from ossicle.corpus.clips.holdout_split import SPLIT_NAMES, TEST, VAL, _check_labels, _share_of_units
from ossicle.corpus.clips.matched_noise import Unplaced
from ossicle.corpus.clips.noise_sampling import MiningRow, NoiseSpan
from ossicle.corpus.clips.sampling_report import TapeMining, refuse_overlaps
from ossicle.corpus.clips.settings import DatasetSettings, clip_weight
from ossicle.corpus.clips.target_rows import Unused
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, OneDivisionOfClips

from .object_noise import free_stretches, mine_beside, mine_noise, mining_report


@dataclass(frozen=True, slots=True)
class ObjectDataset:
    """Units, the results of mining per recording and per tape, targets without noise, and what was not used."""

    units: tuple[Unit, ...]
    mining: tuple[MiningRow, ...]
    tapes: tuple[TapeMining, ...]
    unplaced: tuple[Unplaced, ...]
    unused: tuple[Unused, ...]

    @property
    def clips(self) -> tuple[Clip, ...]:
        """All clips, sorted by recording, times, label and role."""
        return tuple(sorted((clip for unit in self.units for clip in unit.clips), key=clip_order))


def build_dataset(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    folds: Mapping[str, FoldEntry],
    settings: DatasetSettings,
    seed: int,
    crop_s: float,
    partly: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    unknown: Collection[str] = (),
) -> ObjectDataset:
    """Return a target clip for each annotation, at its own times, and noise clips: ``crop_s`` seconds long, or beside
    targets.

    Noise comes from free stretches of reviewed recordings, including those reviewed as empty. Annotations outside
    ``quality_min`` to ``quality_max`` are not targets but still exclude noise. A target that passes the end of its
    recording is cut there. Unreviewed, left-out or unassigned recordings are listed as unused. ``partly`` holds the
    stretches (seconds, by recording id) that a review checked in recordings not annotated as a whole: these are used,
    and noise comes from there alone. ``unknown`` are ids of recordings with uncertain labels: they give no noise.
    Raises SplitError without targets and for overlaps that must be refused; UsageError for invalid weights.
    """
    looked = partly or {}
    unused = [
        Unused(r.id, reason)
        for r in sorted(recordings, key=lambda r: r.id)
        if (reason := _why_unused(r, folds, looked))
    ]
    without = {entry.recording_id for entry in unused}
    used = {r.id: r for r in recordings if r.id not in without}
    # Sorted so that of repeats that differ in quality the smallest number counts.
    used_annotations = sorted((a for a in annotations if a.recording_id in used), key=_annotation_order)
    weights = {key: clip_weight(recording, settings) for key, recording in used.items()}
    targets: dict[Clip, list[Clip]] = {}
    quality: dict[Clip, int | None] = {}
    for annotation in used_annotations:
        recording, entry = used[annotation.recording_id], folds[annotation.recording_id]
        if reason := _why_no_target(annotation, recording, settings):
            unused.append(Unused(recording.id, reason, annotation.start_s))
            continue
        start_s, end_s = max(annotation.start_s, 0.0), min(annotation.end_s, recording.duration_s)
        if settings.before_s or settings.after_s:
            start_s = max(annotation.start_s - settings.before_s, 0.0)
            end_s = min(annotation.start_s + settings.after_s, recording.duration_s)
        clip = Clip(recording.id, start_s, end_s, "target", entry.fold, entry.group, annotation.label)
        clip = replace(clip, weight=weights[recording.id])
        targets.setdefault(clip, []).append(clip)
        quality.setdefault(clip, annotation.quality)
    if not targets:
        raise SplitError("no targets: annotate reviewed recordings, or change dataset.quality_min and quality_max")
    ordered = sorted((clip for same in targets.values() for clip in same), key=clip_order)
    quiet = [recording for recording in used.values() if recording.id not in unknown]
    if settings.noise == "beside":
        free = _free(quiet, used_annotations, settings.margin_s, looked)
        noise = _beside(ordered, free, folds, settings, seed)
    elif settings.noise == "recordings":
        noise = _empty_recordings(quiet, used_annotations, folds)
    else:
        n = int(settings.noise_per_target * len(ordered) + 0.5)
        spans, rows = mine_noise(quiet, used_annotations, n, [crop_s], settings.margin_s, seed, looked)
        n_asked = Counter[str]()
        for row in rows:
            n_asked[folds[row.recording_id].group] += row.asked
        lone = tuple(_noise(span, folds[span.recording_id]) for span in spans)
        noise = _Noise(n_asked, rows=tuple(rows), lone=lone)
    units = [
        Unit((*same, *noise.of[target]), target.group, target.label, quality[target])
        for target, same in sorted(targets.items(), key=lambda target_clips: clip_order(target_clips[0]))
    ]
    units += [Unit((clip,), clip.group) for clip in sorted(noise.lone, key=clip_order)]
    tapes = mining_report(noise.asked, noise.fallback, [clip for unit in units for clip in unit.clips])
    if settings.refuse_overlaps:
        refuse_overlaps(tapes)
    return ObjectDataset(tuple(units), noise.rows, tuple(tapes), tuple(noise.unplaced), tuple(unused))


@dataclass(slots=True)
class _Noise:
    """Mined noise: ``of`` a target or ``lone``; ``asked`` and from the ``fallback`` by group."""

    asked: Counter[str] = field(default_factory=Counter)
    fallback: Counter[str] = field(default_factory=Counter)
    of: dict[Clip, list[Clip]] = field(default_factory=lambda: defaultdict(list))
    lone: tuple[Clip, ...] = ()
    rows: tuple[MiningRow, ...] = ()
    unplaced: list[Unplaced] = field(default_factory=list)


def _beside(
    targets: Sequence[Clip],
    free: Mapping[str, Intervals],
    folds: Mapping[str, FoldEntry],
    settings: DatasetSettings,
    seed: int,
) -> _Noise:
    out = _Noise()
    free = {target.recording_id: np.zeros((0, 2)) for target in targets} | dict(free)
    groups = {key: folds[key].group for key in free}
    object_noise = mine_beside(targets, free, groups, settings.noise_per_target, settings.fallback_raw, seed)
    for target, n, spans in zip(targets, object_noise.asked, object_noise.spans, strict=True):
        out.of[target] += [_noise(span, folds[target.recording_id]) for span in spans]
        out.asked[target.group] += n
        out.fallback[target.group] += sum(span.recording_id != target.recording_id for span in spans)
        if len(spans) < n:
            times = (target.start_s, target.end_s, target.label)
            out.unplaced.append(Unplaced(target.recording_id, *times, asked=n, placed=len(spans)))
    return out


def has_quality(annotation: Annotation, settings: DatasetSettings) -> bool:
    """Return whether the quality of an annotation allows it as a target; unknown quality does."""
    if annotation.quality is None:
        return True
    return annotation.quality >= settings.quality_min and not 0 < settings.quality_max < annotation.quality


def dataset_stats(clips: Iterable[Clip], annotations: Iterable[Annotation]) -> list[StatsRow]:
    """Return counts per fold, group, role, label and quality, sorted; a target's quality is its annotation's."""
    quality = {(a.recording_id, max(a.start_s, 0.0), a.label): a.quality for a in annotations}
    seconds: dict[tuple[int, str, str, str, int | None], list[float]] = defaultdict(list)
    for clip in clips:
        key = (clip.recording_id, clip.start_s, clip.label)
        target_quality = quality.get(key) if clip.role == "target" else None
        seconds[clip.fold, clip.group, clip.role, clip.label, target_quality].append(clip.end_s - clip.start_s)
    return [
        StatsRow(*key, clips=len(lengths), seconds=round(sum(lengths), 6))
        for key, lengths in sorted(seconds.items(), key=lambda row: (*row[0][:4], row[0][4] or 0))
    ]


def _annotation_order(annotation: Annotation) -> tuple[str, float, float, str, float, str]:
    quality = float("inf") if annotation.quality is None else float(annotation.quality)
    return annotation.recording_id, annotation.start_s, annotation.end_s, annotation.label, quality, repr(annotation)


def clip_order(clip: Clip) -> tuple[str, float, float, str, str]:
    """Return the sorting key of clips: recording, times, label, role."""
    return clip.recording_id, clip.start_s, clip.end_s, clip.label, clip.role


def _noise(span: NoiseSpan, entry: FoldEntry) -> Clip:
    return Clip(span.recording_id, span.start_s, span.end_s, "noise", entry.fold, entry.group)


def _free(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    margin_s: float,
    looked: Mapping[str, Sequence[tuple[float, float]]],
) -> dict[str, Intervals]:
    """Return the stretches of each recording that are known to be free, (n, 2) seconds."""
    by_recording: dict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        by_recording[annotation.recording_id].append(annotation)
    free = {recording.id: free_stretches(recording, by_recording[recording.id], margin_s) for recording in recordings}
    return {key: both(times, as_intervals(looked[key])) if key in looked else times for key, times in free.items()}


def _empty_recordings(
    recordings: Sequence[Recording], annotations: Sequence[Annotation], folds: Mapping[str, FoldEntry]
) -> _Noise:
    heard = {annotation.recording_id for annotation in annotations}
    spans = [
        NoiseSpan(recording.id, 0.0, recording.duration_s)
        for recording in recordings
        if recording.reviewed and recording.id not in heard
    ]
    groups = Counter(folds[span.recording_id].group for span in spans)
    return _Noise(groups, lone=tuple(_noise(span, folds[span.recording_id]) for span in spans))


def _why_no_target(annotation: Annotation, recording: Recording, settings: DatasetSettings) -> str:
    if annotation.start_s >= recording.duration_s:
        return f"'{annotation.label}' begins after the end of the recording ({recording.duration_s:.3f} s)"
    if annotation.quality is None or has_quality(annotation, settings):
        return ""
    if settings.quality_max and annotation.quality > settings.quality_max:
        return f"'{annotation.label}' has quality {annotation.quality}, worse than {settings.quality_max}"
    return f"'{annotation.label}' has quality {annotation.quality}, less than {settings.quality_min}"


def _why_unused(recording: Recording, folds: Mapping[str, FoldEntry], looked: Collection[str]) -> str:
    if recording.status == "left_out":
        return f"left out: {recording.reason}"
    if not recording.reviewed and recording.id not in looked:
        return "nobody has reviewed it, so it may contain calls"
    if recording.id not in folds:
        return "it lies in no fold"
    return ""


def divide_clips(built: ObjectDataset, settings: SplitSettings) -> ObjectDataset:
    """Return the dataset with each unit in train, val or test; unchanged if the strategy divides groups.

    Raises SplitError if a split gets no target, or a label has no training data.
    """
    kind = settings.kind
    if not isinstance(kind, OneDivisionOfClips):
        return built
    buckets: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, unit in enumerate(built.units):
        buckets[_bucket(unit, kind)].append(number)
    folds = dict.fromkeys(range(len(built.units)), TEST)
    for bucket, numbers in sorted(buckets.items()):
        rng = np.random.default_rng(seed_of(settings.seed, "clips", *bucket))
        shuffled = [numbers[int(i)] for i in rng.permutation(len(numbers))]
        n_train, n_val = (
            _share_of_units(settings.train_share, len(numbers)),
            _share_of_units(settings.val_share, len(numbers)),
        )
        folds |= dict.fromkeys(shuffled[:n_train], NEVER_HELD_OUT)
        folds |= dict.fromkeys(shuffled[n_train : n_train + n_val], VAL)
    units = tuple(
        replace(unit, clips=tuple(replace(clip, fold=folds[number]) for clip in unit.clips))
        for number, unit in enumerate(built.units)
    )
    targets = Counter(folds[number] for number, unit in enumerate(units) if unit.label)
    empty = [name for fold, name in SPLIT_NAMES.items() if not targets[fold]]
    if empty:
        raise SplitError(
            f"split.strategy = {settings.strategy!r} leaves no target for {' and '.join(empty)}: its buckets are too "
            "small for their shares; annotate more, raise the share, or use another strategy"
        )
    _check_labels((folds[number], unit.label, 1) for number, unit in enumerate(units) if unit.label)
    return replace(built, units=units)


def _bucket(unit: Unit, kind: OneDivisionOfClips) -> tuple[str, ...]:
    # Noise that belongs to no target has its own bucket, in addition to those of the qualities.
    quality = ("noise" if not unit.label else str(unit.quality),) if kind.by_quality else ()
    return (kind.strategy, *quality, *((unit.group,) if kind.by_group else ()))
