"""Class models by which the level of a recording is told: what embeddings are like in each joint state, at any level.

A joint state is one combination of labels that are on. In each, embeddings are normally distributed around a mean of
their own, with one covariance for all; a level of g dB moves them by g times ``direction``. Up to a constant, the log
likelihood of an embedding x in state c at level g is then ``a[c] + g b[c] - curve g**2 / 2`` with ``a = weights (x -
centre) - bias / 2`` and ``b = slope (x - centre) - cross``: all that is kept of the covariance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_STATES = 4096

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LevelModel:
    """Linear functions of an embedding, from which the likelihood of joint states and levels follows.

    Parameters
    ----------
    states
        bool, shape (n_states, n_labels): which labels are on in each joint state; at least two states, and each label
        is on in some and off in others.
    direction
        float, shape (dim,): how much each value of an embedding changes with one dB.
    centre, slope
        float, shape (dim,).
    weights
        float, shape (n_states, dim).
    bias, cross
        float, shape (n_states,).
    curve
        float, shape (1,), at least 0.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or are not finite.
    """

    states: NDArray[np.bool_]
    direction: Values
    centre: Values
    slope: Values
    weights: Values
    bias: Values
    cross: Values
    curve: Values

    def __post_init__(self) -> None:
        if self.states.ndim != 2 or self.states.dtype != np.bool_ or not 2 <= len(self.states) <= _MOST_STATES:
            raise ValueError(f"states of shape {self.states.shape} and type {self.states.dtype} are no joint states")
        if not (self.states.any(axis=0) & ~self.states.all(axis=0)).all():
            raise ValueError("a label is on, or off, in every joint state")
        n, dim = len(self.states), self.direction.shape[0] if self.direction.ndim == 1 else 0
        for name, shape in (
            ("direction", (dim,)),
            ("centre", (dim,)),
            ("slope", (dim,)),
            ("weights", (n, dim)),
            ("bias", (n,)),
            ("cross", (n,)),
            ("curve", (1,)),
        ):
            values = getattr(self, name)
            if values.shape != shape or values.dtype != np.float64 or not np.isfinite(values).all():
                raise ValueError(
                    f"{name} of shape {values.shape} and type {values.dtype} is not {shape} finite float64"
                )
        if self.curve[0] < 0:
            raise ValueError(f"curve = {self.curve[0]:g} must be at least 0")

    @property
    def dim(self) -> int:
        """Values of an embedding."""
        return len(self.direction)

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return int(self.states.shape[1])

    def lines(self, embedding: NDArray[np.float32]) -> tuple[Values, Values]:
        """Return ``a`` and ``b`` of the module's description, each (n_states,), of an embedding (dim,)."""
        away = embedding.astype(np.float64) - self.centre
        return self.weights @ away - self.bias / 2, float(self.slope @ away) - self.cross

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, the inverse of :func:`level_model_of`; booleans as numbers."""
        names = ("direction", "centre", "slope", "weights", "bias", "cross", "curve")
        return {"states": self.states.astype(np.int32), **{name: getattr(self, name) for name in names}}


def level_model_of(arrays: Mapping[str, NDArray[Any]], dim: int, n_labels: int) -> LevelModel:
    """Return the model that :meth:`LevelModel.arrays` gave.

    Parameters
    ----------
    arrays
        The arrays by name.
    dim, n_labels
        The values of an embedding, and the labels, that the model must have.

    Raises
    ------
    ValueError
        An array is missing, or does not fit.
    """
    names = ("direction", "centre", "slope", "weights", "bias", "cross", "curve")
    for name in ("states", *names):
        if name not in arrays:
            raise ValueError(f"the array {name!r} is missing")
    model = LevelModel(arrays["states"].astype(np.bool_), **{name: arrays[name] for name in names})
    if (model.dim, model.n_labels) != (dim, n_labels):
        raise ValueError(
            f"the class models read {model.dim} values for {model.n_labels} labels, not {dim} for {n_labels}"
        )
    return model
