"""Read a folder of annotation files, or one file, each in its format; malformed files are all reported at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.columns.verdicts import NO_CALLS
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.foreign_files import FOREIGN, foreign_files
from ossicle.corpus.formats.reading.renamed_tables import OTHER_TEXT, renamed_tables
from ossicle.corpus.formats.reading.table_file import Source, read_table_file
from ossicle.corpus.formats.reading.unread_files import unread_table
from ossicle.corpus.formats.registry import SUFFIXES, Format, ReadOptions
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable
from ossicle.corpus.formats.window_tables.window_labels import to_events
from ossicle.corpus.naming.file_listing import files_below, shown
from ossicle.corpus.notes import Note

_MOST_PROBLEMS = 20
NOT_READ = "table_not_read"
"""The kind of notes on files that look like annotations and were not read."""
NOT_ANNOTATIONS = "not_annotations"
"""The kind of notes on other files that were not read."""
MANY: frozenset[str] = frozenset({"empty_file", "same_table", "layers", "divided_selection", "encoding", NO_CALLS})
"""Kinds of notes that may come for every file, of which only the first are listed."""
LOST: frozenset[str] = frozenset({NOT_READ, "crosses_files"})
"""Kinds of notes on annotations that are missing from the result."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The annotation files of an input, and notes on them and on files that are not read."""

    folder: Path
    sources: tuple[Source, ...]
    notes: tuple[Note, ...]

    def unread_in_words(self) -> str:
        """Return what the files are that were not read, for the message that nothing was: "" if there are none."""
        unread = [f"{note.where} {note.message}" for note in self.notes if note.kind in (NOT_READ, NOT_ANNOTATIONS)]
        return ("; " + "; ".join(unread[:5])) if unread else " (Raven tables, Audacity labels, CSV, TSV or Parquet)"


def list_files(source: Path, suffixes: Iterable[str] = SUFFIXES) -> tuple[list[str], list[Note]]:
    """Return the paths below a folder of files with these suffixes, or a file itself, and notes on other files."""
    if not source.is_dir():
        return [source.name], []
    other = [*foreign_files(source, map(shown, files_below(source, FOREIGN)))]
    other += renamed_tables(source, files_below(source, OTHER_TEXT - frozenset(suffixes)))
    return files_below(source, frozenset(suffixes)), other


def read_sources(source: Path, options: ReadOptions, wanted_format: Format | None = None) -> Sources:
    """Read a folder of annotation files (any depth), or one file, in ``wanted_format`` or the recognised format.

    Raises
    ------
    UsageError
        If ``source`` does not exist.
    FormatError
        With file and line, listing all malformed files.
    """
    if not source.exists():
        raise UsageError(f"{source}: {what_is_at(source)}; give a folder of annotation files, or one file")
    folder = source if source.is_dir() else source.parent
    names, foreign = list_files(
        source, SUFFIXES if wanted_format is None or not wanted_format.suffixes else wanted_format.suffixes
    )
    sources: list[Source] = []
    notes: list[Note] = []

    def read(name: str) -> None:
        if shown(name) != name:
            notes.append(Note(NOT_READ, shown(name), "has a name that is not valid UTF-8 and was not read; rename it"))
            return
        source = read_table_file(folder / name, name, options, wanted_format)
        if source is None:
            notes.append(_unread(folder / name, name))
        else:
            sources.append(source)
            notes.extend(source.notes)

    each(names, read)
    return Sources(folder, tuple(sources), (*notes, *foreign))


def _unread(path: Path, name: str) -> Note:
    if path.suffix.lower() in FOREIGN:
        ours = Note(
            NOT_ANNOTATIONS, name, "is a record of Ossicle without annotations; give its folder or the tables beside it"
        )
        return next(iter(foreign_files(path.parent, [path.name])), ours)
    if path.suffix.lower() not in SUFFIXES:
        return Note(NOT_ANNOTATIONS, name, f"is no table that is read ({', '.join(sorted(SUFFIXES))})")
    return unread_table(path, name)


def each(names: Iterable[str], read: Callable[[str], None]) -> None:
    """Call ``read`` for every name; raise one FormatError that lists the messages of all malformed files."""
    problems: list[str] = []
    for name in names:
        try:
            read(name)
        except FormatError as problem:
            problems.append(str(problem))
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise FormatError("\n".join(problems[:_MOST_PROBLEMS] + [f"and {more} more"] * (more > 0)))


def events_of_source(table: EventTable | ScoreTable, where: str, threshold: float | None = None) -> EventTable:
    """Return the events of a table of any shape; raises FormatError, naming ``where``, for scores without a
    threshold.
    """
    if isinstance(table, EventTable):
        return table
    try:
        return to_events(table, threshold)
    except FormatError as problem:
        raise FormatError(f"{where}: {problem}") from None
