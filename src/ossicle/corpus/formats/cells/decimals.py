"""Numbers as spreadsheets write them: decimal commas, and cells that are no longer numbers.

A comma is a decimal comma if it cannot be anything else. Clock times and dates are rejected with what is meant by them,
since a spreadsheet may have made them of other numbers.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import Delimited

_COMMA = re.compile(r"[+-]?\d*,\d+|[+-]?\d+,")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINT = re.compile(r"[+-]?\d*\.\d*")


def with_decimal_points(table: Delimited, places: Collection[int] | None = None) -> Delimited:
    """Return a table whose numbers have decimal points; ``places`` are its columns of numbers (None: all).

    Raises
    ------
    FormatError
        Some numbers have points and others commas, or the commas could separate thousands.
    """

    def numeric(column: int) -> bool:
        return places is None or column in places

    def texts() -> Iterator[tuple[int, str]]:
        return (
            (line, cell.strip()) for line, cells in table.rows for column, cell in enumerate(cells) if numeric(column)
        )

    commas = [(line, text) for line, text in texts() if "," in text and _COMMA.fullmatch(text)]
    if not commas:
        return table
    line, text = commas[0]
    where = f"{table.path}, line {line}: {text!r}"
    if any(_POINT.fullmatch(cell) for _, cell in texts()):
        raise FormatError(f"{where} has a decimal comma, and other numbers have a point; write decimals with a dot")
    # Where the comma separates cells, or nothing does but tabs, it may also be that of 1,234 in English.
    if table.delimiter != ";" and all(_THOUSANDS.fullmatch(cell) for _, cell in commas):
        decimal, thousands = text.replace(",", "."), text.replace(",", "")
        raise FormatError(f"{where} could be {decimal} or {thousands}; write decimals with a dot")
    rows = tuple(
        (line, tuple(_pointed(cell) if numeric(column) else cell for column, cell in enumerate(cells)))
        for line, cells in table.rows
    )
    return replace(table, rows=rows)


def _pointed(cell: str) -> str:
    return cell.replace(",", ".") if _COMMA.fullmatch(cell.strip()) else cell
