"""Causal smoothing of one label's scores: a frame uses itself and earlier frames only, from the first frame on.

While fewer frames than ``StateRule.frames`` have come, the median is that of the frames that there are, of an even
number the mean of the two in the middle. The exponential moving average is ``y[0] = x[0]``, ``y[k] = y[k-1] + a (x[k] -
y[k-1])`` with ``a = 2 / (frames + 1)``.
"""

from bisect import bisect_left, insort
from collections import deque

from ossicle.core.decisions.states import StateRule


class CausalSmoother:
    """The smoothing of one rule, frame by frame, with its carried state."""

    def __init__(self, rule: StateRule) -> None:
        self._kind = rule.smoothing if rule.frames > 1 else "none"
        self._gain = 2 / (rule.frames + 1)
        self._level: float | None = None
        self._latest: deque[float] = deque(maxlen=rule.frames)
        self._ordered: list[float] = []

    def step(self, score: float) -> float:
        """Add the next score and return its smoothed value."""
        if self._kind == "median":
            return self._median(score)
        if self._kind == "ema" and self._level is not None:
            score = self._level + self._gain * (score - self._level)
        self._level = score
        return score

    def _median(self, score: float) -> float:
        if len(self._latest) == self._latest.maxlen:
            del self._ordered[bisect_left(self._ordered, self._latest[0])]
        self._latest.append(score)
        insort(self._ordered, score)
        half, odd = divmod(len(self._ordered), 2)
        return self._ordered[half] if odd else (self._ordered[half - 1] + self._ordered[half]) / 2
