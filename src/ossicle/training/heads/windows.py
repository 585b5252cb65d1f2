"""Embeddings of windows with what is known about them: the material of a head."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class HeadWindows:
    """Embeddings and targets of n windows.

    Attributes
    ----------
    features
        float16 or float32, shape (n, tokens, dim); a memory-mapped array is read batch by batch.
    targets
        float32, shape (n, n_labels), in [0, 1]; values that are not known may be anything, NaN included.
    known
        bool, shape (n, n_labels): whether a target is known.
    weights
        float32, shape (n,): weight of each window, at least 0.
    groups
        str, shape (n,): the group that a split must not cut, for example the recording.
    """

    features: NDArray[Any]
    targets: NDArray[np.float32]
    known: NDArray[np.bool_]
    weights: NDArray[np.float32]
    groups: NDArray[np.str_]

    def __post_init__(self) -> None:
        """Raise ValueError if the arrays do not fit each other."""
        n = len(self.features)
        if self.features.ndim != 3 or 0 in self.features.shape:
            raise ValueError(f"features of shape {self.features.shape} must be (windows, tokens, dim), none of them 0")
        if self.features.dtype not in (np.float16, np.float32):
            raise ValueError(f"features of type {self.features.dtype} must be float16 or float32")
        if self.targets.ndim != 2 or self.targets.shape != self.known.shape or self.targets.shape[1] == 0:
            raise ValueError(f"targets {self.targets.shape} and known {self.known.shape} must be (windows, labels)")
        lengths = {"targets": len(self.targets), "weights": len(self.weights), "groups": len(self.groups)}
        for name, length in lengths.items():
            if length != n:
                raise ValueError(f"{length} {name} for {n} windows")
        known_targets = self.targets[self.known]
        if not bool(np.all((known_targets >= 0) & (known_targets <= 1))):
            raise ValueError("known targets must lie in [0, 1]")
        if not bool(np.all(np.isfinite(self.weights) & (self.weights >= 0))):
            raise ValueError("weights of windows must be finite and at least 0")

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return int(self.targets.shape[1])

    @property
    def dim(self) -> int:
        """Values of one token."""
        return int(self.features.shape[2])

    def select(self, rows: NDArray[np.int64]) -> "HeadWindows":
        """Return some of the windows."""
        return HeadWindows(
            self.features[rows], self.targets[rows], self.known[rows], self.weights[rows], self.groups[rows]
        )
