"""Read the annotation files of a folder into rows with their recordings.

The content decides the format (``corpus.formats``). Malformed tables are all reported at once and stop the index, since
skipping a table would turn calls into background. A row belongs to the recording that it names, and to no other. A
table named ``tape_labels.txt`` belongs to ``tape.wav`` if nothing else speaks of that recording; else it is only
reported. A table without rows does not speak of a recording beside such a table with rows.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.core.errors import FormatError
from ossicle.corpus.formats import event_csv
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.folder_reader import MANY, NOT_READ, each, events_of_source
from ossicle.corpus.formats.reading.recording_tables import combine
from ossicle.corpus.formats.reading.table_file import Source, read_table_file
from ossicle.corpus.formats.reading.unread_files import unread_table
from ossicle.corpus.formats.registry import FORMATS, ReadOptions
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths, lengths_of
from ossicle.corpus.naming.file_listing import shown
from ossicle.corpus.naming.table_names import table_stems
from ossicle.corpus.naming.table_pairing import Pairing, same_file_name
from ossicle.corpus.notes import Note, shortened

SECOND_TABLE = "second_table"
"""The kind of the notes on tables that were not read because another one speaks of the same recording."""

_MOST_COLUMNS = 8


@dataclass(slots=True)
class AnnotationFiles:
    """Content of a folder of annotation files: (recording path, row) pairs, the reviewed recordings, and notes."""

    rows: list[tuple[str, RawSelection]] = field(default_factory=list)
    reviewed: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)


def read_annotation_files(
    folder: Path,
    tables: Sequence[str],
    pairing: Pairing,
    *,
    label_column: str,
    default_label: str | None,
    lengths_s: Mapping[str, float] | None = None,
) -> AnnotationFiles:
    """Read tables and match their rows with recordings.

    Parameters
    ----------
    folder, tables
        The folder, and the paths of the tables below it.
    pairing
        The recordings by their names.
    label_column, default_label
        Options of the readers.
    lengths_s
        Lengths of the recordings by path, in seconds, as far as they are known.

    Raises
    ------
    FormatError
        Listing every malformed table, and tables that contradict each other.
    """
    lengths = NO_LENGTHS if lengths_s is None else lengths_of(lengths_s.get, pairing.unambiguous, pairing.paths)
    reader = _Reader(folder, pairing, label_column, default_label, lengths)
    each(tables, reader.read)
    return reader.combined()


@dataclass(slots=True)
class _Reader:
    """Reads tables one by one.

    ``tables_of`` holds the rows of each recording by table; ``worded`` holds tables with a word behind the name of a
    recording; ``notes`` and ``unread`` (cells by heading) are reported.
    """

    folder: Path
    pairing: Pairing
    label_column: str
    default_label: str | None
    lengths: FileLengths
    tables_of: dict[str, list[tuple[str, list[RawSelection]]]] = field(default_factory=lambda: defaultdict(list))
    worded: dict[str, list[tuple[str, EventTable]]] = field(default_factory=lambda: defaultdict(list))
    notes: list[Note] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)

    def combined(self) -> AnnotationFiles:
        """Return the rows of all tables, combined for each recording."""
        for path, tables in self.worded.items():
            self._choose(path, tables)
        files = AnnotationFiles(notes=self.notes, reviewed=set(self.tables_of))

        def one(path: str) -> None:
            recording_events = combine(path, self.tables_of[path], self.folder)
            files.rows += [(path, row) for row in recording_events.rows]
            files.notes += recording_events.notes

        each(sorted(self.tables_of), one)
        if self.unread:
            listed = ", ".join(f"{name!r} ({count})" for name, count in self.unread.most_common(_MOST_COLUMNS))
            more = f" and {len(self.unread) - _MOST_COLUMNS} more" * (len(self.unread) > _MOST_COLUMNS)
            message = f"columns without a place in an annotation were not read (cells): {listed}{more}"
            files.notes.append(Note("columns_not_read", "", message))
        files.notes = shortened(files.notes, MANY)
        return files

    def _choose(self, path: str, tables: Sequence[tuple[str, EventTable]]) -> None:
        """Give a recording its only table with a word behind the name, if no other one speaks of it; report the others.

        Where such tables have rows, tables of the recording without rows do not count: its calls must not become
        background.
        """
        with_rows = [pair for pair in tables if pair[1].rows]
        others = [table for table, rows in self.tables_of.get(path, ()) if rows or not with_rows]
        candidates = [table for table, _ in with_rows or tables]
        chosen = candidates[0] if len(candidates) == 1 and not others else None
        if with_rows and not others:
            for table, _ in self.tables_of.pop(path, ()):
                message = (
                    f"says that {path} holds nothing, but {candidates[0]} speaks of events there; it does not count"
                )
                self.notes.append(Note(SECOND_TABLE, table, message))
        for table, read in tables:
            if table == chosen:
                self._pair(table, read, path, None)
                continue
            other = next(name for name in (*others, *candidates) if name != table)
            count = len(read.rows)
            message = f"is named like {path}, but {other} also speaks of it; its {count} rows were skipped"
            self.notes.append(Note(SECOND_TABLE, table, message, count))

    def read(self, table: str) -> None:
        """Read one table, by its path below the folder."""
        if shown(table) != table:
            message = "has a name that is not valid UTF-8 and was not read; rename it"
            self.notes.append(Note(NOT_READ, shown(table), message))
            return
        own_recording, ambiguous = self._own_recording(table)
        options = ReadOptions(self.label_column, self.default_label, self.lengths)
        path = self.folder / table
        source = read_table_file(path, table, options)
        if source is None and (own_recording is not None or ambiguous is not None):
            source = self._named_after_a_recording(path, table, options)
        if source is None:
            self.notes.append(unread_table(path, table))
            return
        self.notes += source.notes
        if isinstance(source.table, EventTable):
            self.unread.update(source.table.unread)
        read = events_of_source(source.table, str(path))
        if own_recording is None and ambiguous is None and _speaks_of_own(read):
            worded = self.pairing.of_table_with_word(table)
            if worded is not None:
                self.worded[worded].append((table, read))
                return
        self._pair(table, read, own_recording, ambiguous)

    def _named_after_a_recording(self, path: Path, table: str, options: ReadOptions) -> Source | None:
        """Read a table of no known format, so that a reader says what is wrong with it; None if it is no table."""
        note = unread_table(path, table)
        if note.kind == NOT_READ:
            raise FormatError(f"{path}: {note.message}")
        if path.suffix.lower() == ".txt":
            raise FormatError(
                f"{path}: is named after a recording, but {note.message}; a table needs the headings start_time, "
                "end_time and label; if it holds no annotations, rename it or move it away"
            )
        wanted_format = FORMATS["csv" if path.suffix.lower() in event_csv.SUFFIXES else "raven"]
        return read_table_file(path, table, options, wanted_format)

    def _own_recording(self, table: str) -> tuple[str | None, FormatError | None]:
        """Return the recording that a table is named after, or why it is ambiguous (its rows may still name it)."""
        try:
            return self.pairing.of_table(table), None
        except FormatError as problem:
            return None, problem

    def _pair(self, table: str, read: EventTable, own_recording: str | None, ambiguous: FormatError | None) -> None:
        """Give each row to the recording that it names, or to the one that the table is named after."""
        places: dict[str, str | None] = {}
        for stated in read.files:
            if own_recording is not None and same_file_name(stated, own_recording):
                places[stated] = own_recording
            else:
                places[stated] = self.pairing.of_path(stated, table)
        speaks_of_own = _speaks_of_own(read)
        if ambiguous is not None and (speaks_of_own or not read.files):
            raise ambiguous
        if speaks_of_own:
            places[""] = own_recording
        rows: dict[str, list[RawSelection]] = {path: [] for path in places.values() if path is not None}
        lost: Counter[str] = Counter()
        for row in read.rows:
            path = places[row.begin_path]
            if path is None:
                lost[row.begin_path] += 1
            else:
                rows[path].append(row)
        for path, raw_selections in rows.items():
            self.tables_of[path].append((table, raw_selections))
        for stated, count in sorted(lost.items()):
            about = (
                f"{count} rows speak of {stated!r}, which is" if stated else f"{count} rows are of a recording that is"
            )
            message = f"{about} not in the audio folder{self.pairing.like(stated)}; they were skipped"
            self.notes.append(Note("unmatched_rows", table, message, count))
        if not rows and not read.rows:
            description = (
                "has no rows and matches no recording"
                if own_recording is None
                else "has headings but names no recording"
            )
            self.notes.append(Note("unmatched_table", table, description))
        elif not rows:
            alike = next((hint for stem in [*lost, *table_stems(table)] if (hint := self.pairing.like(stem))), "")
            self.notes.append(Note("unmatched_table", table, f"matches no recording by its name or by its rows{alike}"))


def _speaks_of_own(read: EventTable) -> bool:
    """Return whether a table holds something for the recording that it is named after."""
    return any(not row.begin_path for row in read.rows) or (read.own and not read.files)
