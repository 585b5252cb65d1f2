"""The leak audit: check a split independently of how its folds were made (invariant 2)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.corpus.splits.folds import FoldEntry, group_of


@dataclass(frozen=True, slots=True)
class FoldCount:
    """Size of one held-out fold; ``annotations`` maps each label, sorted, to its number.

    If single clips are split, ``seconds`` and ``annotations`` are those of its clips.
    """

    fold: int
    recordings: int
    seconds: float
    annotations: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class EqualAudio:
    """Byte-equal files (one digest) in several folds; ``files`` are ``root/path``, sorted."""

    digest: str
    files: tuple[str, ...]
    folds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LeakAudit:
    """Result of the audit; the tuples are empty and ``ok`` is true if nothing leaks.

    ``groups_cut``: groups with recordings in several folds. ``recordings_cut``: ``root/path`` of recordings in several
    folds (by their clips, or listed twice). ``strangers``: clips or folds of recordings that the corpus does not have.
    ``clips_crossing``: number of clips that share time with a clip of another fold.
    """

    group: str
    groups_cut: tuple[str, ...]
    recordings_cut: tuple[str, ...]
    equal_audio: tuple[EqualAudio, ...]
    strangers: tuple[str, ...]
    folds: tuple[FoldCount, ...]
    clips_crossing: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing leaks."""
        return not (self.groups_cut or self.recordings_cut or self.equal_audio or self.strangers)

    def reasons(self) -> tuple[str, ...]:
        """Return one sentence for each leak."""
        return (
            *(f"group '{name}' is in several folds" for name in self.groups_cut),
            *(f"recording {name} is in several folds" for name in self.recordings_cut),
            *(
                f"the same audio is in folds {', '.join(map(str, audio.folds))}: {', '.join(audio.files)}"
                for audio in self.equal_audio
            ),
            *(f"recording id {name} is not in the corpus" for name in self.strangers),
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a JSON file; seconds are rounded to 6 decimals."""
        plain = asdict(self)
        for fold in plain["folds"]:
            fold["seconds"] = round(fold["seconds"], 6)
        return {"ok": self.ok, **plain}


def audit(
    folds: Mapping[str, FoldEntry],
    recordings: Sequence[Recording],
    annotations: Iterable[Annotation] = (),
    clips: Iterable[Clip] = (),
    *,
    group: str = "recording",
    by_clip: bool = False,
) -> LeakAudit:
    """Check that folds divide no group, no recording and no copies of one file.

    Groups are read again from the recordings' fields, not from ``folds``; clips must lie in their recording's fold.
    ``by_clip``: single clips were split, and recordings have no fold of their own.
    """
    known = {recording.id: recording for recording in recordings}
    clip_columns = ClipColumns.from_clips(clips)
    folds_of_recording: dict[str, set[int]] = defaultdict(set)
    for recording_id, entry in () if by_clip else folds.items():
        folds_of_recording[recording_id].add(entry.fold)
    for row, fold in np.unique(np.stack([clip_columns.recording, clip_columns.fold], axis=1), axis=0).tolist():
        folds_of_recording[clip_columns.recording_ids[row]].add(fold)
    group_folds: dict[str, set[int]] = defaultdict(set)
    copies: dict[str, list[Recording]] = defaultdict(list)
    for recording_id in sorted(folds_of_recording.keys() & known.keys()):
        recording = known[recording_id]
        group_folds[group_of(recording, group)] |= folds_of_recording[recording_id]
        if recording.digest:
            copies[recording.digest].append(recording)
    listed = Counter(recording.id for recording in recordings)
    cut = sorted(
        rid for rid, where in folds_of_recording.items() if rid in known and (len(where) > 1 or listed[rid] > 1)
    )
    return LeakAudit(
        group=group,
        groups_cut=tuple(sorted(name for name, where in group_folds.items() if len(where) > 1)),
        recordings_cut=tuple(_name(known[recording_id]) for recording_id in cut),
        equal_audio=_equal_audio(copies, folds_of_recording),
        strangers=tuple(sorted(folds_of_recording.keys() - known.keys())),
        folds=_clip_counts(clip_columns) if by_clip else _fold_counts(folds, known, annotations),
        clips_crossing=_crossing(clip_columns),
    )


def require_no_leak(leak_audit: LeakAudit) -> None:
    """Raise SplitError, listing every leak, unless the audit is clean."""
    if not leak_audit.ok:
        listed = "\n".join(f"  - {reason}" for reason in leak_audit.reasons())
        raise SplitError(f"the split leaks:\n{listed}\nremove copies, or group by a field that holds these together")


def _name(recording: Recording) -> str:
    return f"{recording.root}/{recording.path}"


def _equal_audio(
    copies: Mapping[str, Sequence[Recording]], folds_of_recording: Mapping[str, set[int]]
) -> tuple[EqualAudio, ...]:
    copies_found = []
    for value, same in sorted(copies.items()):
        where = sorted(set().union(*(folds_of_recording[recording.id] for recording in same)))
        if len(same) > 1 and len(where) > 1:
            copies_found.append(EqualAudio(value, tuple(sorted(map(_name, same))), tuple(where)))
    return tuple(copies_found)


def _fold_counts(
    folds: Mapping[str, FoldEntry], known: Mapping[str, Recording], annotations: Iterable[Annotation]
) -> tuple[FoldCount, ...]:
    labels: dict[int, Counter[str]] = defaultdict(Counter)
    for key, label, n in AnnotationColumns.from_annotations(annotations).counts():
        if key in folds:
            labels[folds[key].fold][label] += n
    members: dict[int, list[str]] = defaultdict(list)
    for rid, entry in sorted(folds.items()):
        members[entry.fold].append(rid)
    counts = []
    for fold, ids in sorted(members.items()):
        held = [known[rid] for rid in ids if rid in known]
        seconds = sum(recording.duration_s for recording in held)
        counts.append(FoldCount(fold, len(held), seconds, dict(sorted(labels[fold].items()))))
    return tuple(counts)


def _clip_counts(clips: ClipColumns) -> tuple[FoldCount, ...]:
    counts = []
    for fold in np.unique(clips.fold).tolist():
        held = clips.where(clips.fold == fold)
        targets = np.bincount(held.label[held.has_role("target")], minlength=len(held.labels))
        labels = {label: n for label, n in zip(held.labels, targets.tolist(), strict=True) if n}
        seconds = sum((held.end_s - held.start_s).tolist())
        counts.append(FoldCount(fold, len(held.recording_ids), seconds, labels))
    return tuple(counts)


def _crossing(clips: ClipColumns) -> int:
    """Return how many clips share time with a clip of another fold."""
    crossing = 0
    for key in clips.recording_ids:
        recording_clips = clips.of(key)
        if bool((recording_clips.fold == recording_clips.fold[0]).all()):
            continue
        order = np.argsort(recording_clips.start_s, kind="stable")
        start_s, end_s, fold = (
            column[order].tolist() for column in (recording_clips.start_s, recording_clips.end_s, recording_clips.fold)
        )
        crossed: set[int] = set()
        for i, end in enumerate(end_s):
            for j in range(i + 1, len(start_s)):
                if start_s[j] >= end:
                    break
                if fold[j] != fold[i]:
                    crossed |= {i, j}
        crossing += len(crossed)
    return crossing
