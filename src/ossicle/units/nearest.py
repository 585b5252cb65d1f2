"""The nearest of some centres for each frame, by one matrix product a block, exact where the product cannot decide.

The squared distance of frame x and centre c is ``|x|^2 - 2 x.c + |c|^2``. The first term is equal for all centres, and
a matrix product gives the second for many frames at once, in float32. Rounding may swap two centres that are almost
equally near. So every centre within the largest possible rounding error of the best one is compared again in float64;
of centres at equal distance the first wins, as in scikit-learn's ``predict``. A label therefore does not depend on the
size of a block, on the number of threads or on the library of the product.
"""

from collections.abc import Callable

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
_LEAST_ROWS, _MOST_ROWS = 64, 1024
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
        # The squares are one more row of the product, because frames get one more value, 1: that costs less than a sum.
        self._product = np.vstack([-2 * centres.T, squares[None]]).astype(np.float32)
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
        rows = min(self._rows, len(frames))
        block = np.ones((rows, len(self._product)), np.float32)
        scores = np.empty((rows, len(self._exact)), np.float32)
        for first in range(0, len(frames), self._rows):
            part = frames[first : first + self._rows]
            block[: len(part), :-1] = part
            found[first : first + len(part)] = self._block(block[: len(part)], scores[: len(part)])
        return found

    def _block(self, block: Frames, scores: NDArray[np.float32]) -> NDArray[np.intp]:
        """Return the labels of frames with one more value, 1; ``scores`` (n, k) is overwritten."""
        frames = block[:, :-1]
        squares = np.vecdot(frames, frames)
        if not np.isfinite(squares).all():
            raise ValueError("a frame has a value that is NaN or infinite, or too large")
        if self._screen is None:
            np.matmul(block, self._product, out=scores)
            error = np.float32(self._bound * self._longest) * (2 * np.sqrt(squares) + np.float32(self._longest))
        else:
            scores, error = self._screen(frames)
        labels: NDArray[np.intp] = scores.argmin(axis=1)
        places = np.arange(len(frames)), labels
        limit = scores[places] + 2 * error
        possible = scores <= limit[:, None]
        possible[places] = False
        others = np.flatnonzero(possible)
        if len(others):
            self._decide(frames, others, labels)
        return labels

    def _decide(self, frames: Frames, others: NDArray[np.intp], labels: NDArray[np.intp]) -> None:
        """Correct the labels of frames with ``others``, further possible centres (frame times k plus centre)."""
        rows, centres = np.divmod(others, len(self._exact))
        several = np.unique(rows)
        rows, centres = np.concatenate([rows, several]), np.concatenate([centres, labels[several]])
        distances = np.square(frames[rows].astype(np.float64) - self._exact[centres]).sum(axis=1)
        order = np.lexsort((centres, distances, rows))
        rows, centres = rows[order], centres[order]
        nearest = np.concatenate([[True], rows[1:] != rows[:-1]])
        labels[rows[nearest]] = centres[nearest]
