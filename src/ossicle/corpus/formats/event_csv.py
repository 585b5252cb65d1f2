"""Events of many files as one plain table (CSV, tabs, Parquet): ``file,start_time,end_time,label,score``.

The column names of many programs are recognised (``columns.headings``). Times are seconds; columns with ``ms`` in
their names are milliseconds. Times in samples are rejected, since the table does not hold the rate. A row with a file
but neither times nor label means that the file was reviewed and contains nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from ossicle.artefacts.tables import write_table
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import (
    Delimited,
    escape_cell,
    figure,
    heading_key,
    read_delimited,
    write_delimited,
)
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.columns.choice import columns_of
from ossicle.corpus.formats.columns.headings import (
    CHANNEL,
    END,
    HIGH,
    LOW,
    QUALITY,
    RAVEN_END_FILE,
    RAVEN_OFFSET,
    RAVEN_START,
    SCORE,
    START,
    counts_samples,
    has_times,
    label_keys,
)
from ossicle.corpus.formats.columns.offset_advice import offset_advice
from ossicle.corpus.formats.columns.session_rows import session_rows
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths, SessionRow, place_in_files

SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_SESSION: Mapping[str, Sequence[str]] = {"offset": (RAVEN_OFFSET,), "end_file": RAVEN_END_FILE}
_KEYS: Mapping[str, Sequence[str]] = {
    "start": tuple(START),
    "end": tuple(END),
    "low": tuple(LOW),
    "high": tuple(HIGH),
    "score": SCORE,
    "quality": QUALITY,
    "channel": CHANNEL,
}


def read_events(
    path: Path, *, label_column: str = "auto", default_label: str | None = None, lengths: FileLengths = NO_LENGTHS
) -> EventTable:
    """Read a table of events.

    Parameters
    ----------
    path
        The table.
    label_column
        Name or number of the label column, several of these with commas, or ``auto``.
    default_label
        Label of rows without one.
    lengths
        Lengths of the recordings, for tables of Raven over several files.

    Raises
    ------
    FormatError
        Naming file and line, for anything that cannot be read without guessing.
    """
    table = read_delimited(path, has_times)
    return events_of(table, label_column=label_column, default_label=default_label, lengths=lengths)


def events_of(
    table: Delimited, *, label_column: str = "auto", default_label: str | None = None, lengths: FileLengths = NO_LENGTHS
) -> EventTable:
    """Return the events of a table of cells; see :func:`read_events`."""
    fields = table.fields(_KEYS)
    _require_times(table, fields)
    if heading_key(table.header[fields["start"]]) == RAVEN_START:
        fields |= table.fields(_SESSION)
    columns = columns_of(table, fields, label_keys(table.header), label_column, default_label, lengths)
    rows: list[SessionRow] = []
    named: set[str] = set()
    for line, cells in columns.table.rows:
        file = columns.file(cells)
        if columns.files and not file.strip():
            raise FormatError(f"{table.path}, line {line}: the file is empty; name the recording")
        named.add(file)
        if columns.states_event(cells):
            rows += session_rows(columns, line, cells)
    placed, notes = (
        place_in_files(table.path, rows, lengths)
        if columns.of_raven
        else ([row.row for row in rows if row.row.label], [])
    )
    names = named | {row.begin_path for row in placed}
    return EventTable(
        tuple(placed),
        tuple(sorted(names - {""})),
        columns.table.unread(columns.used),
        own=not columns.files,
        notes=(*notes, *columns.notes()),
    )


def write_events(path: Path, rows: Iterable[RawSelection], *, files: Sequence[str] = ()) -> None:
    """Write events as CSV atomically, sorted by file and time.

    The columns ``low_f``, ``high_f``, ``quality`` and ``channel`` are added if any row has a value. Times and figures
    have 6 decimals. A file of ``files`` without events gets a row with its name only.
    """
    ordered = sorted(rows, key=lambda row: (row.begin_path, row.start_s, row.end_s, row.label))
    boxed = any(row.low_hz is not None or row.high_hz is not None for row in ordered)
    graded = any(row.quality is not None for row in ordered)
    placed = any(row.channel is not None for row in ordered)
    header = ["file", "start_time", "end_time", "label", "score"]
    header += ["low_f", "high_f"] * boxed + ["quality"] * graded + ["channel"] * placed
    lines = []
    for row in ordered:
        cells = [escape_cell(row.begin_path), figure(row.start_s), figure(row.end_s), escape_cell(row.label)]
        cells += [figure(row.confidence)] + [figure(row.low_hz), figure(row.high_hz)] * boxed
        cells += [_whole_number(row.quality)] * graded + [_whole_number(row.channel)] * placed
        lines.append((row.begin_path, cells))
    lines += [(file, [escape_cell(file), *[""] * (len(header) - 1)]) for file in without_rows(files, ordered)]
    write_delimited(path, header, [cells for _, cells in sorted(lines, key=lambda line: line[0])])


def write_events_parquet(path: Path, rows: Iterable[RawSelection], *, files: Sequence[str] = ()) -> None:
    """Write events as Parquet with all columns of the CSV, times unrounded; atomically."""
    ordered = list(rows)
    names = ("start_s", "end_s", "label", "confidence", "low_hz", "high_hz", "quality", "channel")
    records = [(row.begin_path, *(getattr(row, name) for name in names)) for row in ordered]
    records += [(file, *[None] * len(names)) for file in without_rows(files, ordered)]
    schema = {
        "file": pl.String,
        "start_time": pl.Float64,
        "end_time": pl.Float64,
        "label": pl.String,
        "score": pl.Float64,
        "low_f": pl.Float64,
        "high_f": pl.Float64,
        "quality": pl.Int64,
        "channel": pl.Int64,
    }
    frame = pl.DataFrame(records, schema=schema, orient="row")
    write_table(path, frame, ["file", "start_time", "end_time", "label"])


def without_rows(files: Iterable[str], rows: Iterable[RawSelection]) -> list[str]:
    """Return the members of ``files`` that no row names, sorted."""
    return sorted(set(files) - {row.begin_path for row in rows})


def _require_times(table: Delimited, columns_found: Mapping[str, int]) -> None:
    """Reject a table without columns of start and end, and say why it has none."""
    listed = ", ".join(table.header) or "none"
    for quantity in ("start", "end"):
        if quantity in columns_found:
            continue
        if table.header and sum(bool(_NUMBER.fullmatch(name)) for name in table.header) >= 2:
            raise FormatError(
                f"{table.where}: has no headings (found: {listed}); put a line with the names of the columns above it, "
                "such as start_time, end_time, label"
            )
        if any(map(counts_samples, table.header)):
            raise FormatError(
                f"{table.where}: its times are in samples, and their rate is not known; divide them by the "
                f"rate and name the columns start_time and end_time (found: {listed})"
            )
        if offset := offset_advice(table.header):
            raise FormatError(f"{table.where}: no column for the start (found: {listed}); {offset}")
        raise FormatError(
            f"{table.where}: no column for the {quantity} (searched for {', '.join(_KEYS[quantity][:6])} and the like; "
            f"found: {listed}); rename one"
        )


def _whole_number(value: int | None) -> str:
    return "" if value is None else str(value)
