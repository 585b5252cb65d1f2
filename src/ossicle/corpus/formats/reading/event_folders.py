"""Folders of annotation files without their audio: pair the events of any tool with any annotations, by name.

The name of a recording is that of its file without folder and audio suffix, unless two recordings share it; then the
folder is added and, if they differ only in suffix, the suffix. Several tables of one recording are combined by
``recording_tables``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.folder_reader import MANY, events_of_source, read_sources
from ossicle.corpus.formats.reading.recording_tables import Rows, combine
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.naming.table_names import recording_name
from ossicle.corpus.naming.table_pairing import same_file_name
from ossicle.corpus.notes import Note, shortened

EventSets = dict[str, Rows]


@dataclass(frozen=True, slots=True)
class Said:
    """The annotations of one recording: its name (with audio suffix if any file has it), and its rows."""

    name: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class EventFolder:
    """Rows by recording of a folder of annotation files, and notes on what was not read or assumed."""

    sets: EventSets
    notes: tuple[Note, ...] = field(default=())


def read_event_folder(source: Path, options: ReadOptions | None = None) -> EventFolder:
    """Return rows by recording from a folder of annotation files in any format of ``corpus.formats``, or from one file.

    Names are paths below ``source`` without suffixes.

    Raises
    ------
    UsageError
        If there is nothing to read.
    FormatError
        With file and line, if something cannot be read or two files contradict each other.
    """
    sources = read_sources(source, options or ReadOptions())
    if not sources.sources:
        raise UsageError(f"{source}: contains no annotation files{sources.unread_in_words()}")
    tables = [
        (source.name, events_of_source(source.table, str(sources.folder / source.name))) for source in sources.sources
    ]
    merged, notes = merge(tables, sources.folder)
    return EventFolder(
        {key: recording_events.rows for key, recording_events in merged.items()},
        tuple(shortened((*sources.notes, *notes), MANY)),
    )


def read_event_sets(source: Path, *, label_column: str = "auto") -> EventSets:
    """Return the rows of :func:`read_event_folder`."""
    return read_event_folder(source, ReadOptions(label_column=label_column)).sets


def merge(tables: Sequence[tuple[str, EventTable]], folder: Path) -> tuple[Mapping[str, Said], list[Note]]:
    """Merge tables (by their paths below ``folder``) into the annotations of each recording, with notes.

    Recordings are named as in :func:`read_event_folder`. Raises FormatError if two tables contradict each other.
    """
    same = _same_files(tables)
    named_rows = [(key, name, rows) for name, table in tables for key, rows in _by_file(name, table, same).items()]
    shared = _shared_stems(key for key, _, _ in named_rows)
    of_key: dict[str, list[tuple[str, str, Rows]]] = defaultdict(list)
    for full, name, rows in named_rows:
        stem = stem_of(full, SUFFIXES)
        of_key[full if stem in shared else stem].append((full, name, rows))
    by_recording: dict[str, Said] = {}
    notes: list[Note] = []
    for key, entries in of_key.items():
        combined = combine(key, [(name, rows) for _, name, rows in entries], folder)
        by_recording[key] = Said(max((full for full, _, _ in entries), key=len), combined.rows)
        notes += combined.notes
    notes += _perhaps_same({key: entries[0][1] for key, entries in of_key.items()})
    return by_recording, notes


def _perhaps_same(tables: Mapping[str, str]) -> list[Note]:
    """Return a note on recordings that one table names by a whole path and another one by the end of it.

    ``tables`` are the first tables of recordings by the names of these.
    """
    paths: dict[str, list[str]] = defaultdict(list)
    for key in filter(_is_absolute, tables):
        paths[key.rpartition("/")[2]].append(key)
    pairs = []
    for key, table in tables.items():
        fits = [path for path in paths[key.rpartition("/")[2]] if path.endswith(f"/{key}") and tables[path] != table]
        pairs += [(key, path) for path in fits if len(fits) == 1 and not _is_absolute(key)]
    if not pairs:
        return []
    short, path = pairs[0]
    more = f", and {len(pairs) - 1} more pairs," * (len(pairs) > 1)
    message = (
        f"{short!r} and {path!r} of {tables[path]}{more} may be one recording, and were taken for two; if so, write "
        "the same file name in both tables"
    )
    return [Note("perhaps_same", tables[short], message)]


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or path[1:3] == ":/"


def _by_file(name: str, table: EventTable, same: Mapping[str, str]) -> EventSets:
    """Return the rows of a table by recording; a file that the table is named after is placed in the table's folder.

    Rows that name another file are those of that file, by its name in ``same`` if it has one.
    """
    own_name = recording_name(name)
    own_files = _own_files(own_name, table)

    def place(stated: str) -> str:
        path = normal_path(stated)
        return own_files.get(path) or same.get(path, path) if stated else own_name

    by_file: EventSets = {place(file): [] for file in table.files}
    for row in table.rows:
        by_file.setdefault(place(row.begin_path), []).append(row)
    return by_file or ({own_name: []} if table.own else {})


def _own_files(own_name: str, table: EventTable) -> dict[str, str]:
    """Return the files that a table states and is named after, and where they are: in the folder of the table."""
    stated = {*table.files, *(row.begin_path for row in table.rows)} - {""} if table.own else set()
    paths = [normal_path(file) for file in stated if same_file_name(file, own_name)]
    suffixes = {path: path[len(stem_of(path, SUFFIXES)) :] for path in paths}
    return {
        path: own_name if own_name.lower().endswith(suffix.lower()) else own_name + suffix
        for path, suffix in suffixes.items()
    }


def _same_files(tables: Sequence[tuple[str, EventTable]]) -> dict[str, str]:
    """Return the stated files that tables are named after by where these tables are, as far as that is one place.

    Another table that states the same file, such as a second output of BirdNET, speaks of the same recording.
    """
    places: dict[str, set[str]] = defaultdict(set)
    for name, table in tables:
        for path, own in _own_files(recording_name(name), table).items():
            places[path].add(own)
    return {path: next(iter(owns)) for path, owns in places.items() if len(owns) == 1}


def _shared_stems(names: Iterable[str]) -> set[str]:
    """Return the stems that several audio files share, which then differ only in suffix."""
    suffixes: dict[str, set[str]] = defaultdict(set)
    for name in names:
        stem = stem_of(name, SUFFIXES)
        suffixes[stem].add(name[len(stem) :].lower())
    return {stem for stem, suffix in suffixes.items() if len(suffix - {""}) > 1}
