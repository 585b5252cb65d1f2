"""Clips: the dataset as a table, from annotations, folds and mined noise."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ossicle.core.errors import SplitError, UsageError
from ossicle.core.intervals import Intervals, as_intervals, both
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.core.settings import setting, settings
from ossicle.corpus.clips.matched_noise import Unplaced, mine_beside
from ossicle.corpus.clips.noise_sampling import MiningRow, NoiseSpan, free_stretches, mine_noise
from ossicle.corpus.clips.sampling_report import TapeMining, mining_report, refuse_overlaps
from ossicle.corpus.splits.folds import FoldEntry


@settings
class DatasetSettings:
    """Which annotations become targets, and how much noise is mined."""

    quality_min: int = setting(
        default=0,
        help="lowest quality number of a target, for corpora in which higher is better; 0: all; unknown "
        "quality is always kept",
        ge=0,
    )
    quality_max: int = setting(
        default=0,
        help="highest quality number of a target, for corpora in which 1 is best and 4 is worst; 0: all; "
        "unknown quality is always kept",
        ge=0,
    )
    noise: str = setting(
        default="corpus",
        choices=("corpus", "beside", "recordings"),
        help="where noise clips come from: corpus: uniformly from all reviewed recordings; beside: for each "
        "target, clips of the same length from the same recording; recordings: each reviewed recording "
        "without annotations is one noise clip",
    )
    noise_per_target: float = setting(
        default=1.0,
        help="number of noise clips for each target; a fraction is the probability of one more; not with "
        "noise = recordings",
        ge=0,
    )
    margin_s: float = setting(default=0.1, help="lowest distance of noise clips from every annotation", unit="s", ge=0)
    fallback_raw: bool = setting(
        default=True,
        help="with noise = beside: if a recording has no room, take noise from other reviewed recordings of "
        "its group (the rest of the tape)",
    )
    mined_weight: float = setting(
        default=2.0,
        help="how often false alarms saved by `ossicle dataset mine` are drawn in training, relative to other noise",
        ge=0,
    )
    mined: bool = setting(
        default=True,
        help="use the false alarms saved by `ossicle dataset mine`; false leaves a variant as it was before",
        digest=False,
    )
    weight_field: str = setting(
        default="",
        help="field, as rating, that weights how often the targets of a recording are drawn; empty: all equally often",
    )
    weight_scale: float = setting(
        default=5.0,
        help="value of that field with weight 1; a recording without a value, or with 0, also has weight 1",
        gt=0,
    )
    drop_loudest: float = setting(
        default=0.0,
        help="share of the loudest windows of each recording that no head is trained on; recipes for states only",
        unit="%",
        ge=0,
        lt=100,
        digest_default=False,
    )
    refuse_overlaps: bool = setting(
        default=False, help="make it an error if noise clips share time, or if a clip occurs twice"
    )


@dataclass(frozen=True, slots=True)
class Unused:
    """A recording or annotation that gave no clip; ``start_s`` is None if the whole recording is meant."""

    recording_id: str
    reason: str
    start_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """Clips that no split may separate: a target (all its exact repeats) with its mined noise, or other noise.

    ``quality`` is the target's; ``label`` is empty for noise that belongs to no target.
    """

    clips: tuple[Clip, ...]
    group: str
    label: str = ""
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class DatasetClips:
    """Units, the results of mining per recording (noise = "corpus") and per tape, targets for which noise was
    ``unplaced`` (noise = "beside"), and unused recordings and annotations.
    """

    units: tuple[Unit, ...]
    mining: tuple[MiningRow, ...]
    tapes: tuple[TapeMining, ...]
    unplaced: tuple[Unplaced, ...]
    unused: tuple[Unused, ...]

    @property
    def clips(self) -> tuple[Clip, ...]:
        """All clips, sorted by recording, times, label and role."""
        return tuple(sorted((one for unit in self.units for one in unit.clips), key=clip_order))


@dataclass(frozen=True, slots=True)
class StatsRow:
    """Number and total seconds of clips of one fold, group, role, label and quality (None: unknown, or noise)."""

    fold: int
    group: str
    role: str
    label: str
    quality: int | None
    clips: int
    seconds: float


def build_clips(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    folds: Mapping[str, FoldEntry],
    settings: DatasetSettings,
    seed: int,
    crop_s: float,
) -> list[Clip]:
    """Return the clips of :func:`build_dataset` alone."""
    return list(build_dataset(recordings, annotations, folds, settings, seed, crop_s).clips)


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
    mine = sorted((a for a in annotations if a.recording_id in used), key=_annotation_order)
    weights = {key: clip_weight(one, settings) for key, one in used.items()}
    targets: dict[Clip, list[Clip]] = {}
    quality: dict[Clip, int | None] = {}
    for annotation in mine:
        recording, entry = used[annotation.recording_id], folds[annotation.recording_id]
        if reason := _why_no_target(annotation, recording, settings):
            unused.append(Unused(recording.id, reason, annotation.start_s))
            continue
        start_s, end_s = max(annotation.start_s, 0.0), min(annotation.end_s, recording.duration_s)
        clip = Clip(recording.id, start_s, end_s, "target", entry.fold, entry.group, annotation.label)
        clip = replace(clip, weight=weights[recording.id])
        targets.setdefault(clip, []).append(clip)
        quality.setdefault(clip, annotation.quality)
    if not targets:
        raise SplitError("no targets: annotate reviewed recordings, or change dataset.quality_min and quality_max")
    ordered = sorted((one for same in targets.values() for one in same), key=clip_order)
    quiet = [one for one in used.values() if one.id not in unknown]
    if settings.noise == "beside":
        free = _free(quiet, mine, settings.margin_s, looked)
        noise = _beside(ordered, free, folds, settings, seed)
    elif settings.noise == "recordings":
        noise = _empty_recordings(quiet, mine, folds)
    else:
        n = int(settings.noise_per_target * len(ordered) + 0.5)
        spans, rows = mine_noise(quiet, mine, n, [crop_s], settings.margin_s, seed, looked)
        asked = Counter[str]()
        for row in rows:
            asked[folds[row.recording_id].group] += row.asked
        lone = tuple(_noise(span, folds[span.recording_id]) for span in spans)
        noise = _Noise(asked, rows=tuple(rows), lone=lone)
    units = [
        Unit((*same, *noise.of[target]), target.group, target.label, quality[target])
        for target, same in sorted(targets.items(), key=lambda item: clip_order(item[0]))
    ]
    units += [Unit((one,), one.group) for one in sorted(noise.lone, key=clip_order)]
    tapes = mining_report(noise.asked, noise.fallback, [one for unit in units for one in unit.clips])
    if settings.refuse_overlaps:
        refuse_overlaps(tapes)
    return DatasetClips(tuple(units), noise.rows, tuple(tapes), tuple(noise.unplaced), tuple(unused))


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
    found = mine_beside(targets, free, groups, settings.noise_per_target, settings.fallback_raw, seed)
    for target, n, spans in zip(targets, found.asked, found.spans, strict=True):
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
        found = quality.get(key) if clip.role == "target" else None
        seconds[clip.fold, clip.group, clip.role, clip.label, found].append(clip.end_s - clip.start_s)
    return [
        StatsRow(*key, clips=len(lengths), seconds=round(sum(lengths), 6))
        for key, lengths in sorted(seconds.items(), key=lambda row: (*row[0][:4], row[0][4] or 0))
    ]


def _annotation_order(one: Annotation) -> tuple[str, float, float, str, float, str]:
    quality = float("inf") if one.quality is None else float(one.quality)
    return one.recording_id, one.start_s, one.end_s, one.label, quality, repr(one)


def clip_order(one: Clip) -> tuple[str, float, float, str, str]:
    """Return the sorting key of clips: recording, times, label, role."""
    return one.recording_id, one.start_s, one.end_s, one.label, one.role


def _noise(span: NoiseSpan, entry: FoldEntry) -> Clip:
    return Clip(span.recording_id, span.start_s, span.end_s, "noise", entry.fold, entry.group)


def _free(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    margin_s: float,
    looked: Mapping[str, Sequence[tuple[float, float]]],
) -> dict[str, Intervals]:
    """Return the stretches of each recording that are known to be free, (n, 2) seconds."""
    of: dict[str, list[Annotation]] = defaultdict(list)
    for one in annotations:
        of[one.recording_id].append(one)
    free = {one.id: free_stretches(one, of[one.id], margin_s) for one in recordings}
    return {key: both(times, as_intervals(looked[key])) if key in looked else times for key, times in free.items()}


def _empty_recordings(
    recordings: Sequence[Recording], annotations: Sequence[Annotation], folds: Mapping[str, FoldEntry]
) -> _Noise:
    heard = {one.recording_id for one in annotations}
    spans = [NoiseSpan(one.id, 0.0, one.duration_s) for one in recordings if one.reviewed and one.id not in heard]
    groups = Counter(folds[span.recording_id].group for span in spans)
    return _Noise(groups, lone=tuple(_noise(span, folds[span.recording_id]) for span in spans))


def clip_weight(recording: Recording, settings: DatasetSettings) -> float:
    """Return the weight of a recording's targets from ``settings.weight_field``; raises UsageError for invalid
    weights.
    """
    value = recording.fields.get(settings.weight_field, "") if settings.weight_field else ""
    if not value:
        return 1.0
    try:
        weight = float(value) / settings.weight_scale
    except ValueError:
        weight = -1.0
    if not 0 <= weight < float("inf"):
        raise UsageError(
            f"dataset.weight_field = {settings.weight_field!r}: {recording.root}/{recording.path} has the value "
            f"{value!r}, which is not a number of at least 0; correct it, or leave weight_field out"
        )
    return weight or 1.0


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
