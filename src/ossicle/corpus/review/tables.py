"""Review tables: writing them for a person, and reading them back.

    DIR/export.json                         record of the export; the tables are compared with it
    DIR/site A/tape.Table.1.selections.txt  Raven, a table for each recording
    DIR/site A/tape.txt                     Audacity, a label track for each recording
    DIR/review.csv                          one table of all recordings

In every format a row labelled ``(look) ...`` marks a stretch to check as a whole. If it is still there when the table
comes back, the rows inside it are all events of the stretch; if it was deleted, the stretch was not checked. A row
labelled ``?`` is a stretch about which the reviewer cannot decide.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import file_digest, read_json, write_json
from ossicle.core.errors import ArtefactError, FormatError, UsageError
from ossicle.corpus.formats.audacity import read_audacity, write_audacity
from ossicle.corpus.formats.cells.delimited import escape_cell, figure, write_delimited
from ossicle.corpus.formats.cells.rows import RawSelection, cell_text
from ossicle.corpus.formats.cells.text_files import read_text, split_lines
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.raven import read_raven
from ossicle.corpus.naming.table_names import table_places, writable
from ossicle.corpus.review.selection import Look, Row

LOOK, UNSURE = "(look)", "?"
EXPORT = "export.json"
CSV = "review.csv"
FORMAT_VERSION = 1
# A comma stands between numbers or before decimals.
_NUMBERS = tuple(re.compile(rf"[-+]?\d+(?:{mark}\d+)?(?:[eE][-+]?\d+)?") for mark in (r"\.", ","))
_SAME_TIME_S = 1e-6
_RAVEN_COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"),
    *("Begin File", "Annotation", "Score", "Quality", "Reason"),
)
_CSV_COLUMNS = ("file", "start_time", "end_time", "label", "score", "low_f", "high_f", "quality", "reason")


def is_look(label: str) -> bool:
    """Return whether the label of a row marks a stretch to check; spreadsheets may write its first letter large.

    Parameters
    ----------
    label
        The label.

    Returns
    -------
    bool
        Whether it begins with the mark, in any case.

    Examples
    --------
    >>> is_look("(Look) best"), is_look("looked")
    (True, False)
    """
    return label.casefold().startswith(LOOK)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The exported rows of one recording."""

    recording_id: str
    path: str
    digest: str
    duration_s: float
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """One export: its id, its origin (``provenance``), the labels and the sheets.

    Rows without frequencies are drawn from 0 to ``high_hz`` in Raven. ``tables`` maps each file to its digest.
    """

    id: str
    provenance: Mapping[str, str]
    labels: tuple[str, ...]
    high_hz: float
    sheets: tuple[Sheet, ...]
    tables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Returned:
    """The rows of one recording in a returned table, and whether the table is unchanged."""

    file: Path
    rows: tuple[RawSelection, ...]
    unchanged: bool


def write_export(folder: Path, export: Export, formats: Sequence[str]) -> None:
    """Write the tables of an export in the given formats (see :data:`FORMATS`), and ``export.json`` last."""
    tables: dict[str, str] = {}
    for name in formats:
        for file, sheets in _files(export, name).items():
            FORMATS[name].write(folder / file, sheets, export.high_hz)
            tables[file] = file_digest(folder / file)
    write_json(folder / EXPORT, {"format": FORMAT_VERSION, **asdict(export), "tables": tables})


