"""Tables with a row for each label: with very many rows, the worst are shown and the others can be unfolded."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ossicle.report.words import count

MOST_SHOWN = 40
"""Labels with a row in a table; with more labels the others are in a second table, which is closed at first."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class LongTable(Generic[Row]):
    """The rows of a table that are shown, those that are folded away, and a remark that says which are shown.

    ``rest`` and ``remark`` are empty if all rows are shown. ``noun``: what the rows are, in the plural.
    """

    shown: Sequence[Row]
    rest: Sequence[Row] = ()
    remark: str = ""
    noun: str = "labels"


def long_table(
    rows: Sequence[Row], figure: Callable[[Row], float | None], name: str, noun: str = "labels"
) -> LongTable[Row]:
    """Return the table of labels in the given order, or of more than :data:`MOST_SHOWN` the lowest figures first.

    Parameters
    ----------
    rows
        One row for each label.
    figure
        The figure by which labels are worst; those without one (None or NaN) come last.
    name
        What the figure is, for the remark: "F1".
    noun
        What the rows are, in the plural.

    Returns
    -------
    LongTable
        The rest is in the given order, in which a name is found.

    Examples
    --------
    >>> table = long_table([0.1 * (k % 7) for k in range(50)], float, "F1")
    >>> len(table.shown), len(table.rest), table.remark
    (40, 10, 'Of 50 labels, these 40 have the lowest F1.')
    """
    if len(rows) <= MOST_SHOWN:
        return LongTable(rows)
    order = sorted(range(len(rows)), key=lambda index: (_known_or_last(figure(rows[index])), index))
    worst = order[:MOST_SHOWN]
    remark = f"Of {count(len(rows))} {noun}, these {MOST_SHOWN} have the lowest {name}."
    rest = [rows[index] for index in sorted(order[MOST_SHOWN:])]
    return LongTable([rows[index] for index in worst], rest, remark, noun)


def _known_or_last(value: float | None) -> float:
    return math.inf if value is None or not math.isfinite(value) else value
