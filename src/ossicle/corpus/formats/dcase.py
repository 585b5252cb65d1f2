"""Read and write tables of the DCASE challenges: events, and durations of files. Scores: ``window_tables``.

Events are tab-separated ``filename onset offset event_label`` in seconds. Older lists have no header line, and lack the
file name if each file has its own list. A row with only a file means that the file contains no event (DESED).
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.decimals import with_decimal_points
from ossicle.corpus.formats.cells.delimited import (
    Delimited,
    escape_cell,
    figure,
    heading_key,
    read_delimited,
    unescape_cell,
    write_delimited,
)
from ossicle.corpus.formats.cells.rows import RawSelection, number
from ossicle.corpus.formats.columns.headings import has_times
from ossicle.corpus.formats.event_csv import events_of, without_rows
from ossicle.corpus.formats.event_table import EventTable

HEADER = ("filename", "onset", "offset", "event_label")


def read_dcase(path: Path, *, label_column: str = "auto", default_label: str | None = None) -> EventTable:
    """Return the events of a list with or without a header.

    Raises
    ------
    FormatError
        Naming file and line, if the list is malformed.
    """
    table = read_delimited(path, has_times)
    if not _is_row(table.header):
        return events_of(table, label_column=label_column, default_label=default_label)
    headings = HEADER[len(HEADER) - len(table.header) :]
    rows = ((table.header_line, table.header), *table.rows)
    listed = Delimited(path, headings, rows, table.header_line, table.delimiter)
    return events_of(listed, label_column=label_column, default_label=default_label)


def write_dcase(path: Path, rows: Iterable[RawSelection], *, files: Sequence[str] = ()) -> None:
    """Write events under a header line atomically, sorted by file and time; files without events get an empty row."""
    ordered = sorted(rows, key=lambda row: (row.begin_path, row.start_s, row.end_s, row.label))
    lines = [
        (row.begin_path, [escape_cell(row.begin_path), figure(row.start_s), figure(row.end_s), escape_cell(row.label)])
        for row in ordered
    ]
    lines += [(file, [escape_cell(file), "", "", ""]) for file in without_rows(files, ordered)]
    write_delimited(path, HEADER, [cells for _, cells in sorted(lines, key=lambda line: line[0])], delimiter="\t")


def is_dcase(header: Iterable[str]) -> bool:
    """Return whether these headings are those of a DCASE list of events."""
    return {heading_key(name) for name in header}.issuperset(HEADER)


def read_durations(path: Path) -> dict[str, float]:
    """Return seconds by file from a table ``filename duration``; raises FormatError, naming file and line."""
    table = read_delimited(path)
    places: dict[str, int] = {}
    for name in ("filename", "duration"):
        column = table.find([name])
        if column is None:
            listed = ", ".join(table.header) or "none"
            raise FormatError(f"{table.where}: the column {name!r} is missing (found: {listed}); add it")
        places[name] = column
    table = with_decimal_points(table, {places["duration"]})
    durations: dict[str, float] = {}
    for line, cells in table.rows:
        where = f"{path}, line {line}"
        file = unescape_cell(cells[places["filename"]]).strip()
        duration_s = number(cells[places["duration"]], where, "the duration")
        if not file or duration_s < 0:
            raise FormatError(f"{where}: expected a file and its duration in seconds, not {file!r} and {duration_s:g}")
        if durations.setdefault(file, duration_s) != duration_s:
            raise FormatError(
                f"{where}: {file} has two durations, {durations[file]:g} s and {duration_s:g} s; keep one"
            )
    return durations


def write_durations(path: Path, durations_s: Mapping[str, float]) -> None:
    """Write seconds by file atomically, sorted by file."""
    rows = [[escape_cell(file), figure(seconds)] for file, seconds in sorted(durations_s.items())]
    write_delimited(path, ("filename", "duration"), rows, delimiter="\t")


def _is_row(cells: Sequence[str]) -> bool:
    """Return whether a first line is a row of a list without a header: it has times in their columns."""
    if len(cells) not in (3, 4):
        return False
    try:
        float(cells[-3].replace(",", ".")), float(cells[-2].replace(",", "."))
    except ValueError:
        return False
    return True
