"""Intervals of figures that resampling with replacement would shift: the jackknife over blocks of recordings.

A bootstrap repeats recordings, and repeated frames lower an entropy and raise mutual information by themselves, so its
percentile intervals of such figures lie beside them. The jackknife repeats nothing: it leaves out one block of
recordings at a time, and takes the spread of the figures of the rest, whose common shift drops out.

References
----------
B. Efron, C. Stein, "The jackknife estimate of variance", Annals of Statistics 9(3), 1981.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

BLOCKS = 20
"""Blocks of recordings that are left out in turn; with fewer recordings, each is a block."""
# Two blocks give an error with one degree of freedom, and an interval that says nothing.
_FEWEST_BLOCKS = 3


def block_of(recordings: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the block of each item from the recording that it belongs to.

    Parameters
    ----------
    recordings
        Numbers of recordings, shape (n,), in any order.

    Returns
    -------
    numpy.ndarray
        int64, shape (n,): blocks from 0, at most :data:`BLOCKS` of them.

    Examples
    --------
    >>> block_of(np.array([7, 7, 3])).tolist()
    [1, 1, 0]
    """
    return np.asarray(np.unique(recordings, return_inverse=True)[1] % BLOCKS, np.int64)


def jackknife_interval(
    value: float, without: Sequence[float], least: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """Return the 95 % interval of a figure from the figures without each block.

    Parameters
    ----------
    value
        The figure of all recordings.
    without
        The figure without each block in turn.
    least, most
        Limits of the figure; the interval ends there.

    Returns
    -------
    tuple[float, float]
        NaN with fewer than 3 blocks, or if a figure is undefined.

    Examples
    --------
    >>> low, high = jackknife_interval(2.0, [1.5, 2.0, 2.5])
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    n = len(without)
    if n < _FEWEST_BLOCKS:
        return math.nan, math.nan
    left = np.asarray(without, np.float64)
    error = math.sqrt((n - 1) / n * float(((left - left.mean()) ** 2).sum()))
    reach = float(student.ppf(0.975, n - 1)) * error
    low, high = np.clip([value - reach, value + reach], least, most).tolist()
    return low, high
