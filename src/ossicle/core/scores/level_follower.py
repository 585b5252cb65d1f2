"""Scores of the windows of one recording that follow its level, window by window with carried state (invariant 4).

A forward filter over joint states and levels reads the windows so far: labels switch now and then, the level hardly
changes, and neighbouring windows share most of their sound, so each counts little. Its mean level is the estimate.
The embedding is moved back by it and scored by the head, and the log odds of the head are averaged with those of the
class models at that level. Nothing looks ahead, so the scores are those of any feed; a new recording, and the sound
after a gap, begin with a new follower.

References
----------
L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech recognition", 1989 (the forward
procedure).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ossicle.core.scores.level_model import LevelModel
from ossicle.core.scores.level_settings import LevelSettings

STEP_DB = 1.5
# A label switches this often in a second, a level moves one step up, or down, with this rate.
_SWITCHES_PER_S = 1 / 45
_STEPS_PER_S = 0.02
# Windows share sound, and their values share causes: of the log likelihood of one window, so much counts for the level
# in a second, and at most so many nats tell one state and level from another; and so much counts for the scores.
_LEVEL_EVIDENCE_PER_S = 0.01
_MOST_LEVEL_EVIDENCE_PER_S = 4.0
_STATE_EVIDENCE = 0.1
_LEAST_SHARE = 1e-6
# Scores beyond are 0 and 1 to every purpose; it keeps their exponential finite.
_MOST_ODDS = 50.0

Values = NDArray[np.float64]
Tokens = NDArray[np.float32]


class LevelFollower:
    """Score the windows of one recording in their order: called with the tokens of a window, it returns its scores.

    Parameters
    ----------
    model
        The class models.
    how
        The settings.
    hop_s
        Seconds from one window to the next.
    score
        The head: embeddings (tokens, dim) of one window to scores (n_labels,).
    unheard
        Number of first windows that begin before the recording: they are scored, and say nothing about its level.
    """

    def __init__(
        self,
        model: LevelModel,
        settings: LevelSettings,
        hop_s: float,
        score: Callable[[Tokens], NDArray[np.float32]],
        unheard: int = 0,
    ) -> None:
        self._model, self._share, self._score, self._unheard = model, settings.share, score, unheard
        steps = int(settings.range_db / STEP_DB)
        self._levels = STEP_DB * np.arange(-steps, steps + 1)
        prior = np.exp(-0.5 * np.square(self._levels / settings.spread_db))
        self._belief = np.tile(prior / prior.sum(), (len(model.states), 1)) / len(model.states)
        self._switching = _switching(model.states, min(0.5, hop_s * _SWITCHES_PER_S))
        self._moving = _moving(len(self._levels), min(0.25, hop_s * _STEPS_PER_S))
        self._evidence, self._most = hop_s * _LEVEL_EVIDENCE_PER_S, hop_s * _MOST_LEVEL_EVIDENCE_PER_S
        self._heard = False

    @property
    def level_db(self) -> float:
        """The level of the windows so far, compared with the training recordings."""
        return float(self._belief.sum(axis=0) @ self._levels)

    def __call__(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the scores, float32 (n_labels,), of the next window from its embeddings (1, dim)."""
        constant, linear = self._model.lines(tokens[0])
        if self._unheard:
            self._unheard -= 1
        else:
            self._hear(constant, linear)
        level_db = self.level_db
        moved = (tokens - level_db * self._model.direction).astype(np.float32)
        odds = (1 - self._share) * _log_odds(self._score(moved))
        if self._share:
            odds = odds + self._share * self._label_odds(_STATE_EVIDENCE * (constant + level_db * linear))
        scores: NDArray[np.float32] = (1 / (1 + np.exp(-np.clip(odds, -_MOST_ODDS, _MOST_ODDS)))).astype(np.float32)
        return scores

    def _hear(self, constant: Values, linear: Values) -> None:
        if self._heard:
            self._belief = self._switching.T @ self._belief @ self._moving
        self._heard = True
        log_likelihood = (
            constant[:, None] + linear[:, None] * self._levels - self._model.curve / 2 * np.square(self._levels)
        )
        log_likelihood = np.maximum(self._evidence * (log_likelihood - log_likelihood.max()), -self._most)
        self._belief = self._belief * np.exp(log_likelihood)
        self._belief /= self._belief.sum()

    def _label_odds(self, states: Values) -> Values:
        """Return the log odds of each label from log likelihoods of the joint states, all equally likely before."""
        on = np.where(self._model.states, states[:, None], -np.inf)
        off = np.where(self._model.states, -np.inf, states[:, None])
        odds: Values = np.logaddexp.reduce(on, axis=0) - np.logaddexp.reduce(off, axis=0)
        return odds


def _log_odds(scores: NDArray[np.float32]) -> Values:
    inside = np.clip(scores.astype(np.float64), _LEAST_SHARE, 1 - _LEAST_SHARE)
    odds: Values = np.log(inside) - np.log1p(-inside)
    return odds


def _switching(states: NDArray[np.bool_], rate: float) -> Values:
    """Return the probability of each joint state after each, (n_states, n_states): labels switch independently."""
    differ = (states[:, None] != states[None]).sum(axis=2)
    chance = rate**differ * (1 - rate) ** (states.shape[1] - differ)
    rows: Values = chance / chance.sum(axis=1, keepdims=True)
    return rows


def _moving(n: int, rate: float) -> Values:
    """Return the probability of each level after each, (n, n); a step beyond an end stays there."""
    rows = (1 - 2 * rate) * np.eye(n)
    for level in range(n):
        rows[level, max(0, level - 1)] += rate
        rows[level, min(n - 1, level + 1)] += rate
    return rows
