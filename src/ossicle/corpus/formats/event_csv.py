"""Events of many files as one plain table (CSV, tabs, Parquet): ``file,start_time,end_time,label,score``.

The column names of opensoundscape, DCASE (``filename onset offset event_label``), BirdNET, crowsetta and Ossicle are
recognised. Times are seconds. Columns with ``ms`` in their names are milliseconds. Times in samples are rejected, since
the table does not hold the rate. A row with a file but neither times nor label means that the file was reviewed and
contains nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from ossicle.artefacts.tables import write_table
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import (
    Delimited,
    escape_cell,
    figure,
    read_delimited,
    unescape_cell,
    write_delimited,
)
from ossicle.corpus.formats.cells.rows import (
    RawSelection,
    check_band,
    check_times,
    checked_label,
    number,
    optional_number,
    parse_channel,
    parse_quality,
)
from ossicle.corpus.formats.event_table import EventTable

SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "filename", "file_name", "audio_file", "begin path", "begin file", "path", "filepath"),
    "start": ("start_time", "start_s", "onset", "onset_s", "start", "start (s)", "begin time (s)"),
    "end": ("end_time", "end_s", "offset", "offset_s", "end", "end (s)", "end time (s)"),
    "label": ("label", "event_label", "annotation", "common name", "common_name", "species", "class"),
    "score": ("score", "confidence"),
    "low": ("low_f", "low_hz", "low freq (hz)"),
    "high": ("high_f", "high_hz", "high freq (hz)"),
    "quality": ("quality",),
    "channel": ("channel",),
}
"""Possible names of each column, in lower case; the first existing one is used."""

_MILLISECONDS: Mapping[str, tuple[str, ...]] = {
    "start": ("start_ms", "onset_ms", "start (ms)", "begin time (ms)"),
    "end": ("end_ms", "offset_ms", "end (ms)", "end time (ms)"),
}
_SAMPLES = ("start_sample", "start_samples", "onset_sample", "onset_samples")


def read_events(path: Path, *, label_column: str = "auto", default_label: str | None = None) -> EventTable:
    """Read a table of events.

    Parameters
    ----------
    path
        The table.
    label_column
        Name of the label column, or ``auto``.
    default_label
        Label of rows without one.

    Raises
    ------
    FormatError
        Naming file and line, for anything that cannot be read without guessing.
    """
    return events_of(read_delimited(path), label_column=label_column, default_label=default_label)


def events_of(table: Delimited, *, label_column: str = "auto", default_label: str | None = None) -> EventTable:
    """Return the events of a table of cells; see :func:`read_events`."""
    found, scales = _find_columns(table, label_column, default_label)
    rows: list[RawSelection] = []
    files: set[str] = set()
    for line, cells in table.rows:
        where = f"{table.path}, line {line}"
        texts = {name: cells[place].strip() for name, place in found.items()}
        file = unescape_cell(cells[found["file"]]) if "file" in found else ""
        if "file" in found and not file.strip():
            raise FormatError(f"{where}: the file is empty; name the recording")
        files.add(file)
        if not (texts["start"] or texts["end"] or texts.get("label")):
            continue
        start = number(texts["start"], where, "the start") * scales["start"]
        end = number(texts["end"], where, "the end") * scales["end"]
        check_times(start, end, where)
        low = optional_number(texts.get("low", ""), where, "the low frequency")
        high = optional_number(texts.get("high", ""), where, "the high frequency")
        check_band(low, high, where)
        rows.append(
            RawSelection(
                start_s=start,
                end_s=end,
                label=checked_label(unescape_cell(texts.get("label", "")), default_label, where),
                low_hz=low,
                high_hz=high,
                quality=parse_quality(texts.get("quality", ""), where),
                confidence=optional_number(texts.get("score", ""), where, "the score"),
                begin_path=file,
                channel=parse_channel(texts.get("channel", ""), where),
            )
        )
    return EventTable(tuple(rows), tuple(sorted(files - {""})), table.unread(found.values()), own="file" not in found)


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
        cells += [_whole(row.quality)] * graded + [_whole(row.channel)] * placed
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


def is_events(header: Iterable[str]) -> bool:
    """Return whether these headings include columns for start and end."""
    names = {name.lower() for name in header}
    return all(names & {*COLUMNS[what], *_MILLISECONDS[what]} for what in ("start", "end"))


def has_label(header: Iterable[str]) -> bool:
    """Return whether these headings include a column for the label."""
    return not {name.lower() for name in header}.isdisjoint(COLUMNS["label"])


def _find_columns(
    table: Delimited, label_column: str, default_label: str | None
) -> tuple[dict[str, int], dict[str, float]]:
    """Return the index of each column that exists, and the factors that turn its times into seconds."""
    places = table.places()
    found = {
        what: next(places[name] for name in names if name in places)
        for what, names in COLUMNS.items()
        if any(name in places for name in names)
    }
    scales = {"start": 1.0, "end": 1.0}
    for what, names in _MILLISECONDS.items():
        if what not in found and (there := [name for name in names if name in places]):
            found[what], scales[what] = places[there[0]], 1e-3
    wanted = label_column.strip().lower()
    if wanted in places:
        found["label"] = places[wanted]
    elif wanted.isdecimal() and 1 <= int(wanted) <= len(table.header):
        found["label"] = int(wanted) - 1
    listed = ", ".join(table.header) or "none"
    for name in ["start", "end"] if default_label is not None else ["start", "end", "label"]:
        if name in found:
            continue
        if name != "label" and any(one in places for one in _SAMPLES):
            raise FormatError(
                f"{table.path}, line 1: its times are in samples, and their rate is not known; divide them by the "
                f"rate and name the columns start_time and end_time (found: {listed})"
            )
        raise FormatError(
            f"{table.path}, line 1: no column for the {name} (searched for {', '.join(COLUMNS[name])}; "
            f"found: {listed}); rename one"
        )
    return found, scales


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)
