"""Annotations and events of the evaluated recordings, as lists of each recording and label in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.intervals import Intervals
from ossicle.core.tracks import Event
from ossicle.metrics.columns.event_lists import EventLists, lists_by

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTimes:
    """Annotations or events as columns, in any order.

    ``recordings`` and ``codes``: for each the place of its recording in ``recording_ids`` and of its label in
    ``labels``, (n,). ``times``: (n, 2), seconds.
    """

    recording_ids: Sequence[str]
    labels: Sequence[str]
    recordings: NDArray[np.integer]
    codes: NDArray[np.integer]
    times: Intervals

    def lists(self, ids: Sequence[str], labels: Sequence[str]) -> tuple[EventLists, Places]:
        """Return a list for each recording of ``ids`` and each of ``labels``; others are left out.

        Returns
        -------
        EventLists
            The lists, recording after recording; within each the order stays.
        ndarray
            The place of each entry of the lists among the columns, int64.
        """
        rows, columns = _places(self.recording_ids, ids), _places(self.labels, labels)
        row, column = rows[self.recordings], columns[self.codes]
        kept = np.flatnonzero((row >= 0) & (column >= 0))
        owner = row[kept] * len(labels) + column[kept]
        order = np.argsort(owner, kind="stable")
        return lists_by(owner[order], self.times[kept[order]], len(ids) * len(labels)), kept[order]


def event_lists(
    events: Mapping[str, Sequence[Event]], ids: Sequence[str], labels: Sequence[str]
) -> tuple[EventLists, Places]:
    """Return the events of every recording of ``ids`` and every label, recording after recording.

    Returns
    -------
    EventLists
        A list for each recording and label, with the events in their order.
    ndarray
        The place of each of these events in ``EventColumns.of(events)``, int64 (n,).
    """
    of = EventColumns.of(events)
    return LabelledTimes(of.recording_ids, of.labels, of.recordings, of.codes, of.times).lists(ids, labels)


def _places(theirs: Sequence[str], ours: Sequence[str]) -> Places:
    """Return the place in ``ours`` of each of ``theirs``, -1 for those that are not among them."""
    place = {name: number for number, name in enumerate(ours)}
    return np.array([place.get(name, -1) for name in theirs], dtype=np.int64)
