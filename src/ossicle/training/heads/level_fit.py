"""Fit the class models by which states follow the level of a recording (``core.scores.level_model``)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.scores.level_model import LevelModel

# Variance in dB**2 that every value has at least, so that one that never changes does not count beyond measure.
_LEAST_VARIANCE = 1e-2


def fit_level(
    embeddings: NDArray[Any],
    on: NDArray[np.bool_],
    known: NDArray[np.bool_],
    direction: NDArray[np.float64],
    shrinkage: float,
) -> LevelModel | None:
    """Return the class models of embeddings, None if some label is not seen both on and off.

    Parameters
    ----------
    embeddings
        Shape (n, dim), of recordings as they are: copies at other levels would blur what a level does.
    on, known
        Shape (n, n_labels): which labels are on, and whether that is known; windows with an unknown label are left
        out.
    direction
        Shape (dim,): how much each value changes with one dB.
    shrinkage
        Weight of the diagonal in the covariance, in (0, 1].
    """
    whole = known.all(axis=1)
    x, on = embeddings[whole].astype(np.float64), on[whole]
    states, state_of_window = np.unique(on, axis=0, return_inverse=True)
    if len(states) < 2 or not (states.any(axis=0) & ~states.all(axis=0)).all():
        return None
    state_of_window = state_of_window.reshape(-1)
    means = np.stack([x[state_of_window == state].mean(axis=0) for state in range(len(states))])
    within = x - means[state_of_window]
    covariance = within.T @ within / len(x)
    variance = np.diag(covariance).copy()
    covariance *= 1 - shrinkage
    covariance[np.diag_indices_from(covariance)] = variance + _LEAST_VARIANCE
    centre = means.mean(axis=0)
    solved = np.linalg.solve(covariance, np.concatenate([means - centre, direction[None]]).T).T
    weights, slope = solved[:-1], solved[-1]
    return LevelModel(
        states=states,
        direction=direction.astype(np.float64),
        centre=centre,
        slope=slope,
        weights=weights,
        bias=((means - centre) * weights).sum(axis=1),
        cross=weights @ direction,
        curve=np.array([direction @ slope]),
    )
