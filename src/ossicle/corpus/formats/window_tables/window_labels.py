"""Conversion of events to windows with a value for each label, and back.

A label is present in a window if one of its events in that file overlaps it by at least ``min_overlap_s``
(opensoundscape's ``min_label_overlap``), by default 0.25 s or half the event, whichever is less. In the other
direction, windows whose value reaches a threshold become events, joined if they touch or overlap; the highest value is
the score.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable, Windows

MOST_WINDOWS = 10_000_000
"""The most windows of a file: nearly a year of windows that start every three seconds."""
_TOUCH_S = 1e-6
_LEAST_OVERLAP_S = 0.25
# Halves of decimal times and their differences have rounding noise.
_ROUNDING_S = 1e-9


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Windows of ``length_s`` seconds that start every ``step_s`` from 0 to the end of a file; the last may reach
    beyond it.

    ``min_overlap_s`` is the smallest overlap, in seconds, of an event with a window that it labels; None: 0.25 s,
    or half the event or a window if that is less, so that every event labels a window.
    """

    length_s: float = 3.0
    step_s: float = 3.0
    min_overlap_s: float | None = None

    def times_s(self, duration_s: float) -> NDArray[np.float64]:
        """Return the windows of a file of ``duration_s`` seconds: (n, 2) float64, seconds."""
        # Rounded as in opensoundscape, so that 0.1 * 3 is 0.3 and equal windows compare equal.
        starts = np.round(np.arange(0, duration_s, self.step_s), 10)
        return np.stack([starts, starts + self.length_s], axis=1)

    def overlap_s(self, row: RawSelection) -> float:
        """Return the smallest overlap of an event with a window that it labels, in seconds."""
        if self.min_overlap_s is not None:
            return self.min_overlap_s
        return min(_LEAST_OVERLAP_S, (row.end_s - row.start_s) / 2, self.length_s)


@dataclass(frozen=True, slots=True)
class Windowed:
    """A table of 0 and 1, and the number of events that label no window."""

    table: ScoreTable
    lost: int


def to_windows(events: EventTable, plan: WindowPlan) -> Windowed:
    """Return windows with 0 and 1 of all files of ``events``.

    Raises
    ------
    UsageError
        Windows would leave gaps, there is no label, a duration is unknown or impossible, or a label would be present
        in no window.
    """
    if plan.step_s > plan.length_s:
        raise UsageError(
            f"windows of {plan.length_s:g} s that start every {plan.step_s:g} s leave gaps, and such a table could be "
            "one of events; lower --step-s, or raise --window-s"
        )
    labels = tuple(sorted({row.label for row in events.rows}))
    if not labels:
        raise UsageError("no event has a label, so there is no column to write")
    files = sorted({*events.files, *(row.begin_path for row in events.rows)})
    unknown = [file for file in files if file not in events.durations_s]
    if unknown:
        more = f" and {len(unknown) - 1} more" * (len(unknown) > 1)
        raise UsageError(
            f"the duration of {unknown[0]!r}{more} is not known, and windows need it: "
            "give --durations (a table filename, duration) or --audio (the folder of recordings)"
        )
    for file in files:
        if (count := events.durations_s[file] / plan.step_s) > MOST_WINDOWS:
            raise UsageError(
                f"{file!r} lasts {events.durations_s[file]:g} s, which is {count:.3g} windows, more than "
                f"{MOST_WINDOWS:,}; correct its duration in the table of durations, or raise --step-s"
            )
    column = {label: column for column, label in enumerate(labels)}
    times = {file: plan.times_s(events.durations_s[file]) for file in files}
    values = {file: np.zeros((len(times[file]), len(labels))) for file in files}
    lost: Counter[str] = Counter()
    for row in events.rows:
        span = times[row.begin_path]
        shared = np.minimum(span[:, 1], row.end_s) - np.maximum(span[:, 0], row.start_s)
        # If no overlap is required, even an event as short as a click labels the window around it.
        reached = (shared >= plan.overlap_s(row) - _ROUNDING_S) & (shared >= 0)
        lost[row.label] += not reached.any()
        values[row.begin_path][reached, column[row.label]] = 1.0
    _refuse_lost_labels(events, plan, lost)
    table = ScoreTable(labels, {file: Windows(times[file], values[file]) for file in files})
    return Windowed(table, lost.total())


def to_events(table: ScoreTable, threshold: float | None) -> EventTable:
    """Return the events of a table: its ones if all values are 0 or 1, else values of at least ``threshold`` (then
    required).
    """
    if threshold is None and not table.binary:
        raise FormatError(
            "its values are scores, not 0 and 1, so they need a threshold to become events: give a threshold, or "
            "convert to another table of scores"
        )
    limit = 0.5 if threshold is None else threshold
    scored = not table.binary
    rows = [
        RawSelection(start, end, label, confidence=score if scored else None, begin_path=file)
        for file, windows in table.files.items()
        for column, label in enumerate(table.labels)
        for start, end, score in _runs(windows, column, limit)
    ]
    ends: Mapping[str, float] = {
        file: float(windows.times_s[:, 1].max()) for file, windows in table.files.items() if len(windows.times_s)
    }
    return EventTable(tuple(rows), tuple(table.files), durations_s=ends)


def _refuse_lost_labels(events: EventTable, plan: WindowPlan, lost: Mapping[str, int]) -> None:
    """Reject windows in which a label is never present although it has events; ``lost`` counts those without one."""
    counts = Counter(row.label for row in events.rows)
    gone = sorted(label for label, count in counts.items() if lost[label] == count)
    if not gone:
        return
    more = f" and of {len(gone) - 1} more labels" * (len(gone) > 1)
    if plan.min_overlap_s is None:
        remedy = "they begin after the end of their recordings; check the durations"
    else:
        remedy = f"lower --min-overlap-s {plan.min_overlap_s:g}, or leave it out for 0.25 s or half the event"
    raise UsageError(f"all {counts[gone[0]]} events of {gone[0]!r}{more} would label no window; {remedy}")


def _runs(windows: Windows, column: int, limit: float) -> list[tuple[float, float, float]]:
    """Return windows at or above the limit, joined if they touch or overlap: (start, end, highest value)."""
    runs: list[tuple[float, float, float]] = []
    high = windows.values[:, column] >= limit
    for (start, end), value in zip(windows.times_s[high].tolist(), windows.values[high, column].tolist(), strict=True):
        if runs and start <= runs[-1][1] + _TOUCH_S:
            runs[-1] = (runs[-1][0], max(runs[-1][1], end), max(runs[-1][2], value))
        else:
            runs.append((start, end, value))
    return runs
