"""The states of one label under thousands of rules at once, frame by frame; ``fold.LabelFold`` is its oracle."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import StateRule
from ossicle.inference.decisions.regions import fewest_frames_lasting
from ossicle.inference.states.smoothing import CausalSmoother


class ManyFolds:
    """Fold one label's scores by many rules; each smoothing that several rules share is computed once.

    ``state`` is bool (n_rules,), True for on; meaningless before the first frame.
    """

    def __init__(self, rules: Sequence[StateRule], hop_s: float) -> None:
        kinds = [(rule.smoothing, rule.frames) for rule in rules]
        distinct = {kind: rules[kinds.index(kind)] for kind in dict.fromkeys(kinds)}
        self._smoothers = [CausalSmoother(rule) for rule in distinct.values()]
        index = {kind: number for number, kind in enumerate(distinct)}
        self._which = np.array([index[kind] for kind in kinds], dtype=np.int64)
        self._on = np.array([rule.on for rule in rules])
        self._off = np.array([rule.off for rule in rules])
        self._debounce = np.array([rule.debounce for rule in rules], dtype=np.int64)
        self._min_on = np.array([fewest_frames_lasting(rule.min_on_s, hop_s) for rule in rules], dtype=np.int64)
        self._min_off = np.array([fewest_frames_lasting(rule.min_off_s, hop_s) for rule in rules], dtype=np.int64)
        n = len(rules)
        self._since, self._crossed, self._n_against = (np.zeros(n, dtype=np.int64) for _ in range(3))
        self._frame = 0
        self.state = np.zeros(n, dtype=np.bool_)

    def step(self, raw: float) -> NDArray[np.bool_]:
        """Add the score of the next frame; return which rules change their state, (n_rules,), none at the first."""
        level = np.array([smoother.step(raw) for smoother in self._smoothers])[self._which]
        frame = self._frame
        self._frame += 1
        reached = level >= self._on
        if frame == 0:
            self.state = reached
            return np.zeros(len(reached), dtype=np.bool_)
        against = np.where(self.state, level < self._off, reached)
        self._crossed = np.where(against & (self._n_against == 0), frame, self._crossed)
        self._n_against = np.where(against, self._n_against + 1, 0)
        earliest = self._since + np.where(self.state, self._min_on, self._min_off)
        change: NDArray[np.bool_] = (self._n_against >= self._debounce) & (frame >= earliest)
        self._since = np.where(change, np.maximum(self._crossed, earliest), self._since)
        self._n_against[change] = 0
        self.state = self.state ^ change
        return change
