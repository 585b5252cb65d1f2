"""Tables with a header line as cells of text: CSV with commas, semicolons, tabs or vertical bars, and Parquet.

Cells that a spreadsheet would run as a formula are written with an apostrophe in front (OWASP, "CSV Injection");
reading removes it.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ossicle.artefacts.files import write_text
from ossicle.artefacts.filesystem.reading import MOST_TABLE_BYTES
from ossicle.artefacts.tables import TableTooLargeError, read_parquet
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.dialect import Dialect, find_dialect, has_blanks_before_quotes, plain_records
from ossicle.corpus.formats.cells.heading_text import same_heading
from ossicle.corpus.formats.cells.rows import refuse_orders
from ossicle.corpus.formats.cells.text_files import read_text

# Also matches cells that already begin with apostrophes, so that reading removes exactly what writing added.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
MOST_CELLS = 50_000_000
"""The most cells of a Parquet table: three million events in 16 columns."""
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")
_MARKS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Delimited:
    """A table: its headings as written, without outer blanks, and its rows as (line, cells), one cell per heading.

    Rows of Parquet tables are numbered as if under a header line. ``header_line`` counts from 1; ``delimiter`` is the
    character between cells.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    header_line: int = 1
    delimiter: str = ","

    @property
    def where(self) -> str:
        """The file and the line of the headings, for messages."""
        return f"{self.path}, line {self.header_line}"

    def places(self) -> dict[str, int]:
        """Return the column index of each heading in lower case; raises FormatError for a duplicate heading."""
        columns: dict[str, int] = {}
        for column, name in enumerate(self.header):
            key = same_heading(name)
            if key and key in columns:
                raise FormatError(f"{self.where}: there are two columns {name!r}; rename one")
            columns[key] = column
        return columns

    def find(self, keys: Iterable[str]) -> int | None:
        """Return the index of the first column whose heading fits a key (:func:`heading_key`), tried in turn.

        Raises FormatError if two columns fit the same key.
        """
        headings = [heading_key(name) for name in self.header]
        for key in keys:
            fits = [column for column, name in enumerate(headings) if name == key]
            if len(fits) > 1:
                raise FormatError(f"{self.where}: there are two columns {self.header[fits[1]]!r}; rename one")
            if fits:
                return fits[0]
        return None

    def fields(self, keys: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Return the columns of fields by the name of the field; ``keys`` are the keys of each, as in :meth:`find`."""
        return {name: column for name, headings in keys.items() if (column := self.find(headings)) is not None}

    def column(self, stated: str) -> int | None:
        """Return the index of the column that a user calls ``stated``: its heading, in any case, or its number from 1.

        Raises FormatError if two headings fit, and none of them exactly.
        """
        wanted_column = stated.strip()
        for fits in (
            [column for column, name in enumerate(self.header) if name == wanted_column],
            [column for column, name in enumerate(self.header) if same_heading(name) == same_heading(wanted_column)],
        ):
            if len(fits) > 1:
                raise FormatError(f"{self.where}: there are two columns {wanted_column!r}; rename one")
            if fits:
                return fits[0]
        if wanted_column.isdecimal() and 1 <= int(wanted_column) <= len(self.header):
            return int(wanted_column) - 1
        return None

    def first_column(self, stated: str) -> int | None:
        """Return the index of the column that a user calls ``stated``, or of the first of several names with commas.

        Tables of several people may name their columns differently.

        Parameters
        ----------
        stated
            The name or number of a column, or several with commas. A heading that contains commas itself comes first.

        Returns
        -------
        int or None
            None if the table has none of them. No name, as behind a last comma, is that of no column.

        Raises
        ------
        FormatError
            Two headings fit a name, and none of them exactly.
        """
        for name in stated_names(stated):
            if (column := self.column(name)) is not None:
                return column
        return None

    def unread(self, used: Collection[int]) -> Mapping[str, int]:
        """Return by heading the number of non-empty cells in the columns outside ``used``."""
        counts = Counter(
            column for _, cells in self.rows for column, cell in enumerate(cells) if column not in used and cell.strip()
        )
        return {self.title(column): count for column, count in sorted(counts.items())}

    def title(self, column: int) -> str:
        """Return the heading of a column, or its number from 1 if it has none, for messages."""
        return self.header[column] or f"column {column + 1}"


def stated_names(stated: str) -> tuple[str, ...]:
    """Return the names of columns that a user may mean by ``stated``: the whole of it, then its parts between commas.

    Parameters
    ----------
    stated
        What the user wrote.

    Returns
    -------
    tuple of str
        The names without outer blanks, and without empty ones.

    Examples
    --------
    >>> stated_names("Call type, Species,")
    ('Call type, Species,', 'Call type', 'Species')
    """
    return tuple(name.strip() for name in (stated, *stated.split(",")) if name.strip())


def heading_key(name: str) -> str:
    """Return the form in which headings are compared: case and marks do not count.

    >>> heading_key("Begin Time (s)"), heading_key("Begin.Time..s."), heading_key("TOP1MATCH*")
    ('begin_time_s', 'begin_time_s', 'top1match')
    """
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFC", name).casefold()).strip("_")


def with_columns(*names: str) -> Callable[[Sequence[str]], bool]:
    """Return what recognises headings that include all of these names, as far as they are not empty.

    >>> with_columns("filename", "")(["# Filename", "species"]), with_columns("filename")(["made by hand, 2024"])
    (True, False)
    """
    keys = {key for name in names if (key := heading_key(name))}
    return lambda header: keys <= set(map(heading_key, header))


def read_delimited(
    path: Path,
    is_header: Callable[[Sequence[str]], bool] | None = None,
    *,
    plain: bool = False,
    below_titles: bool = False,
) -> Delimited:
    """Read a table, as Parquet if its suffix says so.

    Parameters
    ----------
    path
        The table.
    is_header, below_titles
        Recognises the headings, if lines may stand before them (``dialect.find_dialect``).
    plain
        Whether quotes count only around a whole cell, as in tables of Raven; else the rules of CSV hold.

    Raises
    ------
    FormatError
        Naming file and line, if the table is damaged or its rows differ in length.
    """
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    text = read_text(path)
    dialect = find_dialect(text, is_header, below_titles=below_titles)
    records = plain_records(text, dialect) if plain else _csv_records(path, text, dialect)
    header_line, names = next(records, (1, []))
    header = [name.strip() for name in names]
    if header == [""]:
        header = []
    rows = [(line, cells) for line, cells in records if any(cell.strip() for cell in cells)]
    # R writes the number of each row before its cells, without a heading.
    if rows and _numbered_by_r(header, [cells for _, cells in rows]):
        header = ["", *header]
    full = []
    for line, cells in rows:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise FormatError(
                f"{path}, line {line}: has {len(cells)} cells for {len(header)} columns; quote the text, or check the "
                f"{_MARKS.get(dialect.delimiter, dialect.delimiter)}"
            )
        full.append((line, (*cells[: len(header)], *[""] * (len(header) - len(cells)))))
    return Delimited(path, tuple(header), tuple(full), header_line, dialect.delimiter)


def read_header(path: Path, text: str, is_header: Callable[[Sequence[str]], bool] | None = None) -> tuple[str, ...]:
    """Return the headings of a table with this ``text`` (Parquet tables are opened instead), without outer blanks."""
    if path.suffix.lower() == ".parquet":
        return tuple(name.strip() for name in _parquet_frame(path).columns)
    dialect = find_dialect(text, is_header)
    plain = path.suffix.lower() == ".txt"
    records = plain_records(text, dialect) if plain else _csv_records(path, text, dialect)
    return tuple(name.strip() for name in next(records, (1, []))[1])


def write_delimited(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> None:
    """Write a table of cells atomically: CSV with CR LF (RFC 4180), tab-separated text with LF.

    Cells are written unchanged: escape cells that contain text from others (:func:`escape_cell`). Control characters
    other than tabs and line ends are refused, because a terminal that shows the table would obey them.

    Raises
    ------
    FormatError
        A cell contains such a control character.
    """
    buffer = io.StringIO()
    # Line ends of both kinds are quoted only where they are those of the writer, so lines are ended afterwards.
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    lines: list[str] = []
    for cells in (header, *rows):
        for cell in cells:
            refuse_orders(cell, f"{path}:")
        writer.writerow(cells)
        lines.append(buffer.getvalue() if delimiter == "," else buffer.getvalue().removesuffix("\r\n") + "\n")
        buffer.seek(0)
        buffer.truncate()
    write_text(path, "".join(lines))


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


def _numbered_by_r(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether each row has one cell more than there are headings, and these number the rows."""
    if not header or heading_key(header[0]) in ("", "id", "selec", "selection"):
        return False
    return all(len(cells) == len(header) + 1 and cells[0] == str(k) for k, cells in enumerate(rows, start=1))


def _csv_records(path: Path, text: str, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    stream = io.StringIO(text, newline="")
    for _ in range(dialect.skipped):
        stream.readline()
    # Blanks at the beginning of other cells are kept: names of files may have them.
    skips_blanks = has_blanks_before_quotes(text, dialect.delimiter)
    reader = csv.reader(stream, delimiter=dialect.delimiter, strict=True, skipinitialspace=skips_blanks)
    try:
        for cells in reader:
            yield reader.line_num + dialect.skipped, cells
    except csv.Error as problem:
        line = reader.line_num + dialect.skipped
        raise FormatError(f"{path}, line {line}: is not CSV ({problem}); check its quotes") from None


def _parquet_frame(path: Path) -> pl.DataFrame:
    try:
        frame = read_parquet(path, MOST_CELLS, MOST_TABLE_BYTES)
    except OSError as problem:
        raise FormatError(f"{path}: cannot be read ({problem.strerror or problem})") from None
    except TableTooLargeError as problem:
        raise FormatError(f"{path}: {problem}; divide the table") from None
    except ValueError as problem:
        raise FormatError(f"{path}: is not a complete Parquet table ({problem}); write it again") from None
    # Equal texts are stored once and are not once in a table of cells.
    n_bytes = sum(_text_bytes(path, column) for column in frame.iter_columns())
    if n_bytes > MOST_TABLE_BYTES:
        raise FormatError(
            f"{path}: its cells hold {n_bytes >> 20} MiB of text, more than {MOST_TABLE_BYTES >> 20}; divide the table"
        )
    return frame


def _text_bytes(path: Path, column: pl.Series) -> int:
    """Return how many bytes of text the cells of a column hold; raises FormatError for cells that hold tables."""
    if isinstance(column.dtype, pl.List):
        column = column.explode(empty_as_null=False)
    if column.dtype.is_nested():
        raise FormatError(f"{path}: the cells of column {column.name!r} hold further tables; remove the column")
    if column.dtype == pl.String:
        return int(column.str.len_bytes().sum() or 0)
    return int(column.bin.size().sum() or 0) if column.dtype == pl.Binary else 0


def _read_parquet(path: Path) -> Delimited:
    frame = _parquet_frame(path)
    rows = tuple(
        (line, tuple("" if value is None else str(value) for value in values))
        for line, values in enumerate(frame.iter_rows(), start=2)
    )
    return Delimited(path, tuple(name.strip() for name in frame.columns), rows)
