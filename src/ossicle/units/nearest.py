"""The nearest of some centres for each frame, by one matrix product a block, exact where the product cannot decide.

The squared distance of frame x and centre c is ``|x|^2 - 2 x.c + |c|^2``. The first term is equal for all centres, and
a matrix product gives the second for many frames at once, in float32. Rounding may swap two centres that are almost
equally near. So every centre within the largest possible rounding error of the best one is compared again in float64;
of centres at equal distance the first wins, as in scikit-learn's ``predict``. A label therefore does not depend on the
size of a block, on the number of threads or on the library of the product.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]
Labels = NDArray[np.int16]

Screen = Callable[[Frames], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Scores of frames (n, dim) that a processor computes faster than float32: approximations (n, n_centres) of
``|c|^2 - 2 x.c``, and bounds (n,) of their errors. See ``ossicle.training`` for the one in bfloat16."""

MOST_CENTRES = int(np.iinfo(np.int16).max)
"""Most centres: a label is an int16."""

# Frames of a block: their scores for 100 centres, 400 KB, stay within a core's second cache.
_BLOCK_VALUES = 1 << 17
_LEAST_ROWS, _MOST_ROWS = 64, 2048
_ROUNDING = 2.0**-24


class NearestCentre:
    """Find the nearest centre of frames.

    Parameters
    ----------
    centres
        float32, finite, shape (k, dim), k from 1 to :data:`MOST_CENTRES`.
    screen
        A faster computation of approximate scores; None: float32. It does not change the labels.

    Raises
    ------
    ValueError
        The centres have another shape or are not finite.

    Examples
    --------
    >>> nearest = NearestCentre(np.array([[0.0, 0.0], [4.0, 0.0]], np.float32))
    >>> nearest.labels(np.array([[1.0, 1.0], [3.0, 0.0], [2.0, 0.0]], np.float32)).tolist()
    [0, 1, 0]
    """

    def __init__(self, centres: Frames, screen: Screen | None = None) -> None:
        centres = np.ascontiguousarray(centres, np.float32)
        if centres.ndim != 2 or not 1 <= len(centres) <= MOST_CENTRES or centres.shape[1] < 1:
            raise ValueError(f"centres have the shape {centres.shape}, not (1 to {MOST_CENTRES}, dim)")
        if not np.isfinite(centres).all():
            raise ValueError("a centre has a value that is NaN or infinite")
        k, dim = centres.shape
        self._exact = centres.astype(np.float64)
        squares = np.square(self._exact).sum(axis=1)
        self._squares = squares.astype(np.float32)
        self._twice = np.ascontiguousarray(-2 * centres.T)
        self._screen = screen
        self._longest = float(np.sqrt(squares.max()))
        # A sum of n rounded products errs by at most n roundings of the sum of their magnitudes (Higham 2002, 3.1).
        self._bound = (dim + 4) * _ROUNDING
        self._rows = min(_MOST_ROWS, max(_LEAST_ROWS, _BLOCK_VALUES // k))

    def labels(self, frames: Frames) -> Labels:
        """Return the number of the nearest centre of each frame.

        Parameters
        ----------
        frames
            float32, shape (n, dim).

        Returns
        -------
        Labels
            int16, shape (n,).

        Raises
        ------
        ValueError
            The frames have another shape, or a value is NaN or infinite.

        References
        ----------
        N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM 2002, section 3.1 (the bound of
        the rounding errors of an inner product).
        """
        if frames.ndim != 2 or frames.shape[1] != self._exact.shape[1]:
            raise ValueError(f"frames have the shape {frames.shape}, not (n, {self._exact.shape[1]})")
        found = np.empty(len(frames), np.int16)
        scores = np.empty((min(self._rows, len(frames)), len(self._exact)), np.float32)
        for first in range(0, len(frames), self._rows):
            block = np.ascontiguousarray(frames[first : first + self._rows], np.float32)
            found[first : first + len(block)] = self._block(block, scores[: len(block)])
        return found

    def _block(self, frames: Frames, scores: NDArray[np.float32]) -> NDArray[np.intp]:
        lengths = np.sqrt(np.einsum("ij,ij->i", frames, frames))
        if not np.isfinite(lengths).all():
            raise ValueError("a frame has a value that is NaN or infinite, or too large")
        if self._screen is None:
            np.matmul(frames, self._twice, out=scores)
            scores += self._squares
            error: NDArray[Any] = self._bound * self._longest * (2 * lengths + self._longest)
        else:
            scores, error = self._screen(frames)
        labels: NDArray[np.intp] = scores.argmin(axis=1)
        best = np.take_along_axis(scores, labels[:, None], axis=1)
        possible = scores <= best + 2 * error[:, None].astype(np.float32)
        if np.count_nonzero(possible) > len(frames):
            self._decide(frames, possible, labels)
        return labels

    def _decide(self, frames: Frames, possible: NDArray[np.bool_], labels: NDArray[np.intp]) -> None:
        """Compare the possible centres of frames that have more than one in float64, and correct their labels."""
        rows, centres = np.nonzero(possible)
        same = rows[1:] == rows[:-1]
        several = np.concatenate([same, [False]]) | np.concatenate([[False], same])
        rows, centres = rows[several], centres[several]
        distances = np.square(frames[rows].astype(np.float64) - self._exact[centres]).sum(axis=1)
        order = np.lexsort((centres, distances, rows))
        rows, centres = rows[order], centres[order]
        nearest = np.concatenate([[True], rows[1:] != rows[:-1]])
        labels[rows[nearest]] = centres[nearest]
