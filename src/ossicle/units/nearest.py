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
``|c|^2 - 2 x.c``, and bounds (n,) of their errors; ``ossicle.training.quantiser`` has the one in bfloat16."""
Screens = Callable[[Frames], Screen | None]
"""Returns the screen of centres (k, dim), or None where there is no faster one."""

MOST_CENTRES = int(np.iinfo(np.int16).max)
"""Most centres: a label is an int16."""

# Frames of a block: their scores for 100 centres, 400 KB, stay within a core's second cache.
_BLOCK_VALUES = 1 << 17
_LEAST_ROWS, _MOST_ROWS = 64, 1024
_ROUNDING = 2.0**-24
# Largest squared length of a frame or centre: scores are at most three times as large, and fit into float32.
_MOST_SQUARE = float(np.finfo(np.float32).max) / 8
_JOINED_DIM = 128
# A screen has a cost for each call, and is given up where it leaves more frames than this share undecided.
_SCREEN_ROWS, _MOST_UNDECIDED = 4096, 0.1


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
        The centres have another shape, or a value is NaN, infinite or too large.

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
        k, dim = centres.shape
        self._exact = centres.astype(np.float64)
        squares = np.square(self._exact).sum(axis=1)
        if not (squares <= _MOST_SQUARE).all():
            raise ValueError("a centre has a value that is NaN or infinite, or too large")
        self._squares = squares.astype(np.float32)
        # With one more value, 1, in each frame the squares are a row of the product. For short frames, the copy costs
        # less than adding them.
        self._joined = dim <= _JOINED_DIM
        self._product = np.ascontiguousarray(-2 * centres.T)
        if self._joined:
            self._product = np.vstack([self._product, self._squares[None]])
        self._screen = screen
        self._longest = float(np.sqrt(squares.max()))
        # A sum of n rounded products errs by at most n roundings of the sum of their magnitudes (Higham 2002, 3.1).
        self._bound = (dim + 4) * _ROUNDING
        self._rows = min(_MOST_ROWS, max(_LEAST_ROWS, _BLOCK_VALUES // k))

    @property
    def screens(self) -> bool:
        """Whether a screen is used: there is one, and it has not left too many frames undecided."""
        return self._screen is not None

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
            The frames have another shape, or a value is NaN, infinite or too large.

        References
        ----------
        N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM 2002, section 3.1 (the bound of
        the rounding errors of an inner product).
        """
        if frames.ndim != 2 or frames.shape[1] != self._exact.shape[1]:
            raise ValueError(f"frames have the shape {frames.shape}, not (n, {self._exact.shape[1]})")
        return self._labels(frames, self._screen)

    def _labels(self, frames: Frames, screen: Screen | None) -> Labels:
        nearest = np.empty(len(frames), np.int16)
        rows = min(self._rows if screen is None else _SCREEN_ROWS, len(frames))
        block = np.ones((rows if self._joined else 0, len(self._product)), np.float32)
        scores = np.empty((rows, len(self._exact)), np.float32)
        for first in range(0, len(frames), max(1, rows)):
            part = np.ascontiguousarray(frames[first : first + rows], np.float32)
            square = float(np.vecdot(part, part).max())
            if not square <= _MOST_SQUARE:
                raise ValueError("a frame has a value that is NaN or infinite, or too large")
            if screen is not None:
                nearest[first : first + len(part)] = self._screened(part, screen)
                continue
            part_scores = scores[: len(part)]
            if self._joined:
                block[: len(part), :-1] = part
                np.matmul(block[: len(part)], self._product, out=part_scores)
            else:
                np.matmul(part, self._product, out=part_scores)
                part_scores += self._squares
            # One bound for all frames of the block: computing that of each takes longer than what it decides.
            longest = float(np.sqrt(square))
            error = np.float32(self._bound * self._longest * (2 * longest + self._longest))
            labels, others = _possible(part_scores, error)
            if len(others):
                self._decide(part, others, labels)
            nearest[first : first + len(part)] = labels
        return nearest

    def _screened(self, frames: Frames, screen: Screen) -> NDArray[np.intp]:
        """Return the labels of frames (n, dim) of which those that the screen cannot decide are computed again."""
        labels, others = _possible(*screen(frames))
        if len(others):
            several = np.unique(others // len(self._exact))
            labels[several] = self._labels(frames[several], None)
            if len(several) > _MOST_UNDECIDED * len(frames):
                self._screen = None
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


def _possible(scores: Frames, error: Frames | np.float32) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the place of the smallest score of each row (n, k), and the flat places of those that may be smaller.

    ``error`` is the largest error of the scores of each row (n,), or of all.
    """
    labels: NDArray[np.intp] = scores.argmin(axis=1)
    places = np.arange(len(scores)), labels
    limit = scores[places] + 2 * error
    possible = scores <= limit[:, None]
    possible[places] = False
    return labels, np.flatnonzero(possible)
