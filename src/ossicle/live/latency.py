"""How far a live session lags behind its sound, and what a second of sound costs."""

from collections import deque
from typing import Any

import numpy as np

_KEPT = 10_000


class Latency:
    """Figures of the last 10,000 feeds of a session.

    Examples
    --------
    >>> latency = Latency()
    >>> latency.add(lag_s=0.1, work_s=0.002, sound_s=0.1)
    >>> latency.summary()["lag_s"]["p99"]
    0.1
    """

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=_KEPT)
        self._loads: deque[float] = deque(maxlen=_KEPT)

    def add(self, lag_s: float, work_s: float, sound_s: float) -> None:
        """Add a feed.

        Parameters
        ----------
        lag_s
            Seconds from the last fed sample to the end of its processing.
        work_s
            Seconds that the engine took.
        sound_s
            Seconds of sound in the feed.
        """
        self._lags.append(lag_s)
        self._loads.append(work_s / sound_s)

    def summary(self) -> dict[str, Any]:
        """Return ``lag_s`` (median, p99, most) and ``load``, the median share of real time that the engine needs; None
        before the first feed.
        """
        if not self._lags:
            return {"lag_s": None, "load": None}
        median, p99, most = np.quantile(self._lags, [0.5, 0.99, 1.0])
        return {
            "lag_s": {"median": round(float(median), 3), "p99": round(float(p99), 3), "most": round(float(most), 3)},
            "load": round(float(np.median(self._loads)), 4),
        }
