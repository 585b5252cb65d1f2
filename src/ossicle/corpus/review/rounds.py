"""Review rounds: what people said of stretches of recordings, kept as files, and laid over what the tables say.

Inside an examined stretch the review is the truth; outside it the annotations stand, and where a recording has none,
nothing is known. Rounds are laid one over the other in the order of their numbers, so the last word counts.

    reviews/round-001.json
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.numbered import next_numbered, numbered_files
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
    """What was said of one recording: the stretches looked at (disjoint, sorted, seconds) and all events in them."""

    recording_id: str
    path: str
    digest: str
    examined: Stretches
    events: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """One review: who, when, of which model and export (``provenance``), and its recordings."""

    recordings: tuple[ReviewedRecording, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)


def write_round(folder: Path, one: Round) -> Path | None:
    """Keep a round under the next number, whole or absent; None where an earlier one of the export says the same."""
    for file in round_files(folder):
        before = read_round(file)
        if before.recordings == one.recordings and before.provenance.get("export") == one.provenance.get("export"):
            return None
    path = next_numbered(folder, _STEM)
    write_json(path, {"format": FORMAT_VERSION, **asdict(one)})
    return path


def round_files(folder: Path) -> list[Path]:
    """The rounds in a folder by number; none where there is no such folder."""
    return numbered_files(folder, _STEM)


def read_round(file: Path) -> Round:
    """A round; FormatError, naming the file, where it is damaged or not ours."""
    try:
        value = read_json(file)
    except ArtefactError as problem:
        raise FormatError(f"{problem}, or remove it to do without this review") from None
    try:
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"its format is {value['format']!r}, not {FORMAT_VERSION}")
        recordings = tuple(_recording(one) for one in value["recordings"])
        provenance = {str(key): str(said) for key, said in value["provenance"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise FormatError(f"{file}: is no review round ({problem}); restore it, or remove it") from None
    return Round(recordings, provenance)


def with_reviews(index: CorpusIndex, rounds: Iterable[Round], labels: Collection[str] = ()) -> CorpusIndex:
    """The index with what reviews say laid over it; ``labels`` are those to keep (empty: all).

    What a round says of a recording that is not there any more, or holds other sound now, is noted and not used.
    """
    stated = index.annotations
    known = {one.id: one for one in index.recordings}
    of: dict[str, list[Annotation]] = {one.id: [] for one in index.recordings}
    for note in stated:
        of[note.recording_id].append(note)
    examined = {key: as_intervals(times) for key, times in index.examined.items()}
    notes: list[Note] = []
    for one in rounds:
        for said in one.recordings:
            recording = known.get(said.recording_id)
            if recording is None or recording.digest != said.digest:
                why = "is not among the recordings" if recording is None else "holds other sound than was reviewed"
                notes.append(Note("review_unused", said.path, f"{why}; {len(said.events)} reviewed events not used"))
                continue
            looked = as_intervals(said.examined)
            kept = [note for note in of[said.recording_id] if not _centre_within(note, looked)]
            kept += [note for note in said.events if not labels or note.label in labels]
            of[said.recording_id] = sorted(kept, key=annotation_order)
            before = examined.get(said.recording_id, np.zeros((0, 2)))
            examined[said.recording_id] = union(np.concatenate([before, looked]))
    return replace(
        index,
        annotations=tuple(note for recording in index.recordings for note in of[recording.id]),
        notes=(*index.notes, *notes),
        examined={key: as_stretches(times) for key, times in sorted(examined.items())},
        stated=stated,
    )


def without(whole: Intervals, taken: Intervals) -> Intervals:
    """What ``taken`` leaves of ``whole``; both disjoint and sorted, (n, 2) in seconds."""
    parts = [gaps(taken[(taken[:, 1] > start) & (taken[:, 0] < end)], start, end) for start, end in whole]
    return np.concatenate([np.zeros((0, 2)), *parts])


def as_stretches(times: Intervals) -> Stretches:
    """Intervals (n, 2) as plain pairs."""
    return tuple((float(start), float(end)) for start, end in times)


def within(time_s: float, stretches: Intervals | Sequence[tuple[float, float]]) -> bool:
    """Whether a time lies in one of the stretches, their ends included."""
    return any(start <= time_s <= end for start, end in stretches)


def _centre_within(note: Annotation, stretches: Intervals) -> bool:
    return within((note.start_s + note.end_s) / 2, stretches)


def _recording(value: Mapping[str, Any]) -> ReviewedRecording:
    recording_id = str(value["recording_id"])
    examined = as_intervals(value["examined"])
    events = tuple(_event(one) for one in value["events"])
    for event in events:
        if event.recording_id != recording_id:
            raise ValueError(f"the event at {event.start_s:g} s has another recording's id")
        if not _centre_within(event, examined):
            raise ValueError(f"the event at {event.start_s:g} s lies in no examined stretch")
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
