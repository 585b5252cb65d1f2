"""Several tables of one recording: copies, layers, and contradictions.

One rule holds wherever annotations are read. Tables with the same rows are read once. Tables that Raven numbers
(Table.1, Table.2) are layers, whose rows add up. Other tables add up too if they describe different calls; they
contradict each other if one says that there are none, if they share a stretch but not all rows, or if calls of one
label overlap.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.naming.table_names import layer_of
from ossicle.corpus.notes import Note

_SAME_S = 1e-6

Rows = list[RawSelection]

COMBINED = frozenset({"same_table", "layers"})
"""Kinds of the notes on tables that were combined; nothing is missing because of them."""


@dataclass(frozen=True, slots=True)
class Combined:
    """The rows of all tables of a recording, and notes on copies and layers."""

    rows: Rows
    notes: tuple[Note, ...] = ()


def combine(recording: str, tables: Sequence[tuple[str, Rows]], folder: Path) -> Combined:
    """Return the rows of all tables (name, rows) of one recording.

    Parameters
    ----------
    recording
        The name of the recording, for messages.
    tables
        The tables, by their paths below ``folder``.
    folder
        The input, for messages.

    Raises
    ------
    FormatError
        Two tables contradict each other.
    """
    if len(tables) == 1:
        return Combined(tables[0][1])
    notes: list[Note] = []
    distinct: list[tuple[str, Rows]] = []
    for name, rows in tables:
        twin = next((k for k, (_, other) in enumerate(distinct) if _same(other, rows)), None)
        if twin is None:
            distinct.append((name, rows))
            continue
        notes.append(
            Note("same_table", name, f"says the same about {recording} as {distinct[twin][0]} and was read once")
        )
        distinct[twin] = (distinct[twin][0], max(distinct[twin][1], rows, key=_knowledge))
    for (first_name, a), (other, b) in combinations(distinct, 2):
        if not _are_layers(first_name, other) and (difference := _contradiction(a, b)):
            raise FormatError(
                f"{folder}: {first_name} and {other} contradict each other for {recording}: {difference}; keep one, "
                "or put the rows that hold into one table"
            )
    if len(distinct) > 1:
        listed = ", ".join(name for name, _ in distinct)
        notes.append(
            Note("layers", distinct[0][0], f"{len(distinct)} tables describe {recording} and were added up: {listed}")
        )
    return Combined([row for _, rows in distinct for row in rows], tuple(notes))


def _are_layers(first: str, other: str) -> bool:
    """Return whether two names are those of differently numbered tables of Raven."""
    numbers = {layer_of(first), layer_of(other)}
    return None not in numbers and len(numbers) == 2


def _contradiction(a: Rows, b: Rows) -> str:
    """Return why two tables cannot both hold, "" if they can."""
    if not a or not b:
        return "one of them says that nothing was found"
    for row, other in _overlapping(a, b):
        same = abs(row.start_s - other.start_s) <= _SAME_S and abs(row.end_s - other.end_s) <= _SAME_S
        if same and row.label == other.label:
            return f"both hold {_row_in_words(row)}, but not the same rows in all"
        if same or row.label == other.label:
            return f"one holds {_row_in_words(row)}, the other {_row_in_words(other)}"
    return ""


def _row_in_words(row: RawSelection) -> str:
    return f"{row.label!r} from {row.start_s:g} to {row.end_s:g} s"


def _overlapping(a: Rows, b: Rows) -> Iterator[tuple[RawSelection, RawSelection]]:
    """Return pairs of rows, one of each table, that share time or are one stretch."""
    later = sorted(b, key=_order)
    starts = [row.start_s for row in later]
    longest_s = max(row.end_s - row.start_s for row in later)
    for row in sorted(a, key=_order):
        first = bisect_left(starts, row.start_s - longest_s - _SAME_S)
        last = bisect_right(starts, row.end_s + _SAME_S)
        for other in later[first:last]:
            if min(row.end_s, other.end_s) > max(row.start_s, other.start_s) or _order(row)[:2] == _order(other)[:2]:
                yield row, other


def _same(raw_selections: Rows, other: Rows) -> bool:
    if len(raw_selections) != len(other):
        return False
    pairs = zip(sorted(raw_selections, key=_order), sorted(other, key=_order), strict=True)
    return all(
        a.label == b.label and abs(a.start_s - b.start_s) <= _SAME_S and abs(a.end_s - b.end_s) <= _SAME_S
        for a, b in pairs
    )


def _order(row: RawSelection) -> tuple[float, float, str]:
    return (row.start_s, row.end_s, row.label)


def _knowledge(rows: Rows) -> int:
    """Count the optional cells that have a value in the rows."""
    return sum(
        value is not None
        for row in rows
        for value in (row.low_hz, row.high_hz, row.quality, row.confidence, row.channel)
    )
