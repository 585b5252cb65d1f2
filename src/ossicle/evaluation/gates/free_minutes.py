"""Events outside annotations, counted in each minute of recordings, as the noise gate judges them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals, places, shared_s, union

MINUTE_S = 60.0
# Apart from rounding of times, an event wholly in a free stretch touches no annotation.
_ROUNDING_S = 1e-9


class FreeMinutes:
    """The minutes of several recordings, numbered through, and how much of each lies outside annotations.

    Attributes
    ----------
    seconds
        Free time in each minute of each recording, float64 (n,); a recording's last minute may be short or empty.
    """

    def __init__(self, free: Mapping[str, Intervals], durations_s: Sequence[float]) -> None:
        """``free``: by recording the stretches outside annotations, sorted and disjoint, in seconds, shape (m, 2);
        ``durations_s``: lengths of the recordings in the same order, in seconds.
        """
        self._free = dict(free)
        minutes = [int(duration_s / MINUTE_S) + 1 for duration_s in durations_s]
        self._first = dict(zip(free, np.cumsum([0, *minutes])[:-1].tolist(), strict=True))
        self._n = sum(minutes)
        self._pieces = {key: _cut(stretches) for key, stretches in free.items()}
        self.seconds = np.zeros(self._n)
        for key, pieces in self._pieces.items():
            np.add.at(self.seconds, self._minute(key, pieces[:, 0]), pieces[:, 1] - pieces[:, 0])

    def counted(self, times: Mapping[str, Intervals]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Count the events of one label.

        Parameters
        ----------
        times
            Events by recording, in seconds, shape (n, 2); recordings without events may be missing.

        Returns
        -------
        tuple
            The number of events that start in each minute and touch no annotation, int64 (n,), and the seconds of free
            time that events fill in each minute, float64 (n,).
        """
        n_events, active_s = np.zeros(self._n, dtype=np.int64), np.zeros(self._n)
        for key, events in times.items():
            if key not in self._free:
                continue
            length_s = events[:, 1] - events[:, 0]
            whole = (length_s > 0) & (shared_s(events, self._free[key]) >= length_s - _ROUNDING_S)
            np.add.at(n_events, self._minute(key, events[whole, 0]), 1)
            pieces = self._pieces[key]
            np.add.at(active_s, self._minute(key, pieces[:, 0]), shared_s(pieces, union(events)))
        return n_events, active_s

    def _minute(self, key: str, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        numbers: NDArray[np.int64] = self._first[key] + (times_s / MINUTE_S).astype(np.int64)
        return numbers


def _cut(stretches: Intervals) -> Intervals:
    """Cut stretches where minutes end; sorted pieces of positive length, shape (m, 2)."""
    end_s = float(stretches[:, 1].max(initial=0.0))
    edges = np.unique(np.concatenate([stretches.ravel(), np.arange(0.0, end_s, MINUTE_S)]))
    pieces = np.stack([edges[:-1], edges[1:]], axis=1)
    return pieces[places(pieces.mean(axis=1), stretches) >= 0]
