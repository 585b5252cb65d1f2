"""The recordings that a manifest names: which are there, and what the events say about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from ossicle.artefacts.roots import Roots, how_to_name
from ossicle.audio.decoding.levels import Levels
from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.corpus.indexing.examining.kept_parts import KeptParts, Outcome, examine_in_parts
from ossicle.corpus.indexing.examining.probing import Examiner, Progress
from ossicle.corpus.notes import LeftOut, Note

_FIELDS = {"session": "session_id", "drummer": "drummer_id", "kit": "kit_id"}


@dataclass(frozen=True, slots=True)
class NamedRecording:
    """One recording that events name: its root (the source), path, fields, and how many events it has."""

    id: str
    root: str
    path: str
    fields: Mapping[str, str]
    events: int


@dataclass(slots=True)
class FoundRecordings:
    """Recordings by root and path, levels of the decoded ones by id, and what was left out, with events by reason."""

    recordings: list[Recording] = field(default_factory=list)
    levels: dict[str, Levels] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def named_recordings(events: pl.LazyFrame) -> tuple[list[NamedRecording], list[Note]]:
    """Return the recordings that events name, by root and path, and notes on contradictions between events.

    Parameters
    ----------
    events
        Events of all blocks (:class:`ossicle.corpus.manifest.block_import.Imported`).
    """
    columns = [pl.col(name).min() for name in ("source_set", "audio_path", *_FIELDS.values())]
    several = [pl.col(name).n_unique().alias(f"n_{name}") for name in ("session_id", "kit_id", "drummer_id")]
    by_recording = (
        events.group_by("recording_id")
        .agg(*columns, *several, (pl.col("component") <= 0).sum().alias("events"))
        .sort("source_set", "audio_path", "recording_id")
        .collect()
    )
    recordings = []
    for row in by_recording.iter_rows(named=True):
        fields = {name: row[column] for name, column in _FIELDS.items() if row[column] is not None}
        named = NamedRecording(
            row["recording_id"],
            row["source_set"],
            row["audio_path"],
            {"source": row["source_set"], **fields},
            row["events"],
        )
        recordings.append(named)
    notes = []
    for name in ("session_id", "kit_id", "drummer_id"):
        mixed = by_recording.filter(pl.col(f"n_{name}") > 1)
        if len(mixed):
            message = f"{len(mixed)} recordings have events with different {name}; the first by name is used"
            notes.append(Note("several_values", str(mixed["audio_path"][0]), message))
    return recordings, notes


def require_present(named: Sequence[NamedRecording], roots: Roots, max_missing: float) -> None:
    """Check that no source lacks the recordings of more than a share of its events.

    Raises
    ------
    UsageError
        Naming every such source, the first missing recording and what to do.
    """
    events: dict[str, int] = {}
    missing: dict[str, int] = {}
    example: dict[str, str] = {}
    for recording in named:
        events[recording.root] = events.get(recording.root, 0) + recording.events
        if roots.find(recording.root, recording.path) is None:
            missing[recording.root] = missing.get(recording.root, 0) + recording.events
            example.setdefault(recording.root, recording.path)
    faults = [
        f"{name}: the recordings of {n} of {events[name]} events ({100 * n / events[name]:.4g} %) are missing, such as "
        f"{example[name]!r}; {how_to_name(name)}, or raise [corpus] max_missing"
        for name, n in sorted(missing.items())
        if n > max_missing * events[name]
    ]
    if faults:
        raise UsageError("\n".join(faults))


def examine(
    named: Sequence[NamedRecording],
    roots: Roots,
    examiner: Examiner,
    workers: int,
    progress: Progress | None,
    parts: KeptParts | None = None,
) -> FoundRecordings:
    """Examine the recordings that exist, with ``workers`` threads, and list the others.

    Parameters
    ----------
    named
        Recordings of the manifest.
    roots
        Where they are.
    examiner
        How they are examined.
    workers
        Number of threads.
    progress
        Gets the number of finished and of all recordings.
    parts
        Where an interrupted run is continued; None examines everything.
    """
    found_recordings = FoundRecordings()

    def one(number: int) -> Outcome:
        named_recording = named[number]
        file = roots.find(named_recording.root, named_recording.path)
        if file is None:
            return f"no folder of the root {named_recording.root!r} holds it; {how_to_name(named_recording.root)}"
        return examiner.examine(file, named_recording.root, named_recording.path, named_recording.fields)

    outcomes = examine_in_parts([recording.id for recording in named], one, workers, parts, progress)
    for named_recording, outcome in zip(named, outcomes, strict=True):
        if isinstance(outcome, str):
            found_recordings.left_out.append(LeftOut(named_recording.path, outcome))
            message = f"{named_recording.events} events, but the recording was left out: {outcome}"
            found_recordings.notes.append(
                Note("annotations_left_out", named_recording.path, message, named_recording.events)
            )
        else:
            found_recordings.recordings.append(outcome.recording)
            if outcome.levels is not None:
                found_recordings.levels[outcome.recording.id] = outcome.levels
    return found_recordings
