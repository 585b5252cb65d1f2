"""Tables with several pairs of columns of times, of which only one counts from the start of the recording."""

from collections.abc import Iterator

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key
from ossicle.corpus.formats.columns.headings import END, START

# Times of one call may be rounded to hundredths in one pair and not in the other.
_SAME_S = 0.01
# The words for the end that go with a word for the start.
_ENDS = {"start": ("end", "stop"), "onset": ("offset",), "begin": ("end", "stop"), "tmin": ("tmax",)}


def refuse_other_times(table: Delimited, start: int, end: int) -> None:
    """Refuse a table in which a second pair of columns states other times than the first.

    Parameters
    ----------
    table
        The table.
    start, end
        The columns that would be read, with decimal points.

    Raises
    ------
    FormatError
        A row has different times in two pairs: those of a clip and of its tape, for example. Also if ``start`` and
        ``end`` are of different pairs.
    """
    pairs = list(_pairs(table))
    compared = {(start, column): START for column, _ in pairs} | {(end, column): END for _, column in pairs}
    for (read, other), scales in compared.items():
        scale, other_scale = (scales[heading_key(table.header[column])] for column in (read, other))
        for line, cells in table.rows if other != read else ():
            a, b = _seconds(cells[read], scale), _seconds(cells[other], other_scale)
            if a is not None and b is not None and abs(a - b) > _SAME_S:
                stated = sorted({start, end, *(column for pair in pairs for column in pair)})
                raise FormatError(
                    f"{table.path}, line {line}: {table.header[read]!r} is {a:g} s and {table.header[other]!r} is "
                    f"{b:g} s, and only one of them can count from the start of the recording; keep one start and its "
                    f"end, and remove the others of {', '.join(repr(table.header[column]) for column in stated)}"
                )


def _pairs(table: Delimited) -> Iterator[tuple[int, int]]:
    """Yield the columns of each start with those of ends that may go with it."""
    columns = {heading_key(name): column for column, name in enumerate(table.header)}
    for key, column in columns.items():
        for word, ends in _ENDS.items() if key in START else ():
            for name in dict.fromkeys(key.replace(word, end) for end in ends):
                if name in columns and name in END:
                    yield column, columns[name]


def _seconds(text: str, scale: float) -> float | None:
    try:
        # Only the columns that are read have decimal points by now.
        return float(text.replace(",", ".")) * scale
    except ValueError:
        return None
