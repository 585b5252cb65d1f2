"""Monotonic maps from scores to probabilities, one per label, as plain figures.

A map works on log odds, where networks are roughly linear. It is either ``sigmoid(slope * logit(score) + offset)``
(Platt 1999; ``offset = 0`` gives a temperature of ``1 / slope``, Guo et al. 2017), or a line through rising knots
(isotonic; Zadrozny & Elkan 2002) that is constant before the first knot and after the last. Maps never fall, so they
keep the ranking within a label, except for ties that an isotonic line creates.
``ossicle.metrics.calibration.score_maps`` fits them.

References
----------
J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods", 1999.
B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002.
C. Guo et al., "On calibration of modern neural networks", ICML 2017.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SCORE = 1e-6
"""Scores are clipped this far from 0 and 1: float32 can round to either, whose log odds are infinite."""

Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Platt:
    """``sigmoid(slope * logit(score) + offset)``; raises ValueError if the slope is not above 0."""

    slope: float
    offset: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.offset) and self.slope > 0):
            raise ValueError(f"slope = {self.slope!r}, offset = {self.offset!r} must be finite, and slope above 0")

    def __call__(self, scores: NDArray[np.floating]) -> Figures:
        """Return the probabilities of scores in [0, 1], any shape: float64.

        >>> Platt(1.0, 0.0)(np.array([0.25, 0.5])).round(6).tolist()
        [0.25, 0.5]
        """
        return sigmoid(self.slope * logits(scores) + self.offset)


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A line through knots at rising ``logits`` and never falling ``probabilities``, at least one of each.

    Raises
    ------
    ValueError
        If the knots do not meet these conditions.
    """

    logits: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        at_logits, to = np.array(self.logits, dtype=np.float64), np.array(self.probabilities, dtype=np.float64)
        if len(at_logits) != len(to) or len(at_logits) == 0:
            raise ValueError(
                f"{len(at_logits)} logits and {len(to)} probabilities: give the same number of both, at least one"
            )
        if not (np.isfinite(at_logits).all() and np.all(np.diff(at_logits) > 0)):
            raise ValueError("logits must be finite and ascending")
        if not (np.all((to >= 0) & (to <= 1)) and np.all(np.diff(to) >= 0)):
            raise ValueError("probabilities must lie within [0, 1] and never fall")

    def __call__(self, scores: NDArray[np.floating]) -> Figures:
        """Return the probabilities of scores in [0, 1], any shape: float64.

        >>> Isotonic((-1.0, 1.0), (0.2, 0.4))(np.array([0.0, 0.5, 1.0])).tolist()
        [0.2, 0.30000000000000004, 0.4]
        """
        mapped: Figures = np.interp(logits(scores), self.logits, self.probabilities)
        return mapped


ScoreMap = Platt | Isotonic


def logits(scores: NDArray[np.floating]) -> Figures:
    """Return the log odds of scores in [0, 1], any shape: float64. Scores are clipped :data:`LEAST_SCORE` from
    both ends.
    """
    held = np.clip(np.asarray(scores, dtype=np.float64), LEAST_SCORE, 1 - LEAST_SCORE)
    return np.asarray(np.log(held) - np.log1p(-held), dtype=np.float64)


def sigmoid(odds: Figures) -> Figures:
    """Return the inverse of the log odds, without overflow at either end."""
    small = np.exp(-np.abs(odds))
    return np.where(odds >= 0, 1 / (1 + small), small / (1 + small))
