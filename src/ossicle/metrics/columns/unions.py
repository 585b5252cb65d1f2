"""Sets of intervals of many lists at once: as ``union`` and ``part`` of :mod:`ossicle.core.intervals` for each list."""

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.columns.event_lists import EventLists, lists_by


def sorted_lists(lists: EventLists) -> EventLists:
    """Return the events of each list sorted by their start; events that start together keep their order."""
    return EventLists(lists.times[np.lexsort((lists.times[:, 0], lists.owner))], lists.offsets)


def union_lists(lists: EventLists) -> EventLists:
    """Merge the events of each list that overlap or touch; return them sorted."""
    if len(lists.times) == 0:
        return lists
    ordered = sorted_lists(lists)
    reach = _reach(ordered)
    is_separate = (ordered.owner[1:] != ordered.owner[:-1]) | (ordered.times[1:, 0] > reach[:-1])
    starts = np.flatnonzero(np.concatenate([[True], is_separate]))
    ends = np.append(starts[1:] - 1, len(reach) - 1)
    return lists_by(ordered.owner[starts], np.stack([ordered.times[starts, 0], reach[ends]], axis=1), len(lists))


def part_lists(lists: EventLists, gap_s: float) -> EventLists:
    """Shorten neighbours of each list by equal amounts until they lie at least ``gap_s`` apart.

    The events of each list must be sorted and disjoint. No event loses more than half of its length.
    """
    times, shortened = lists.times, lists.times.copy()
    missing = np.maximum(gap_s - (times[1:, 0] - times[:-1, 1]), 0.0) / 2
    missing[lists.owner[1:] != lists.owner[:-1]] = 0.0
    quarter = (times[:, 1] - times[:, 0]) / 4
    shortened[:-1, 1] -= np.minimum(missing, quarter[:-1])
    shortened[1:, 0] += np.minimum(missing, quarter[1:])
    return EventLists(shortened, lists.offsets)


def gaps_between(lists: EventLists) -> NDArray[np.float64]:
    """Return the seconds between the end of each event and the start of the next of its list, negative where they
    overlap.
    """
    ordered = sorted_lists(lists)
    within: NDArray[np.float64] = (ordered.times[1:, 0] - ordered.times[:-1, 1])[
        ordered.owner[1:] == ordered.owner[:-1]
    ]
    return within


def _reach(lists: EventLists) -> NDArray[np.float64]:
    """Return the latest end of each event and those before it in its list, (n,)."""
    ends, rank = np.unique(lists.times[:, 1], return_inverse=True)
    # Ranks are whole numbers, so adding a multiple of their number for each list starts the maximum anew, exactly.
    list_offset = lists.owner * len(ends)
    latest: NDArray[np.float64] = ends[np.maximum.accumulate(rank.ravel() + list_offset) - list_offset]
    return latest
