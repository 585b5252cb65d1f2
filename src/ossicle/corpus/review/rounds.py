"""Review rounds: answers about stretches of recordings, stored as files and applied over the annotation files.

Inside an examined stretch the review is the truth; outside it the annotations remain, and an unannotated recording
remains unknown. Rounds are applied in the order of their numbers, so the last one counts.

    reviews/round-001.json
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.filesystem.numbered import next_numbered, numbered_files
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.errors import ArtefactError, FormatError
from ossicle.core.intervals import Intervals, as_intervals, gaps, union
from ossicle.core.records import Annotation
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.placement import annotation_order
from ossicle.corpus.notes import Note

FOLDER = "reviews"
PROVENANCE = "reviewed"
FORMAT_VERSION = 1
_STEM = "round"

Stretches = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ReviewedRecording:
    """The review of one recording: the checked stretches (disjoint, sorted, seconds) and all events in them."""

    recording_id: str
    path: str
    digest: str
    examined: Stretches
    events: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """One review: who, when, which model and export (``provenance``), and its recordings."""

    recordings: tuple[ReviewedRecording, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)


def write_round(folder: Path, review_round: Round) -> Path | None:
    """Write a round under the next number, atomically; None if an earlier round of the export is equal."""
    for file in round_files(folder):
        before = read_round(file)
        if before.recordings == review_round.recordings and before.provenance.get(
            "export"
        ) == review_round.provenance.get("export"):
            return None
    path = next_numbered(folder, _STEM)
    write_json(path, {"format": FORMAT_VERSION, **asdict(review_round)})
    return path


def round_files(folder: Path) -> list[Path]:
    """Return the rounds in a folder by number; none if the folder does not exist."""
    return numbered_files(folder, _STEM)


def read_round(file: Path) -> Round:
    """Read a round; raises FormatError, naming the file, if it is damaged or not from Ossicle."""
    try:
        value = read_json(file)
    except ArtefactError as problem:
        raise FormatError(f"{problem}, or remove it to ignore this review") from None
    try:
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"its format is {value['format']!r}, not {FORMAT_VERSION}")
        recordings = tuple(_recording(recording_json) for recording_json in value["recordings"])
        provenance = {str(key): str(text) for key, text in value["provenance"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise FormatError(f"{file}: is not a review round ({problem}); restore it, or remove it") from None
    return Round(recordings, provenance)


def with_reviews(index: CorpusIndex, rounds: Iterable[Round], labels: Collection[str] = ()) -> CorpusIndex:
    """Return the index with reviews applied; ``labels`` are those to keep (empty: all).

    Reviews of recordings that are gone, or whose sound has changed, are noted and ignored.
    """
    stated = index.annotations
    known = {recording.id: recording for recording in index.recordings}
    changed: dict[str, list[Annotation]] = {}
    examined = {key: as_intervals(times) for key, times in index.examined.items()}
    notes: list[Note] = []
    for review_round in rounds:
        for reviewed_recording in review_round.recordings:
            recording = known.get(reviewed_recording.recording_id)
            if recording is None or recording.digest != reviewed_recording.digest:
                reason = "is not among the recordings" if recording is None else "changed since the review"
                notes.append(
                    Note(
                        "review_unused",
                        reviewed_recording.path,
                        f"{reason}; {len(reviewed_recording.events)} reviewed events not used",
                        len(reviewed_recording.events),
                    )
                )
                continue
            looked = as_intervals(reviewed_recording.examined)
            earlier = changed.get(reviewed_recording.recording_id, stated.of(reviewed_recording.recording_id))
            valid_notes = [note for note in earlier if not _centre_within(note, looked)]
            valid_notes += [note for note in reviewed_recording.events if not labels or note.label in labels]
            changed[reviewed_recording.recording_id] = sorted(valid_notes, key=annotation_order)
            before = examined.get(reviewed_recording.recording_id, np.zeros((0, 2)))
            examined[reviewed_recording.recording_id] = union(np.concatenate([before, looked]))
    unchanged = [row for row, key in enumerate(stated.recording_ids) if key not in changed]
    reviewed = AnnotationColumns.from_annotations(
        note for recording_notes in changed.values() for note in recording_notes
    )
    every = AnnotationColumns.joined([stated.where(np.isin(stated.recording, unchanged)), reviewed])
    return replace(
        index,
        annotations=every.by_recording(recording.id for recording in index.recordings),
        notes=(*index.notes, *notes),
        examined={key: as_stretches(times) for key, times in sorted(examined.items())},
        stated=stated,
    )


def without(whole: Intervals, taken: Intervals) -> Intervals:
    """Return the part of ``whole`` outside ``taken``; both disjoint and sorted, (n, 2) in seconds."""
    parts = [gaps(taken[(taken[:, 1] > start) & (taken[:, 0] < end)], start, end) for start, end in whole]
    return np.concatenate([np.zeros((0, 2)), *parts])


def as_stretches(times: Intervals) -> Stretches:
    """Return intervals (n, 2) as plain pairs."""
    return tuple((float(start), float(end)) for start, end in times)


def within(time_s: float, stretches: Intervals | Sequence[tuple[float, float]]) -> bool:
    """Return whether a time lies in one of the stretches, including their ends."""
    return any(start <= time_s <= end for start, end in stretches)


def _centre_within(note: Annotation, stretches: Intervals) -> bool:
    return within((note.start_s + note.end_s) / 2, stretches)


def _recording(value: Mapping[str, Any]) -> ReviewedRecording:
    recording_id = str(value["recording_id"])
    examined = as_intervals(value["examined"])
    events = tuple(_event(event) for event in value["events"])
    for event in events:
        if event.recording_id != recording_id:
            raise ValueError(f"the event at {event.start_s:g} s has another recording's id")
        if not _centre_within(event, examined):
            raise ValueError(f"the event at {event.start_s:g} s is not in an examined stretch")
    texts = {name: str(value[name]) for name in ("path", "digest")}
    return ReviewedRecording(recording_id, examined=as_stretches(union(examined)), events=events, **texts)


def _event(value: Mapping[str, Any]) -> Annotation:
    low_hz, high_hz = (None if value[name] is None else float(value[name]) for name in ("low_hz", "high_hz"))
    return Annotation(
        recording_id=str(value["recording_id"]),
        start_s=float(value["start_s"]),
        end_s=float(value["end_s"]),
        label=str(value["label"]),
        low_hz=low_hz,
        high_hz=high_hz,
        quality=None if value["quality"] is None else int(value["quality"]),
        provenance=PROVENANCE,
    )
