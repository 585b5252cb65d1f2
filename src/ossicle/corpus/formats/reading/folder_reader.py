"""Read a folder of annotation files, or one file, each in its format; malformed files are all reported at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import read_text
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import FORMATS, SUFFIXES, Format, ReadOptions, guess
from ossicle.corpus.formats.score_tables import ScoreTable
from ossicle.corpus.formats.window_labels import to_events
from ossicle.corpus.naming.file_listing import files_below, shown

_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Source:
    """One annotation file: its path below the input, its format and its content."""

    name: str
    format: Format
    table: EventTable | ScoreTable


@dataclass(frozen=True, slots=True)
class Sources:
    """The annotation files of an input, and the other files that have a matching suffix."""

    folder: Path
    found: tuple[Source, ...]
    foreign: tuple[str, ...]


def read_sources(place: Path, options: ReadOptions, wanted: Format | None = None) -> Sources:
    """Read a folder of annotation files (any depth), or one file, in the format ``wanted`` or the recognised one.

    An empty ``.txt`` is an Audacity track without labels.

    Raises
    ------
    UsageError
        If ``place`` does not exist.
    FormatError
        With file and line, listing all malformed files.
    """
    if not place.exists():
        raise UsageError(f"{place}: does not exist; give a folder of annotation files, or one file")
    folder = place if place.is_dir() else place.parent
    suffixes = SUFFIXES if wanted is None or not wanted.suffixes else wanted.suffixes
    names = files_below(place, suffixes) if place.is_dir() else [place.name]
    found: list[Source] = []
    foreign: list[str] = []

    def read(name: str) -> None:
        path = folder / name
        known = wanted if wanted is not None else recognised(path)
        if known is None or known.read is None or shown(name) != name:
            foreign.append(shown(name))
        else:
            found.append(Source(name, known, known.read(path, options)))

    each(names, read)
    return Sources(folder, tuple(found), tuple(foreign))


def recognised(path: Path) -> Format | None:
    """Return the format of a file by :func:`guess`, Audacity's for an empty ``.txt``, or None if no format matches."""
    if path.suffix.lower() == ".txt" and not read_text(path).strip():
        return FORMATS["audacity"]
    return guess(path)


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
