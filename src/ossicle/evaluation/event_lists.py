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
        listed = np.flatnonzero((row >= 0) & (column >= 0))
        owner = row[listed] * len(labels) + column[listed]
        order = np.argsort(owner, kind="stable")
        return lists_by(owner[order], self.times[listed[order]], len(ids) * len(labels)), listed[order]


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
    columns = EventColumns.of(events)
    return LabelledTimes(columns.recording_ids, columns.labels, columns.recordings, columns.codes, columns.times).lists(
        ids, labels
    )


def _places(names: Sequence[str], listed_names: Sequence[str]) -> Places:
    """Return the place in ``listed_names`` of each of ``names``, -1 for those that are not among them."""
    index = {name: number for number, name in enumerate(listed_names)}
    return np.array([index.get(name, -1) for name in names], dtype=np.int64)
