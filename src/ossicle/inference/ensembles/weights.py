"""Weights of an ensemble's members, fitted on scores and targets: the weighted mean with the lowest log loss.

The log loss of ``sum of w * score`` is convex in the weights. Its minimum on the simplex is found by the EM algorithm
for mixing proportions (Dempster, Laird & Rubin 1977, section 4.3). Each member is an expert that predicts score or 1 -
score: ``w_m <- w_m * g_m`` with ``g_m = mean of (y s_m / p + (1 - y) (1 - s_m) / (1 - p))``. The update keeps the sum,
never raises the loss, and gives a bound: the loss is at most ``max g - 1`` above the minimum.

References
----------
A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood from incomplete data via the EM algorithm", Journal of the
Royal Statistical Society B 39, 1977.
"""

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

_LEAST = 1e-6
"""Scores are clipped this far from 0 and 1, so that one certain but wrong score does not remove a member."""
_CLOSE = 1e-6
_MOST_ROUNDS = 3000


def fitted_weights(scores: NDArray[np.float32], targets: NDArray[np.float32]) -> Reals:
    """Return the weights of members, at least 0 and summing to 1: shape (n_members,).

    ``scores``: shape (n_members, n); ``targets``: shape (n,), in [0, 1]. Equal members get equal weights. Raises
    ValueError without targets.
    """
    if scores.ndim != 2 or scores.shape[1] != len(targets) or len(targets) == 0:
        raise ValueError(f"scores of shape {scores.shape} do not fit {len(targets)} targets")
    probabilities = np.clip(scores.astype(np.float64), _LEAST, 1 - _LEAST)
    truth = targets.astype(np.float64)
    weights: Reals = np.full(len(probabilities), 1 / len(probabilities))
    for _ in range(_MOST_ROUNDS):
        mixed = weights @ probabilities
        up, down = truth / mixed, (1 - truth) / (1 - mixed)
        gain = (probabilities @ up + (1 - probabilities) @ down) / len(truth)
        if gain.max() - 1 < _CLOSE:
            break
        weights = weights * gain
        weights /= weights.sum()
    return weights


def log_loss(scores: NDArray[np.float32], targets: NDArray[np.float32], weights: Reals) -> float:
    """Return the mean log loss of the weighted mean, in nats; arguments as for :func:`fitted_weights`."""
    mixed = weights @ np.clip(scores.astype(np.float64), _LEAST, 1 - _LEAST)
    truth = targets.astype(np.float64)
    return float(-np.mean(truth * np.log(mixed) + (1 - truth) * np.log(1 - mixed)))
