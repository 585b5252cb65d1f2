"""Events that repeat others, and events that start together: one sort, then comparisons of neighbours."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

MOST_EXAMPLES = 10
# Decimal times and their differences have rounding noise.
_ROUNDING_S = 1e-9
# Starts that differ by less than a microsecond are one: a table may have been written with fewer digits.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many of ``counted`` items equal an earlier one, with a few of them in words."""

    counted: int
    repeats: int
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """Share of items that equal an earlier one, in [0, 1]; None if nothing was counted."""
        return self.repeats / self.counted if self.counted else None


@dataclass(frozen=True, slots=True, eq=False)
class OrderedEvents:
    """Events with a label, by recording, start and label.

    Arrays of length n: ``rows`` (int64, the rows of the table), ``recording`` and ``label`` (uint32 codes) and
    ``start_s`` (float64, seconds, rounded to a microsecond).
    """

    rows: NDArray[np.int64]
    recording: NDArray[np.uint32]
    start_s: NDArray[np.float64]
    label: NDArray[np.uint32]


def ordered_events(events: pl.DataFrame) -> OrderedEvents:
    """Return the events with a label in order; ``events`` has the columns ``recording``, ``start_s`` and ``label``."""
    labelled = np.flatnonzero(events["label"].is_not_null().to_numpy())
    recording = events["recording"].to_physical().gather(labelled).to_numpy()
    label = events["label"].to_physical().gather(labelled).to_numpy()
    start_s = np.round(events["start_s"].gather(labelled).to_numpy(), _DECIMALS)
    order = np.lexsort((label, start_s, recording))
    return OrderedEvents(labelled[order], recording[order], start_s[order], label[order])


def repeated_events(events: pl.DataFrame, ordered: OrderedEvents) -> Repeats:
    """Count events that repeat another one: same recording, same start, same label."""
    same = (
        (ordered.recording[1:] == ordered.recording[:-1])
        & (ordered.start_s[1:] == ordered.start_s[:-1])
        & (ordered.label[1:] == ordered.label[:-1])
    )
    places = np.flatnonzero(same)
    examples: dict[str, None] = {}
    # Several repeats of one event are one example.
    for row in ordered.rows[places[: 100 * MOST_EXAMPLES] + 1].tolist():
        examples[event_in_words(events, row)] = None
        if len(examples) == MOST_EXAMPLES:
            break
    return Repeats(len(ordered.rows), len(places), tuple(examples))


def repeated_ids(events: pl.DataFrame, column: str) -> Repeats:
    """Count events whose id (``column``, a hash; null for none) an earlier event has; labels of one event share it."""
    rows = np.flatnonzero((events["first"] & events[column].is_not_null()).to_numpy())
    ids = events[column].gather(rows).to_numpy()
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    later = np.flatnonzero(ids[1:] == ids[:-1]) + 1
    examples = [event_in_words(events, int(row)) for row in np.sort(rows[order[later]])[:MOST_EXAMPLES]]
    return Repeats(len(rows), len(later), tuple(examples))


def repeated_audio(digests: pl.DataFrame) -> Repeats:
    """Count recordings whose bytes equal those of an earlier one; columns ``path`` and ``digest`` (empty: not read)."""
    read = digests.filter(pl.col("digest") != "").sort("path")
    copies = read.filter(~pl.col("digest").is_first_distinct())
    return Repeats(read.height, copies.height, tuple(copies["path"].head(MOST_EXAMPLES).to_list()))


def overlapping(ordered: OrderedEvents, within_s: float) -> NDArray[np.bool_]:
    """Return whether each event starts within ``within_s`` of one with another label in the same recording.

    Parameters
    ----------
    ordered
        n events.
    within_s
        Longest distance of the two starts, in seconds.

    Returns
    -------
    ndarray of bool, shape (n,)
        In the order of ``ordered``.
    """
    n = len(ordered.rows)
    if n == 0:
        return np.zeros(0, dtype=bool)
    # Of the events on one side, the nearest with another label lies at the end of the run of equal labels.
    begins = np.concatenate(
        [[True], (ordered.label[1:] != ordered.label[:-1]) | (ordered.recording[1:] != ordered.recording[:-1])]
    )
    run = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    after = np.append(first[1:], n)[run]
    before = first[run] - 1
    is_near = np.zeros(n, dtype=bool)
    for neighbour, known in ((after, after < n), (before, before >= 0)):
        other = np.where(known, neighbour, 0)
        near = np.abs(ordered.start_s[other] - ordered.start_s) <= within_s + _ROUNDING_S
        is_near |= known & near & (ordered.recording[other] == ordered.recording)
    return is_near


def event_in_words(events: pl.DataFrame, row: int) -> str:
    """Return the event of a row in words: label, start, recording, and its line in a manifest."""
    label, start_s, recording = (events[name][row] for name in ("label", "start_s", "recording"))
    line = f" (line {events['line'][row]})" if "line" in events.columns else ""
    return f"{'no label' if label is None else repr(str(label))} at {start_s:.3f} s of {recording}{line}"
