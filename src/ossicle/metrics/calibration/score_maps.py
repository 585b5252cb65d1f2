"""Fit the map from one label's scores to probabilities, from scores with known truth.

Scores must come from a model that was not trained on the items; ``metrics.calibration.out_of_fold`` ensures this.
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.scores.score_map import Isotonic, Platt, ScoreMap, logits, sigmoid

KINDS = ("platt", "temperature", "isotonic")
LEAST_SLOPE = 0.01
"""A map never falls: if higher scores are less often positive, the slope is this and the map almost level."""
MOST_SLOPE = 10.0
"""A map is no step: where few items are parted without an error, a steeper one would turn every score into 0 or 1."""

_MOST_STEPS = 100
_DIGITS = 9

Figures = NDArray[np.float64]


def fit_score_map(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], weights: Figures | None = None, kind: str = "platt"
) -> ScoreMap | None:
    """Fit the map from scores in [0, 1] to probabilities.

    Parameters
    ----------
    scores, positive
        Shape (n,).
    weights
        More than 0, shape (n,); 1 for each item by default.
    kind
        ``platt`` and ``temperature`` minimise the log loss against Platt's targets, (N+ + 1) / (N+ + 2) and 1 / (N- +
        2), which keep probabilities from few items away from 0 and 1. ``isotonic`` minimises the squared error of a
        line that never falls.

    Returns
    -------
    ScoreMap or None
        None without positives or without negatives: then nothing can be fitted.
    """
    if kind not in KINDS:
        raise ValueError(f"kind = {kind!r} is not one of: {', '.join(KINDS)}")
    truth = np.asarray(positive, dtype=np.bool_)
    if not truth.any() or truth.all():
        return None
    odds = logits(scores)
    weight = np.ones(len(odds)) if weights is None else np.asarray(weights, dtype=np.float64)
    if kind == "isotonic":
        return _isotonic(odds, truth, weight)
    n_positive, n_negative = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    constant = np.ones((len(odds), 1))
    columns = odds[:, None] if kind == "temperature" else np.concatenate([odds[:, None], constant], axis=1)
    weights_of_columns = _logistic(columns, np.zeros(len(odds)), target, weight)
    slope, offset = float(weights_of_columns[0]), float(weights_of_columns[1]) if kind == "platt" else 0.0
    if not LEAST_SLOPE <= slope <= MOST_SLOPE:
        slope = min(max(slope, LEAST_SLOPE), MOST_SLOPE)
        offset = float(_logistic(constant, slope * odds, target, weight)[0]) if kind == "platt" else 0.0
    return Platt(round(slope, _DIGITS), round(offset, _DIGITS))


def _logistic(columns: Figures, fixed: Figures, target: Figures, weight: Figures) -> Figures:
    """Return weights (k,) of ``columns`` (n, k) that minimise the log loss of ``fixed + columns @ weights``; damped
    Newton.
    """
    solution = np.zeros(columns.shape[1])
    solution[0] = 1.0 if columns.shape[1] == 2 else 0.0

    def loss(where: Figures) -> float:
        odds = fixed + columns @ where
        return float(np.sum(weight * (np.logaddexp(0, odds) - target * odds)))

    value = loss(solution)
    for _ in range(_MOST_STEPS):
        probability = sigmoid(fixed + columns @ solution)
        slope = columns.T @ (weight * (probability - target))
        curvature = (columns * (weight * probability * (1 - probability))[:, None]).T @ columns
        # A tiny ridge penalty: scores that are all equal leave slope and offset undetermined.
        curvature += 1e-9 * weight.sum() * np.eye(len(solution))
        step = np.linalg.solve(curvature, slope)
        size, following = 1.0, loss(solution - step)
        while following > value and size > 1e-9:
            size /= 2
            following = loss(solution - size * step)
        if following > value:
            break
        solution = solution - size * step
        gained, value = value - following, following
        if gained <= 1e-13 * abs(value) and float(np.abs(size * step).max()) < 1e-10:
            break
    return solution


def _isotonic(odds: Figures, truth: NDArray[np.bool_], weight: Figures) -> Isotonic:
    """Pool adjacent violators; equal scores form one knot, and only the ends of level stretches are kept."""
    knots, knot = np.unique(odds, return_inverse=True)
    total = np.bincount(knot, weights=weight, minlength=len(knots))
    share = np.bincount(knot, weights=weight * truth, minlength=len(knots)) / total
    line = np.clip(scipy.optimize.isotonic_regression(share, weights=total).x, 0.0, 1.0)
    is_corner = np.ones(len(knots), dtype=np.bool_)
    is_corner[1:-1] = (line[1:-1] != line[:-2]) | (line[1:-1] != line[2:])
    return Isotonic(tuple(knots[is_corner].tolist()), tuple(line[is_corner].tolist()))
