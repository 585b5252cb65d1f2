"""Which columns of a wide table fit side by side on a narrow terminal."""

from collections.abc import Sequence

WHOLE = 24
"""Cells of at most this many letters stay on one line; longer ones, names and sentences, may take several."""
_BESIDE = 3
"""Blanks and rules beside a column."""


def column_parts(widths: Sequence[int], width: int) -> list[list[int]]:
    """Return the columns of each part of a table: a terminal shows the parts one below the other.

    Parameters
    ----------
    widths
        Letters of the longest cell of each column.
    width
        Columns of letters of the terminal.

    Returns
    -------
    list of list of int
        Places of the columns, from 0, in order. Each part begins with the first column, which names the rows. A part
        has at least one more column, so that only a terminal that is narrower than both breaks their cells.

    Examples
    --------
    >>> column_parts([10, 20, 20, 20, 9], 80), column_parts([10, 20, 20], 80)
    ([[0, 1, 2], [0, 3, 4]], [[0, 1, 2]])
    """
    least = [min(cells, WHOLE) + _BESIDE for cells in widths]
    parts: list[list[int]] = [[0]]
    for place in range(1, len(widths)):
        if len(parts[-1]) > 1 and sum(least[column] for column in parts[-1]) + least[place] + 1 > width:
            parts.append([0])
        parts[-1].append(place)
    return parts
