"""Read and write tables of the DCASE challenges: events, and durations of files. Scores: ``window_tables``.

Events are tab-separated ``filename onset offset event_label`` in seconds. Older lists have no header line, and lack the
file name if each file has its own list. A row with only a file means that the file contains no event (DESED).

Tables of few-shot bioacoustics have a column for each class, with ``POS``, ``NEG`` or ``UNK`` in each row; where the
class is not named, that column is ``Q``. ``NEG`` says that a stretch holds no call of the class, which is what a
reviewed recording says of every stretch without an event. ``UNK`` (unknown) cannot be held by an index, which would
make background of it, so it is refused. Columns that hold anything else, such as the site, are not read; a column of
words beside columns with other headings than ``Q`` may name the classes itself, so the table is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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
from ossicle.corpus.formats.cells.event_columns import (
    COLUMN_OPTION,
    END,
    NOT_CLASSES,
    PERHAPS_FILE,
    POSITIVE,
    QUERY,
    RAVEN_LABEL,
    START,
    UNKNOWN,
    file_columns,
    has_times,
    is_few_shot_column,
    is_unknown_column,
)
from ossicle.corpus.formats.cells.rows import RawSelection, number
from ossicle.corpus.formats.event_csv import events_of, without_rows
from ossicle.corpus.formats.event_table import EventTable

HEADER = ("filename", "onset", "offset", "event_label")
_NO_LABELS = (NOT_CLASSES - {*RAVEN_LABEL}) | PERHAPS_FILE


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


def is_few_shot(table: Delimited) -> bool:
    """Return whether a table of events has columns for classes that hold only POS, NEG and UNK.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    bool
        Whether there is a column of this kind; other columns may stand beside it.
    """
    return any(is_few_shot_column(table, column) for column in range(len(table.header)))


def read_few_shot(path: Path, *, default_label: str | None = None) -> EventTable:
    """Return the events of a table of few-shot bioacoustics: each ``POS``, with the heading of its column as the label.

    Parameters
    ----------
    path
        The table.
    default_label
        The class of a column ``Q``.

    Returns
    -------
    EventTable
        The events, and all recordings of the table.

    Raises
    ------
    FormatError
        A cell is ``UNK``, the class of a column ``Q`` is not given, another column may name the classes, or the table
        is malformed.
    """
    table = read_delimited(path, has_times)
    classes = {column: name for column, name in enumerate(table.header) if is_few_shot_column(table, column)}
    if QUERY not in map(heading_key, classes.values()):
        # Beside named classes, a column of UNK alone is another class.
        columns = range(len(table.header))
        classes = {
            column: table.header[column] for column in columns if column in classes or is_unknown_column(table, column)
        }
    for column, heading in classes.items():
        unknown = [line for line, cells in table.rows if cells[column].strip().casefold() == UNKNOWN]
        if unknown:
            raise FormatError(
                f"{path}, line {unknown[0]}: {heading!r} is UNK in {len(unknown)} of {len(table.rows)} rows, "
                "and their stretches would be learned and judged as background; replace them with POS or NEG, or leave "
                "their recordings out of the table and of the project ([corpus] exclude)"
            )
        if heading_key(heading) == QUERY and default_label is None:
            raise FormatError(
                f"{table.where}: the class that POS means in the column {heading!r} is not named; name it with "
                "--default-label ([corpus] default_label), or rename the column to it"
            )
    _refuse_other_labels(table, classes)
    times = [column for column, name in enumerate(table.header) if heading_key(name) in {*START, *END}]
    kept = [column for column in range(len(table.header)) if column not in classes]
    rows: list[tuple[int, tuple[str, ...]]] = []
    for line, cells in table.rows:
        called = [heading for column, heading in classes.items() if cells[column].strip().casefold() == POSITIVE]
        for heading in called:
            label = default_label if heading_key(heading) == QUERY and default_label else heading
            rows.append((line, (*(cells[column] for column in kept), label)))
        if not called:
            # A row with a file alone says that somebody listened to the file.
            rows.append((line, (*("" if column in times else cells[column] for column in kept), "")))
    header = (*(table.header[column] for column in kept), "label")
    return events_of(replace(table, header=header, rows=tuple(rows)))


def _refuse_other_labels(table: Delimited, classes: Mapping[int, str]) -> None:
    """Reject a table in which a column of words may name the class of each row, and no column is ``Q``."""
    if any(heading_key(heading) == QUERY for heading in classes.values()):
        return
    heading = next(iter(classes.values()), "")
    for column in sorted({*range(len(table.header))} - {*classes, *file_columns(table)}):
        name = table.header[column]
        if heading_key(name) in _NO_LABELS or not any(cells[column].strip()[:1].isalpha() for _, cells in table.rows):
            continue
        raise FormatError(
            f"{table.where}: the class may be {heading!r}, whose column holds POS and NEG, or be named in the column "
            f"{name!r}; in the first case remove {name!r}, in the second keep only the rows of calls and choose it "
            f"with {COLUMN_OPTION}"
        )


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
