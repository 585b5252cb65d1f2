"""Decision trees as plain arrays, evaluated in NumPy: random forests and boosted trees without scikit-learn.

All trees of a model are stored one after the other in five arrays. A node with ``feature`` < 0 is a leaf. At other
nodes a row goes left if its feature, rounded to float32 as in scikit-learn, is at most the node's threshold. The
model's output is ``offset + scale * sum of the leaves' values``, passed through a logistic function if ``logistic``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAF = -1
MAX_DEPTH = 64
"""Deeper trees are rejected: each level costs a pass, and trees for this purpose are far shallower."""
# Rows times trees that are processed together: some tens of megabytes.
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Trees in arrays of one length (n_nodes,), and the first node of each tree (n_trees,).

    ``feature``, ``left``, ``right``: int32; ``threshold``, ``value``: float64. Children come after their parent.

    Raises
    ------
    ValueError
        If the arrays do not form such trees.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    n_features: int
    offset: float
    scale: float
    logistic: bool

    def __post_init__(self) -> None:
        n = len(self.feature)
        whole: dict[str, NDArray[Any]] = {"feature": self.feature, "left": self.left, "right": self.right}
        real: dict[str, NDArray[Any]] = {"threshold": self.threshold, "value": self.value}
        for name, array in {**whole, **real}.items():
            if array.shape != (n,) or array.dtype != (np.int32 if name in whole else np.float64):
                raise ValueError(f"{name} is {array.dtype} of shape {array.shape}, not an array of {n} nodes")
        for name, reals in real.items():
            if not np.isfinite(reals).all():
                raise ValueError(f"{name} holds NaN or infinity")
        if not np.isfinite([self.offset, self.scale]).all():
            raise ValueError("offset or scale is NaN or infinite")
        if self.roots.ndim != 1 or self.roots.dtype != np.int32 or len(self.roots) == 0:
            raise ValueError("roots is not an array of at least one int32")
        _check_links(self)

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the model's output for each row of ``features``: float64 (n, n_features) to float64 (n,).

        Raises
        ------
        ValueError
            If a feature is missing: a column, or a value that is NaN or infinite.
        """
        rows = checked_features(features, self.n_features)
        sums = np.empty(len(rows))
        step = max(1, _BLOCK // len(self.roots))
        for first in range(0, len(rows), step):
            sums[first : first + step] = self._sums(rows[first : first + step])
        sums = self.offset + self.scale * sums
        return sigmoid(sums) if self.logistic else sums

    def _sums(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum of the leaves' values over the trees for rows (n, n_features), shape (n,)."""
        nodes = np.tile(self.roots, len(rows))
        row = np.repeat(np.arange(len(rows)), len(self.roots))
        moving = np.flatnonzero(self.feature[nodes] != LEAF)
        while len(moving):
            node = nodes[moving]
            goes_left = rows[row[moving], self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
            nodes[moving] = node
            moving = moving[self.feature[node] != LEAF]
        sums: NDArray[np.float64] = self.value[nodes].reshape(len(rows), -1).sum(axis=1)
        return sums


def checked_features(features: NDArray[np.float64], n_features: int) -> NDArray[np.float32]:
    """Return rows as trees compare them, float32 (n, n_features); raises ValueError if a column or a value is
    missing.
    """
    if features.ndim != 2 or features.shape[1] != n_features:
        raise ValueError(f"features of shape {features.shape} where the model was fitted on {n_features} columns")
    if len(features) and np.abs(features).max() > np.finfo(np.float32).max:
        raise ValueError("a feature is infinite or beyond float32")
    if np.isnan(features).any():
        column = int(np.flatnonzero(np.isnan(features).any(axis=0))[0])
        raise ValueError(f"feature {column} is missing (NaN) in a row: every feature must have its value")
    return features.astype(np.float32)


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logistic function of values of any shape, without overflow."""
    small = np.exp(-np.abs(logits))
    shares: NDArray[np.float64] = np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
    return shares


def logit(probabilities: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Return the log odds of probabilities, clipped to [least, 1 - least]; any shape."""
    held = np.clip(probabilities, least, 1 - least)
    log_odds: NDArray[np.float64] = np.log(held) - np.log1p(-held)
    return log_odds


def _check_links(trees: Trees) -> None:
    """Raise ValueError unless the nodes form trees: children in bounds, after their parent and with one parent only."""
    n = len(trees.feature)
    inner = np.flatnonzero(trees.feature != LEAF)
    if np.any(trees.feature < LEAF) or np.any(trees.feature >= trees.n_features):
        raise ValueError(f"a node asks for a feature that is none of {trees.n_features}")
    children = np.concatenate([trees.left[inner], trees.right[inner]]).astype(np.int64)
    if np.any(children <= np.tile(inner, 2)) or np.any(children >= n):
        raise ValueError("a child does not lie between its parent and the last node: a cycle, or out of bounds")
    if np.any(trees.roots < 0) or np.any(trees.roots >= n):
        raise ValueError("a root is out of bounds")
    reached = np.concatenate([children, trees.roots.astype(np.int64)])
    if np.bincount(reached, minlength=1).max() > 1:
        raise ValueError("a node has two parents")
    level = trees.roots.astype(np.int64)
    for _ in range(MAX_DEPTH):
        level = level[trees.feature[level] != LEAF]
        if len(level) == 0:
            return
        level = np.concatenate([trees.left[level], trees.right[level]]).astype(np.int64)
    if np.any(trees.feature[level] != LEAF):
        raise ValueError(f"a tree is deeper than {MAX_DEPTH} levels")
