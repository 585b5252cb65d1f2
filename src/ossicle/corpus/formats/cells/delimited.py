"""Tables with a header line as cells of text: CSV, tab-separated text and Parquet.

Cells that a spreadsheet would run as a formula are written with an apostrophe in front (OWASP, "CSV Injection");
reading removes it.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ossicle.artefacts.files import write_text
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.rows import read_text

# Also matches cells that already begin with apostrophes, so that reading removes exactly what writing added.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")


@dataclass(frozen=True, slots=True)
class Delimited:
    """A table: its headings as written, without outer blanks, and its rows as (line, cells), one cell per heading.

    Rows of Parquet tables are numbered as if under a header line.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def places(self) -> dict[str, int]:
        """Return the column index of each heading in lower case; raises FormatError for a duplicate heading."""
        found: dict[str, int] = {}
        for place, name in enumerate(self.header):
            key = name.strip().lower()
            if key and key in found:
                raise FormatError(f"{self.path}, line 1: there are two columns {name!r}; rename one")
            found[key] = place
        return found

    def unread(self, used: Collection[int]) -> Mapping[str, int]:
        """Return by heading the number of non-empty cells in the columns outside ``used``."""
        said = Counter(
            place for _, cells in self.rows for place, cell in enumerate(cells) if place not in used and cell.strip()
        )
        return {self.header[place] or f"column {place + 1}": count for place, count in sorted(said.items())}


def read_delimited(path: Path) -> Delimited:
    """Read a table, as Parquet if its suffix says so.

    Raises
    ------
    FormatError
        Naming file and line, if the table is damaged or its rows differ in length.
    """
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    records = _records(path, read_text(path))
    _, names = next(records, (1, []))
    header = tuple(name.strip() for name in names)
    rows = []
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            raise FormatError(f"{path}, line {line}: has {len(cells)} cells for {len(header)} columns; quote the text")
        rows.append((line, (*cells, *[""] * (len(header) - len(cells)))))
    return Delimited(path, header, tuple(rows))


def read_header(path: Path, text: str) -> tuple[str, ...]:
    """Return the headings of a table with this ``text`` (Parquet tables are opened instead), without outer blanks."""
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path).header
    return tuple(name.strip() for name in next(_records(path, text), (1, []))[1])


def write_delimited(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> None:
    """Write a table of cells atomically: CSV with CR LF (RFC 4180), tab-separated text with LF.

    Cells are written unchanged: escape cells that contain text from others (:func:`escape_cell`).
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if delimiter == "," else "\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, out.getvalue())


def escape_cell(text: str) -> str:
    """Escape a text so that no spreadsheet runs it as a formula.

    >>> escape_cell("=1+1")
    "'=1+1"
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_cell(text: str) -> str:
    """Undo :func:`escape_cell`."""
    return text[1:] if _ESCAPED.match(text) else text


def figure(value: float | None) -> str:
    """Return a cell for a figure: 6 decimals, empty for None."""
    return "" if value is None else f"{value:.6f}"


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    delimiter = "\t" if "\t" in text.split("\n", 1)[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as problem:
        raise FormatError(f"{path}, line {reader.line_num}: is not CSV ({problem}); check its quotes") from None


def _read_parquet(path: Path) -> Delimited:
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise FormatError(f"{path}: is not a complete Parquet table; write it again") from None
    rows = tuple(
        (line, tuple("" if value is None else str(value) for value in values))
        for line, values in enumerate(frame.iter_rows(), start=2)
    )
    return Delimited(path, tuple(name.strip() for name in frame.columns), rows)
