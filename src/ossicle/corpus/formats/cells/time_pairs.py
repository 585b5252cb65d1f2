"""Tables with several pairs of columns of times, of which only one counts from the start of the recording."""

from collections.abc import Iterator

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key
from ossicle.corpus.formats.cells.event_columns import END, START

_SAME_S = 1e-3
# The words for the end that go with a word for the start.
_ENDS = {"start": ("end", "stop"), "onset": ("offset",), "begin": ("end", "stop"), "tmin": ("tmax",)}


def refuse_other_times(table: Delimited, start: int, end: int) -> None:
    """Refuse a table in which a second pair of columns states other times than the first.

    Parameters
    ----------
    table
        The table, with decimal points.
    start, end
        The columns that would be read.

    Raises
    ------
    FormatError
        A row has different times in two pairs: those of a clip and of its tape, for example.
    """
    scale = START[heading_key(table.header[start])]
    for other, other_end in _pairs(table):
        if other == start:
            continue
        other_scale = START[heading_key(table.header[other])]
        for line, cells in table.rows:
            a, b = _seconds(cells[start], scale), _seconds(cells[other], other_scale)
            if a is not None and b is not None and abs(a - b) > _SAME_S:
                first, second = table.header[start], table.header[other]
                raise FormatError(
                    f"{table.path}, line {line}: {first!r} is {a:g} s and {second!r} is {b:g} s, and only one of them "
                    f"can count from the start of the recording; remove the other pair of columns ({second!r} and "
                    f"{table.header[other_end]!r}, or {first!r} and {table.header[end]!r})"
                )


def _pairs(table: Delimited) -> Iterator[tuple[int, int]]:
    """Yield the columns of each start with that of its end."""
    columns = {heading_key(name): column for column, name in enumerate(table.header)}
    for key, column in columns.items():
        for word, ends in _ENDS.items():
            end = next((name for end in ends if (name := key.replace(word, end)) in columns and name != key), "")
            if key in START and end in END:
                yield column, columns[end]


def _seconds(text: str, scale: float) -> float | None:
    try:
        return float(text) * scale
    except ValueError:
        return None
