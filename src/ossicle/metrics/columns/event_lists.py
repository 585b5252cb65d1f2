"""Many lists of events one after another in one array, with an offset for each list.

A list holds the events of one label in one recording. Lists are the cells of a table of recordings and labels, row
after row, so the list of recording ``r`` and label ``c`` has the number ``r * n_labels + c``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals, as_intervals

EventSet = Mapping[str, Mapping[str, Intervals]]
"""Recording id to label to events, float64 of shape (n, 2) in seconds."""

_EMPTY: Intervals = np.zeros((0, 2))


@dataclass(frozen=True, eq=False)
class EventLists:
    """Events as columns.

    Parameters
    ----------
    times
        float64, shape (n, 2), start and end in seconds within the recording; the events of each list lie together.
    offsets
        int64, shape (n_lists + 1,): list ``k`` holds the events ``offsets[k]`` up to ``offsets[k + 1]``.

    Examples
    --------
    >>> lists = EventLists.of([np.array([[0.0, 1.0]]), np.zeros((0, 2)), np.array([[2.0, 3.0], [4.0, 5.0]])])
    >>> lists.sizes.tolist(), lists.owner.tolist()
    ([1, 0, 2], [0, 2, 2])
    """

    times: Intervals
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, lists: Sequence[Intervals | Sequence[object]]) -> "EventLists":
        """Return lists of (start, end) pairs as columns; raises ValueError if times are not finite or a start is later
        than its end.
        """
        arrays = [np.asarray(pairs, dtype=np.float64).reshape(-1, 2) if len(pairs) else _EMPTY for pairs in lists]
        sizes = np.array([len(array) for array in arrays], dtype=np.int64)
        return cls(as_intervals(np.concatenate([_EMPTY, *arrays])), offsets_of(sizes))

    @classmethod
    def gather(cls, events: EventSet, recordings: Sequence[str], labels: Sequence[str]) -> "EventLists":
        """Return the events of every recording and label, row after row; absent ones have empty lists."""
        rows = [events.get(recording, {}) for recording in recordings]
        return cls.of([row.get(label, _EMPTY) for row in rows for label in labels])

    def __len__(self) -> int:
        """Return the number of lists."""
        return len(self.offsets) - 1

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many events each list holds, int64 (n_lists,)."""
        return np.diff(self.offsets)

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """The list of each event, int64 (n,)."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.sizes)

    @cached_property
    def within(self) -> NDArray[np.int64]:
        """The place of each event in its list, int64 (n,)."""
        return np.arange(len(self.times), dtype=np.int64) - np.repeat(self.offsets[:-1], self.sizes)


def offsets_of(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the offsets of lists of these sizes, int64 (n_lists + 1,).

    >>> offsets_of(np.array([2, 0, 1])).tolist()
    [0, 2, 2, 3]
    """
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes, dtype=np.int64)])


def lists_by(owner: NDArray[np.int64], times: Intervals, n_lists: int) -> EventLists:
    """Return events (n, 2), sorted by their list ``owner`` (n,), as columns."""
    return EventLists(times, offsets_of(np.bincount(owner, minlength=n_lists)))
