"""Tables on disk: Parquet for Ossicle, CSV for people.

One writer, so that equal rows give equal bytes: sorted by key, one chunk, row groups of a fixed size, zstd.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import polars.selectors as cs
from polars.datatypes import DataType, DataTypeClass

from ossicle.artefacts.files import how_to_mend, whole_file
from ossicle.artefacts.filesystem.parquet_size import parquet_size
from ossicle.core.errors import ArtefactError
from ossicle.core.text.printable import printable

_ROW_GROUP = 1 << 17
# Far above the tables of the largest corpora that were tried; a table beyond them would fill the memory.
_MOST_VALUES = 2_000_000_000
_MOST_BYTES = 8 << 30
_DECIMALS = 6
# Spreadsheets run a cell that begins with one of these as a formula (OWASP, "CSV Injection").
_FORMULA = r"^[=+\-@\t\r]"
# Control characters that a terminal obeys, if somebody shows the file there.
_ORDER = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"


class TableTooLargeError(ValueError):
    """A Parquet table holds more than may be read; the message says how much."""


def write_table(path: Path, frame: pl.DataFrame, sort_by: Sequence[str] | None) -> None:
    """Write ``frame`` as Parquet, sorted by the key columns ``sort_by``, atomically; None: its rows are sorted.

    Rows with equal keys are ordered by the other columns (except nested ones), so the order of rows in ``frame`` does
    not affect the file (except for 0.0 and -0.0, which are equal). Categorical columns become text, because their codes
    depend on the order of appearance.

    Raises
    ------
    ValueError
        If a key column is missing.
    """
    missing = [name for name in sort_by or () if name not in frame.columns]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)} to sort by; there are: {', '.join(frame.columns)}")
    frame = frame.with_columns(cs.categorical().cast(pl.String))
    order: list[str] = []
    if sort_by is not None:
        ties = [name for name, kind in frame.schema.items() if name not in sort_by and not kind.is_nested()]
        order = [*sort_by, *ties]
    ordered = (frame.sort(order, maintain_order=True) if order else frame).rechunk()
    with whole_file(path) as part:
        ordered.write_parquet(part, compression="zstd", statistics=True, row_group_size=_ROW_GROUP)


def read_table(path: Path, schema: Mapping[str, DataType | DataTypeClass] | None = None) -> pl.DataFrame:
    """Return the table at ``path``; columns in ``schema`` come first, in its order, others follow.

    Damage to the structure is detected here, a flipped bit in the values by ``Shelf.verify``.

    Raises
    ------
    ArtefactError
        If the file is missing or damaged, lacks a column of ``schema``, or has another type in it.
    """
    path = Path(path)
    frame = _read_columns(path)
    if schema is None:
        return frame
    _require(path, frame.schema, schema)
    return frame.select([*schema, *(name for name in frame.columns if name not in schema)])


@dataclass(frozen=True)
class TableColumns:
    """The columns of a large table, read one at a time, so that only one is in memory as polars keeps it.

    ``TableColumns(path, schema)(name)`` returns a column as a polars series, with the errors of :func:`read_table`.
    """

    path: Path
    schema: Mapping[str, DataType | DataTypeClass]

    def __call__(self, name: str) -> pl.Series:
        """Return a column."""
        frame = _read_columns(self.path, [name])
        _require(self.path, frame.schema, {name: self.schema[name]})
        return frame.to_series()


def _read_columns(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Return a table, or some of its columns that exist; raises ArtefactError if it is missing or damaged."""
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; {how_to_mend(path)}")
    try:
        return read_parquet(path, _MOST_VALUES, _MOST_BYTES, columns)
    except (ValueError, OSError) as err:
        raise ArtefactError(f"{path} is not a whole Parquet table ({_first_line(err)}); {how_to_mend(path)}") from err


def _require(
    path: Path, present: Mapping[str, DataType | DataTypeClass], schema: Mapping[str, DataType | DataTypeClass]
) -> None:
    for name, kind in schema.items():
        if name not in present:
            raise ArtefactError(f"{path} has no column {name!r}; write it again with this version of Ossicle")
        if present[name] != kind:
            raise ArtefactError(
                f"{path}: column {name!r} is {present[name]}, not {kind}; write it again with this version of Ossicle"
            )


def read_parquet(path: Path, most_values: int, most_bytes: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a Parquet table that may come from others.

    Parameters
    ----------
    path
        The file.
    most_values
        The largest number of values in all columns.
    most_bytes
        The largest size of its pages in bytes, without compression.
    columns
        The columns to read; those that it does not have are left out. None: all.

    Raises
    ------
    TableTooLargeError
        The table is larger; it is not read then.
    ValueError
        It is damaged.
    OSError
        The file cannot be read, or is not a regular file.
    """
    size = parquet_size(path)
    if size.n_values > most_values or size.n_rows > most_values:
        raise TableTooLargeError(f"it holds {size.n_values} values in {size.n_rows} rows, more than {most_values}")
    if size.n_bytes > most_bytes:
        raise TableTooLargeError(f"it holds {size.n_bytes >> 20} MiB of data, more than {most_bytes >> 20}")
    try:
        # Brackets in file names and `key=value` folders have no special meaning.
        if columns is not None:
            present = pl.read_parquet(path, n_rows=0, glob=False, hive_partitioning=False).columns
            columns = [name for name in present if name in columns]
        return pl.read_parquet(path, columns=columns, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as err:
        raise ValueError(_first_line(err)) from err


def _first_line(err: BaseException) -> str:
    return (str(err).splitlines() or [type(err).__name__])[0]


def write_csv(path: Path, frame: pl.DataFrame, separator: str = ",") -> None:
    """Write ``frame`` as CSV (or with tabs as ``separator``), with figures rounded to 6 decimals, atomically.

    Text that a spreadsheet would run as a formula, including headings, gets a leading apostrophe; numbers never do.
    Control characters other than tabs and line ends are spelt out. Rows keep their order. Nested columns raise polars'
    ComputeError.
    """
    figures = cs.float().cast(pl.Float64).round(_DECIMALS)
    text = cs.string() | cs.categorical() | cs.enum()
    safe = frame.with_columns(
        # A figure that rounds to 0 has no sign: -0.0 becomes 0.0.
        pl.when(figures == 0).then(0.0).otherwise(figures).name.keep(),
        text.cast(pl.String).str.replace(f"({_FORMULA})", "'${1}"),
    )
    for column in safe.select(cs.string()).iter_columns():
        if column.str.contains(_ORDER).any():
            safe = safe.with_columns(
                pl.Series(column.name, [None if value is None else _spelt(value) for value in column])
            )
    headings = pl.Series(frame.columns, dtype=pl.String).str.replace(f"({_FORMULA})", "'${1}").to_list()
    with whole_file(path) as part:
        safe.rename(dict(zip(frame.columns, map(_spelt, headings), strict=True))).write_csv(part, separator=separator)


def _spelt(text: str) -> str:
    return re.sub(_ORDER, lambda match: printable(match.group()), text)
