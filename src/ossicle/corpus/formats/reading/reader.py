"""Read all annotations of a file or folder as one table, whatever their format.

Duplicates, such as one prediction in two formats, are read once; contradictions are rejected.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ossicle.core.errors import FormatError, UsageError
from ossicle.core.value_checks import number_fault
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.event_folders import merge
from ossicle.corpus.formats.reading.folder_reader import LOST, MANY, NOT_READ, Sources, events_of_source, read_sources
from ossicle.corpus.formats.reading.labelled_audio import read_folders, read_names
from ossicle.corpus.formats.registry import Format, ReadOptions
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable
from ossicle.corpus.formats.writing.conversion_losses import Account
from ossicle.corpus.notes import Note, shortened


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read an input: its format (None: recognise that of each file), and the options of its reader.

    ``template`` and ``label_fields`` are for labels in names (``named_audio``); ``threshold`` turns scores into events.
    """

    format: Format | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    template: str = ""
    label_fields: tuple[str, ...] = ()
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and (fault := number_fault("threshold", self.threshold)):
            raise UsageError(fault)


def read_annotations(source: Path, reading: Reading, account: Account) -> EventTable | ScoreTable:
    """Return all annotations of a file or folder as one table, with files by name; scores alone stay scores.

    Parameters
    ----------
    source
        A file or a folder.
    reading
        Format and options.
    account
        Collects notes about content that was not read.

    Raises
    ------
    UsageError
        If there is nothing to read.
    FormatError
        With file and line, if something is malformed, ambiguous or contradictory.
    """
    if reading.format is not None and reading.format.shape == "folder":
        labelled = (
            read_folders(source)
            if reading.format.name == "folders"
            else read_names(source, reading.template, reading.label_fields)
        )
        for name, reason in labelled.left_out:
            account.left_out(f"{name}: {reason}; skipped")
        return labelled.table
    sources = read_sources(source, reading.options, reading.format)
    if not sources.sources:
        # What looks like annotations says itself what to do.
        remedy = "" if any(note.kind == NOT_READ for note in sources.notes) else "; if it holds some, name their format"
        raise UsageError(f"{source}: contains no readable annotations{sources.unread_in_words()}{remedy}")
    _report_notes(sources.notes, account)
    _tell_unread(sources, account)
    scores = [(source.name, source.table) for source in sources.sources if isinstance(source.table, ScoreTable)]
    if len(scores) == len(sources.sources):
        return _merge_scores(scores, sources.folder)
    events = [
        (source.name, events_of_source(source.table, str(sources.folder / source.name), reading.threshold))
        for source in sources.sources
    ]
    return _merge_events(events, sources.folder, account)


def _report_notes(notes: Iterable[Note], account: Account) -> None:
    """Report notes; what looks like annotations and was not read makes the result incomplete."""
    for note in shortened(notes, MANY):
        text = f"{note.where}: {note.message}"
        if note.kind in LOST:
            account.left_out(text)
        else:
            account.notes.append(text)


def _tell_unread(sources: Sources, account: Account) -> None:
    unread: Counter[str] = Counter()
    doubled = 0
    for source in sources.sources:
        if isinstance(source.table, EventTable):
            unread.update(source.table.unread)
            doubled += source.table.doubled
    for column, count in sorted(unread.items()):
        account.notes.append(f"the column {column!r} does not fit into an event: {count} cells were dropped")
    if doubled:
        account.notes.append(f"{doubled} rows repeat a selection in another view or channel and were merged")


def _merge_events(tables: Sequence[tuple[str, EventTable]], folder: Path, account: Account) -> EventTable:
    merged, notes = merge(tables, folder)
    _report_notes(notes, account)
    recording_events = merged.values()
    rows = tuple(replace(row, begin_path=events.name) for events in recording_events for row in events.rows)
    durations = {file: seconds for _, table in tables for file, seconds in table.durations_s.items()}
    return EventTable(rows, tuple(sorted(events.name for events in recording_events)), durations_s=durations)


def _merge_scores(tables: Sequence[tuple[str, ScoreTable]], folder: Path) -> ScoreTable:
    labels = tables[0][1].labels
    files = dict(tables[0][1].files)
    origin = dict.fromkeys(files, tables[0][0])
    for name, table in tables[1:]:
        if table.labels != labels:
            raise FormatError(
                f"{folder}: {tables[0][0]} has the classes {', '.join(labels)}, {name} {', '.join(table.labels)}; "
                "convert them one by one"
            )
        for file, windows in table.files.items():
            if file in files:
                raise FormatError(f"{folder}: {origin[file]} and {name} both contain scores of {file}; keep one")
            files[file], origin[file] = windows, name
    return ScoreTable(labels, files)
