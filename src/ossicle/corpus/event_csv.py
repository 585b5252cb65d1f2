"""Events of many files as one plain table: ``file,start_time,end_time,label,score``.

Read with the column names of opensoundscape, DCASE (``filename onset offset event_label``), BirdNET and our own, as
CSV, tab-separated text or Parquet. A row with a file but neither times nor label says that the file was reviewed
and holds nothing. Cells that a spreadsheet would run as a formula are written with an apostrophe before them (OWASP,
"CSV Injection") and read without it.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ossicle.artefacts.files import write_text
from ossicle.core.errors import FormatError
from ossicle.corpus.selection import (
    RawSelection,
    check_times,
    checked_label,
    number,
    optional_number,
    parse_quality,
    read_text,
)

SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "filename", "audio_file", "begin path", "begin file", "path"),
    "start": ("start_time", "start_s", "onset", "start", "start (s)", "begin time (s)"),
    "end": ("end_time", "end_s", "offset", "end", "end (s)", "end time (s)"),
    "label": ("label", "event_label", "annotation", "common name", "species", "class"),
    "score": ("score", "confidence"),
    "low": ("low_f", "low_hz", "low freq (hz)"),
    "high": ("high_f", "high_hz", "high freq (hz)"),
    "quality": ("quality",),
}
# Also one that already has apostrophes before it, so that reading takes away exactly what writing added.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")


@dataclass(frozen=True, slots=True)
class EventTable:
    """The rows of a table, each with its file as ``begin_path`` ("" without a file column), and all files it names."""

    rows: tuple[RawSelection, ...]
    files: tuple[str, ...]


def write_events(path: Path, rows: Iterable[RawSelection]) -> None:
    """Write events as CSV, whole or absent, sorted by file and time; further columns where any row knows them.

    Those are ``low_f``, ``high_f`` and ``quality``. Times and figures have 6 decimals.
    """
    ordered = sorted(rows, key=lambda row: (row.begin_path, row.start_s, row.end_s, row.label))
    boxed = any(row.low_hz is not None or row.high_hz is not None for row in ordered)
    graded = any(row.quality is not None for row in ordered)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        ["file", "start_time", "end_time", "label", "score", *["low_f", "high_f"] * boxed, *["quality"] * graded]
    )
    for row in ordered:
        cells = [escape_cell(row.begin_path), f"{row.start_s:.6f}", f"{row.end_s:.6f}", escape_cell(row.label)]
        cells += [_figure(row.confidence)] + [_figure(row.low_hz), _figure(row.high_hz)] * boxed
        cells += ["" if row.quality is None else str(row.quality)] * graded
        writer.writerow(cells)
    write_text(path, out.getvalue())


def read_events(path: Path, *, label_column: str = "auto", default_label: str | None = None) -> EventTable:
    """Read a table of events; FormatError, naming file and line, for anything that cannot be read without guessing."""
    found: dict[str, str] | None = None
    rows: list[RawSelection] = []
    files: set[str] = set()
    for line, cells in _records(path):
        where = f"{path}, line {line}"
        if found is None:
            found = _find_columns(path, list(cells), label_column, default_label)
            continue
        texts = {name: (cells.get(column) or "").strip() for name, column in found.items()}
        file = unescape_cell(cells.get(found.get("file", "")) or "")
        if "file" in found and not file.strip():
            raise FormatError(f"{where}: the file is empty; name the recording")
        files.add(file)
        if not (texts["start"] or texts["end"] or texts.get("label")):
            continue
        start, end = number(texts["start"], where, "the start"), number(texts["end"], where, "the end")
        check_times(start, end, where)
        rows.append(
            RawSelection(
                start_s=start,
                end_s=end,
                label=checked_label(unescape_cell(texts.get("label", "")), default_label, where),
                low_hz=optional_number(texts.get("low", ""), where, "the low frequency"),
                high_hz=optional_number(texts.get("high", ""), where, "the high frequency"),
                quality=parse_quality(texts.get("quality", ""), where),
                confidence=optional_number(texts.get("score", ""), where, "the score"),
                begin_path=file,
            )
        )
    return EventTable(tuple(rows), tuple(sorted(files - {""})))


def is_events(path: Path) -> bool:
    """Whether a table's header has columns for start and end."""
    _, header = next(_records(path))
    return all(any(name in header for name in _COLUMNS[what]) for what in ("start", "end"))


def escape_cell(text: str) -> str:
    """A text that no spreadsheet runs as a formula.

    >>> escape_cell("=1+1")
    "'=1+1"
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_cell(text: str) -> str:
    """What :func:`escape_cell` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def _records(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Lines and cells by lower-case column name; the first is the header itself."""
    if path.suffix.lower() == ".parquet":
        try:
            frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            raise FormatError(f"{path}: is not a whole Parquet table; write it again") from None
        header = [name.strip().lower() for name in frame.columns]
        yield 1, dict.fromkeys(header)
        for count, values in enumerate(frame.iter_rows(), start=1):
            yield count, {n: None if v is None else str(v) for n, v in zip(header, values, strict=True)}
        return
    text = read_text(path)
    delimiter = "\t" if "\t" in text.split("\n", 1)[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        yield 1, dict.fromkeys(header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                raise FormatError(
                    f"{path}, line {reader.line_num}: has {len(cells)} cells for {len(header)} columns; quote the text"
                )
            yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as problem:
        raise FormatError(f"{path}, line {reader.line_num}: is not CSV ({problem}); check its quotes") from None


def _find_columns(path: Path, header: list[str], label_column: str, default_label: str | None) -> dict[str, str]:
    found = {
        name: next(column for column in columns if column in header)
        for name, columns in _COLUMNS.items()
        if any(column in header for column in columns)
    }
    if label_column.strip().lower() in header:
        found["label"] = label_column.strip().lower()
    needed = ["start", "end"] if default_label is not None else ["start", "end", "label"]
    for name in needed:
        if name not in found:
            raise FormatError(
                f"{path}, line 1: no column for the {name} (looked for {', '.join(_COLUMNS[name])}; "
                f"found: {', '.join(header) or 'none'}); rename one"
            )
    return found


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