def read_export(folder: Path) -> Export:
    """Read the record of an export; raises UsageError if there is none, FormatError if it is damaged."""
    file = folder / EXPORT
    if not file.is_file():
        raise UsageError(f"{folder} contains no {EXPORT}: give the folder that `ossicle review export` wrote")
    try:
        value = read_json(file)
    except ArtefactError as problem:
        raise FormatError(f"{problem}; it is needed to compare the tables") from None
    try:
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"its format is {value['format']!r}, not {FORMAT_VERSION}")
        return Export(
            id=str(value["id"]),
            provenance={str(key): str(values) for key, values in value["provenance"].items()},
            labels=tuple(str(label) for label in value["labels"]),
            high_hz=float(value["high_hz"]),
            sheets=tuple(_sheet(sheet) for sheet in value["sheets"]),
            tables={str(key): str(values) for key, values in value["tables"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise FormatError(f"{file}: is not the record of an export ({problem}); restore it as it was written") from None


def read_returned(folder: Path, export: Export) -> dict[str, list[Returned]]:
    """Return the content of each existing table, by recording id; raises FormatError, with file and line, for bad
    ones.
    """
    returned: dict[str, list[Returned]] = {sheet.recording_id: [] for sheet in export.sheets}
    for name, known in FORMATS.items():
        for file, sheets in _files(export, name).items():
            path = folder / file
            if file not in export.tables or not path.exists():
                continue
            rows = known.read(path)
            same = file_digest(path) == export.tables[file]
            if name == "csv":
                rows = _with_exported_paths(rows, sheets)
                _require_known(path, rows, sheets)
            for sheet in sheets:
                sheet_rows = tuple(row for row in rows if name != "csv" or row.begin_path == writable(sheet.path))
                unchanged = same or (name == "csv" and _same_rows(sheet_rows, rows_of(sheet)))
                returned[sheet.recording_id].append(Returned(path, sheet_rows, unchanged))
    return returned


def rows_of(sheet: Sheet) -> list[Row]:
    """Return the rows of a sheet as exported: each stretch to check, then its events."""
    exported: list[Row] = []
    for look in sheet.looks:
        exported += [Row(look.start_s, look.end_s, f"{LOOK} {', '.join(look.reasons)}", None, ""), *look.rows]
    return exported


def _write_raven(path: Path, sheets: Sequence[Sheet], high_hz: float) -> None:
    (sheet,) = sheets
    lines = []
    for number, row in enumerate(rows_of(sheet), start=1):
        box = (row.low_hz or 0.0, high_hz if row.high_hz is None else row.high_hz)
        times = [figure(value) for value in (row.start_s, row.end_s, *box)]
        name = cell_text(writable(sheet.path.rpartition("/")[2]), "the file name")
        values = [name, cell_text(row.label, "the label"), figure(row.score), _whole_number(row.quality), row.reason]
        lines.append([str(number), "Spectrogram 1", "1", *times, *values])
    write_delimited(path, _RAVEN_COLUMNS, lines, delimiter="\t")


def _write_audacity(path: Path, sheets: Sequence[Sheet], high_hz: float) -> None:
    (sheet,) = sheets
    write_audacity(path, [RawSelection(row.start_s, row.end_s, row.label) for row in rows_of(sheet)])


def _write_csv(path: Path, sheets: Sequence[Sheet], high_hz: float) -> None:
    lines = []
    for sheet in sheets:
        for row in rows_of(sheet):
            cells = [escape_cell(writable(sheet.path)), figure(row.start_s), figure(row.end_s), escape_cell(row.label)]
            cells += [
                figure(row.score),
                figure(row.low_hz),
                figure(row.high_hz),
                _whole_number(row.quality),
                row.reason,
            ]
            lines.append(cells)
    write_delimited(path, _CSV_COLUMNS, lines)


def _read_audacity(path: Path) -> list[RawSelection]:
    return read_audacity(path)


@dataclass(frozen=True, slots=True)
class _Format:
    ending: str
    write: Callable[[Path, Sequence[Sheet], float], None]
    read: Callable[[Path], Sequence[RawSelection]]


FORMATS: Mapping[str, _Format] = {
    "raven": _Format(".Table.1.selections.txt", _write_raven, read_raven),
    "audacity": _Format(".txt", _write_audacity, _read_audacity),
    "csv": _Format("", _write_csv, lambda path: read_events(path).rows),
}


def _files(export: Export, name: str) -> dict[str, tuple[Sheet, ...]]:
    """Return the files of a format, and the sheets in each."""
    if name == "csv":
        return {CSV: export.sheets}
    places = table_places(sheet.path for sheet in export.sheets)
    ending = FORMATS[name].ending
    return {f"{places[sheet.path].as_posix()}{ending}": (sheet,) for sheet in export.sheets}


def _with_exported_paths(rows: Iterable[RawSelection], sheets: Sequence[Sheet]) -> list[RawSelection]:
    """Return rows with their files spelled as exported: programs on a Mac save an ``é`` as two characters."""
    exported_paths = [writable(sheet.path) for sheet in sheets]
    composed = {unicodedata.normalize("NFC", path): path for path in exported_paths}
    composed |= {path: path for path in exported_paths}
    return [
        replace(
            row,
            begin_path=composed.get(row.begin_path)
            or composed.get(unicodedata.normalize("NFC", row.begin_path), row.begin_path),
        )
        for row in rows
    ]


def _require_known(path: Path, rows: Iterable[RawSelection], sheets: Sequence[Sheet]) -> None:
    known = {writable(sheet.path) for sheet in sheets}
    for row in rows:
        if row.begin_path not in known:
            place = line_of(path, row.begin_path, (row.start_s, row.end_s))
            raise FormatError(
                f"{place}: the file {row.begin_path!r} is not part of this export; write it as it was, or remove the "
                "row"
            )


def line_of(path: Path, text: str, times_s: Sequence[float] = ()) -> str:
    """Return ``path`` with the number of the line of a row, for messages.

    Parameters
    ----------
    path
        A table that was read.
    text
        What the line contains: the label of the row, or its file.
    times_s
        Times of the row, in seconds; the line contains these numbers too.

    Returns
    -------
    str
        Without a number if no line contains ``text``; with that of the first line that does, if none has the times.
    """
    lines = split_lines(unicodedata.normalize("NFC", read_text(path)))
    containing = [(number, line) for number, line in enumerate(lines, start=1) if text in line]
    if not containing:
        return str(path)
    fits = (number for number, line in containing if _contains_times(line, times_s))
    return f"{path}, line {next(fits, containing[0][0])}"


def _contains_times(line: str, times_s: Sequence[float]) -> bool:
    """Return whether a line contains all these numbers, with a dot or a comma before their decimals."""
    numbers = [float(number.replace(",", ".")) for pattern in _NUMBERS for number in pattern.findall(line)]
    return all(any(abs(number - time_s) <= _SAME_TIME_S for number in numbers) for time_s in times_s)


def _same_rows(returned: Sequence[RawSelection], exported: Sequence[Row]) -> bool:
    return sorted(map(_key, returned)) == sorted(map(_key, exported))


def _key(row: RawSelection | Row) -> tuple[str, str, str]:
    return f"{row.start_s:.6f}", f"{row.end_s:.6f}", row.label


def _sheet(value: Mapping[str, Any]) -> Sheet:
    recording_id, path, digest = (str(value[name]) for name in ("recording_id", "path", "digest"))
    looks = tuple(_read_look(look) for look in value["looks"])
    return Sheet(recording_id, path, digest, float(value["duration_s"]), looks)


def _read_look(value: Mapping[str, Any]) -> Look:
    reasons, rows = tuple(str(reason) for reason in value["reasons"]), tuple(_row(row) for row in value["rows"])
    return Look(float(value["start_s"]), float(value["end_s"]), reasons, rows)


def _row(value: Mapping[str, Any]) -> Row:
    start_s, end_s = float(value["start_s"]), float(value["end_s"])
    score, low, high = (None if value[key] is None else float(value[key]) for key in ("score", "low_hz", "high_hz"))
    quality = None if value["quality"] is None else int(value["quality"])
    return Row(start_s, end_s, str(value["label"]), score, str(value["reason"]), low, high, quality)


def _whole_number(value: int | None) -> str:
    return "" if value is None else str(value)
