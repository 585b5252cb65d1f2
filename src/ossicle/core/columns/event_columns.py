"""Events of many recordings as columns: arrays sorted by recording, with an offset for each.

A mapping from recording id to the events of the recording, like the dict of lists that small paths use: its ``Event``
objects are made when they are asked for. What counts or matches many events reads the arrays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ossicle.core.tracks import Event


@dataclass(frozen=True, eq=False)
class EventColumns(Mapping[str, Sequence[Event]]):
    """Events by recording.

    Parameters
    ----------
    recording_ids
        The recordings, each once; one without events too.
    labels
        Names that ``codes`` index.
    offsets
        int64, shape (n_recordings + 1,): recording ``r`` has the events ``offsets[r]`` up to ``offsets[r + 1]``.
    times
        float64, shape (n, 2), start and end in seconds from the start of the recording.
    codes
        Index of the label of each event, int32 (n,).
    scores
        Score of each event, float64 (n,).

    Examples
    --------
    >>> events = EventColumns.of({"tape": [Event(1.0, 1.5, "call", 0.9)], "empty": []})
    >>> len(events), events["tape"], events["empty"]
    (2, [Event(start_s=1.0, end_s=1.5, label='call', score=0.9)], [])
    """

    recording_ids: tuple[str, ...]
    labels: tuple[str, ...]
    offsets: NDArray[np.int64]
    times: NDArray[np.float64]
    codes: NDArray[np.int32]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, events: Mapping[str, Sequence[Event]]) -> "EventColumns":
        """Return events by recording as columns; columns are returned as they are."""
        if isinstance(events, cls):
            return events
        every = [event for recording_events in events.values() for event in recording_events]
        labels = tuple(sorted({event.label for event in every}))
        code = {label: code for code, label in enumerate(labels)}
        sizes = np.array([len(event) for event in events.values()], dtype=np.int64)
        return cls(
            tuple(events),
            labels,
            np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)]),
            np.array([(event.start_s, event.end_s) for event in every], dtype=np.float64).reshape(-1, 2),
            np.array([code[event.label] for event in every], dtype=np.int32),
            np.array([event.score for event in every], dtype=np.float64),
        )

    def __getitem__(self, recording_id: str) -> list[Event]:
        """Return the events of a recording, in their order."""
        row = self._places[recording_id]
        part = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        return [
            Event(start_s, end_s, self.labels[code], score)
            for (start_s, end_s), code, score in zip(
                self.times[part].tolist(), self.codes[part].tolist(), self.scores[part].tolist(), strict=True
            )
        ]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the recording ids."""
        return iter(self.recording_ids)

    def __len__(self) -> int:
        """Return the number of recordings."""
        return len(self.recording_ids)

    @cached_property
    def recordings(self) -> NDArray[np.int64]:
        """The place in ``recording_ids`` of the recording of each event, int64 (n,)."""
        return np.repeat(np.arange(len(self.recording_ids), dtype=np.int64), np.diff(self.offsets))

    def where(self, selected: NDArray[np.bool_]) -> "EventColumns":
        """Return the events that are ``selected`` (n,); every recording stays."""
        sizes = np.bincount(self.recordings[selected], minlength=len(self.recording_ids))
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        return replace(
            self, offsets=offsets, times=self.times[selected], codes=self.codes[selected], scores=self.scores[selected]
        )

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.recording_ids)}
