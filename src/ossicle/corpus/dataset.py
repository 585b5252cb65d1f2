"""Clips: the dataset as a table, from annotations, folds and mined noise."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.core.settings import setting, settings
from ossicle.corpus.negatives import MiningRow, mine_noise
from ossicle.corpus.splits import FoldEntry


@settings
class DatasetSettings:
    """Which annotations become targets, and how much noise is mined beside them."""

    quality_max: int = setting(
        default=0,
        help="worst quality number kept as a target (1 best, 4 worst); 0 keeps all, unknown quality is kept",
        ge=0,
    )
    noise_per_target: float = setting(default=1.0, help="noise clips mined for each target", ge=0)
    margin_s: float = setting(default=0.1, help="distance of noise from every annotation", unit="s", ge=0)


@dataclass(frozen=True, slots=True)
class Unused:
    """A recording or annotation that gave no clip; ``start_s`` is None where the whole recording is meant."""

    recording_id: str
    reason: str
    start_s: float | None = None


@dataclass(frozen=True, slots=True)
class DatasetClips:
    """Clips sorted by recording, start and label, with what mining did and what was not used."""

    clips: tuple[Clip, ...]
    mining: tuple[MiningRow, ...]
    unused: tuple[Unused, ...]


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
    """The clips of :func:`build_dataset` alone."""
    return list(build_dataset(recordings, annotations, folds, settings, seed, crop_s).clips)


def build_dataset(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    folds: Mapping[str, FoldEntry],
    settings: DatasetSettings,
    seed: int,
    crop_s: float,
    partly: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> DatasetClips:
    """A target clip for each annotation, at its own times, and noise clips of ``crop_s`` seconds.

    Noise comes from free stretches of reviewed recordings, reviewed-empty ones included. Annotations that are worse
    than ``quality_max`` are no targets but keep noise away all the same. A target that passes its recording's end is
    cut there. Recordings that are unreviewed, left out or without a fold are listed as unused. ``partly`` holds the
    stretches (seconds, by recording id) that a review looked at in recordings nobody annotated as a whole: these are
    used, and noise comes from there alone.
    Raises SplitError where no target remains.
    """
    looked = partly or {}
    unused = [
        Unused(r.id, reason)
        for r in sorted(recordings, key=lambda r: r.id)
        if (reason := _why_unused(r, folds, looked))
    ]
    without = {entry.recording_id for entry in unused}
    used = {r.id: r for r in recordings if r.id not in without}
    mine = [a for a in annotations if a.recording_id in used]
    clips: list[Clip] = []
    for annotation in mine:
        recording, entry = used[annotation.recording_id], folds[annotation.recording_id]
        if annotation.start_s >= recording.duration_s:
            reason = f"'{annotation.label}' begins after the end of the recording ({recording.duration_s:.3f} s)"
            unused.append(Unused(recording.id, reason, annotation.start_s))
        elif settings.quality_max and annotation.quality is not None and annotation.quality > settings.quality_max:
            reason = f"'{annotation.label}' has quality {annotation.quality}, worse than {settings.quality_max}"
            unused.append(Unused(recording.id, reason, annotation.start_s))
        else:
            start_s, end_s = max(annotation.start_s, 0.0), min(annotation.end_s, recording.duration_s)
            clips.append(Clip(recording.id, start_s, end_s, "target", entry.fold, entry.group, annotation.label))
    if not clips:
        raise SplitError("no target is left: annotate reviewed recordings, or raise dataset.quality_max")
    n_noise = int(settings.noise_per_target * len(clips) + 0.5)
    spans, rows = mine_noise(list(used.values()), mine, n_noise, [crop_s], settings.margin_s, seed, looked)
    for span in spans:
        entry = folds[span.recording_id]
        clips.append(Clip(span.recording_id, span.start_s, span.end_s, "noise", entry.fold, entry.group))
    ordered = sorted(clips, key=lambda c: (c.recording_id, c.start_s, c.end_s, c.label, c.role))
    return DatasetClips(tuple(ordered), tuple(rows), tuple(unused))


def dataset_stats(clips: Iterable[Clip], annotations: Iterable[Annotation]) -> list[StatsRow]:
    """Counts per fold, group, role, label and quality, sorted; a target's quality is its annotation's."""
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


def _why_unused(recording: Recording, folds: Mapping[str, FoldEntry], looked: Collection[str]) -> str:
    if recording.status == "left_out":
        return f"left out: {recording.reason}"
    if not recording.reviewed and recording.id not in looked:
        return "nobody has reviewed it, so what it lacks is not known"
    if recording.id not in folds:
        return "it lies in no fold"
    return ""
