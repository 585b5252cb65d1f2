"""When the columns of a table are classes: tables of windows, told from tables of events without a label.

A column becomes a label only if nothing else can be meant: no heading is one that event tables have besides their times
(``NOT_CLASSES``), and the windows of each file start at 0 and follow each other without gaps.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ossicle.core.errors import UsageError
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key
from ossicle.corpus.formats.columns.headings import NOT_CLASSES

OPENSOUNDSCAPE = ("file", "start_time", "end_time")
DCASE = ("onset", "offset")
# Tables round times: windows closer than this touch.
TOUCH_S = 1e-6


def is_opensoundscape(table: Delimited) -> bool:
    """Return whether a table is one of windows of many files, with a column for each class.

    The windows of a file are equally long and start at equal distances; the last may be shorter or shifted.
    """
    table = without_row_numbers(table)
    fits = set(_keys(table.header)) >= set(OPENSOUNDSCAPE) and _has_classes(table.header, OPENSOUNDSCAPE)
    return fits and all(map(_is_even, _windows(table, OPENSOUNDSCAPE)))


def is_dcase_scores(table: Delimited) -> bool:
    """Return whether a table holds the scores of one recording, with a column for each class; its windows touch."""
    table = without_row_numbers(table)
    return (
        _keys(table.header)[:2] == DCASE
        and _has_classes(table.header, DCASE)
        and all(map(_touch, _windows(table, DCASE)))
    )


def without_row_numbers(table: Delimited) -> Delimited:
    """Return a table without its first column, if that has no heading and numbers the rows, as pandas and R write it.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    Delimited
        The table without the column, or as it is.
    """
    numbers = [cells[0].strip() for _, cells in table.rows] if table.header and not table.header[0] else []
    if not numbers or all(numbers != [str(first + k) for k in range(len(numbers))] for first in (0, 1)):
        return table
    return replace(table, header=table.header[1:], rows=tuple((line, cells[1:]) for line, cells in table.rows))


def refuse_reserved_labels(labels: Iterable[str]) -> None:
    """Reject labels that cannot be headings of classes, because our readers would take their columns for others."""
    for label in labels:
        if any(ord(character) < 32 for character in label):
            raise UsageError(
                f"the label {label!r} holds a tab or line break, which no heading can; rename it with --map"
            )
        if not _may_be_class(label):
            raise UsageError(
                f"the label {label!r} cannot be the heading of a class: tables use this name for other columns; "
                f"rename it, for example with --map {label}='{label} call'"
            )


def _keys(header: Sequence[str]) -> tuple[str, ...]:
    return tuple(heading_key(name) for name in header)


def _may_be_class(heading: str) -> bool:
    key = heading_key(heading)
    return key not in NOT_CLASSES if key else bool(heading.strip())


def _has_classes(header: Sequence[str], needed: Sequence[str]) -> bool:
    """Return whether all other headings can be those of classes, and there is one."""
    others = [name for name in header if heading_key(name) not in needed]
    return bool(others) and all(map(_may_be_class, others))


def _windows(table: Delimited, needed: Sequence[str]) -> list[np.ndarray]:
    """Return the windows (n, 2) of each file in seconds, sorted; cells that are no numbers are left to the reader."""
    file, start, end = (table.find([name]) for name in ("file", *needed[-2:]))
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _, cells in table.rows:
        try:
            spans = tuple(float(cells[column]) for column in (start, end) if column is not None)
        except ValueError:
            continue
        if len(spans) == 2:
            times["" if file is None else cells[file]].append(spans)
    return [np.array(sorted(time)) for time in times.values()]


def _touch(windows: np.ndarray) -> bool:
    return bool(abs(windows[0, 0]) <= TOUCH_S and (np.abs(windows[1:, 0] - windows[:-1, 1]) <= TOUCH_S).all())


def _is_even(windows: np.ndarray) -> bool:
    """Return whether windows start at 0, and all but the last have one length, and one distance up to that length."""
    steps, lengths = np.diff(windows[:, 0]), windows[:, 1] - windows[:, 0]
    if abs(windows[0, 0]) > TOUCH_S or not lengths[0] > 0:
        return False
    even = np.abs(lengths[:-1] - lengths[0]) <= TOUCH_S
    spaced = np.abs(steps[:-1] - steps[0]) <= TOUCH_S if len(steps) else np.ones(0, bool)
    return bool(
        even.all() and spaced.all() and (steps <= lengths[0] + TOUCH_S).all() and lengths[-1] <= lengths[0] + TOUCH_S
    )
