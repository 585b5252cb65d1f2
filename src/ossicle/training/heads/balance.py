"""Weights of windows that give both sides of a label, and the groups within a side, an equal say."""

import numpy as np
from numpy.typing import NDArray

# A window of a small group counts at most this many times as much as it would without groups: one window with a wrong
# label must not outweigh whole recordings.
_MOST_FOR_GROUP = 4.0


def balanced_weights(
    targets: NDArray[np.float32],
    known: NDArray[np.bool_],
    weights: NDArray[np.float32],
    groups: NDArray[np.str_],
) -> NDArray[np.float32]:
    """Return the weight of the positive and of the negative side of every target.

    Parameters
    ----------
    targets
        float32, shape (n, n_labels), in [0, 1]; a soft target counts for both sides.
    known
        bool, shape (n, n_labels); unknown targets get the weight 0.
    weights
        float32, shape (n,): given weights of the windows.
    groups
        str, shape (n,).

    Returns
    -------
    ndarray
        float32, shape (2, n, n_labels): index 0 multiplies ``log(score)``, index 1 ``log(1 - score)``. For each label,
        both sides sum to n / 2, or the only one that is there to n.
    """
    share = np.where(known, targets, 0.0).astype(np.float64)
    sides = np.stack([share, np.where(known, 1.0 - share, 0.0)]) * weights.astype(np.float64)[None, :, None]
    balanced_sides = np.zeros_like(sides)
    _, of_group = np.unique(groups, return_inverse=True)
    n_groups = int(of_group.max()) + 1
    for label in range(sides.shape[2]):
        present = [side for side in (0, 1) if sides[side, :, label].sum() > 0]
        for side in present:
            side_weights = sides[side, :, label]
            total = np.bincount(of_group, side_weights, minlength=n_groups)
            factor = np.zeros(n_groups)
            filled = total > 0
            factor[filled] = total[filled].mean() / total[filled]
            balanced = side_weights * np.minimum(factor, _MOST_FOR_GROUP)[of_group]
            balanced_sides[side, :, label] = balanced * (len(side_weights) / len(present) / balanced.sum())
    return balanced_sides.astype(np.float32)
