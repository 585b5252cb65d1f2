"""Measures of calibration: of the frames scored 0.7, are seven in ten positive?

Scores are sorted into bins of equal width, ``(k / n, (k + 1) / n]``, with 0 in the first, as ``sklearn.calibration``
does. The expected calibration error (ECE) is the mean distance between the mean score of a bin and the share of
positives in it, weighted by the weight of the bins (Naeini et al. 2015). The Brier score is the mean squared distance
between score and truth (Brier 1950); it needs no bins. Frames count with their weights, usually their length in
seconds. The sums can be added over recordings and classes, so a corpus need not be in memory.

References
----------
M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, 1950.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_BINS = 10


@dataclass(frozen=True, slots=True)
class CalibrationSums:
    """Sums over frames per bin: weights, weighted scores, and weights of positives; each float64, shape (n_bins,).

    ``squared``: weighted squared distances between scores and truth, over all bins.
    """

    weight: NDArray[np.float64]
    score: NDArray[np.float64]
    positive: NDArray[np.float64]
    squared: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The reliability table with its ECE and Brier score.

    ``edges``: float64, shape (n_bins + 1,). ``weight``, ``mean_score``, ``share_positive``: shape (n_bins,); the latter
    two are NaN where a bin is empty. ``ece`` and ``brier``: in [0, 1], NaN without frames.
    """

    edges: NDArray[np.float64]
    weight: NDArray[np.float64]
    mean_score: NDArray[np.float64]
    share_positive: NDArray[np.float64]
    ece: float
    brier: float


def calibration_sums(
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
    n_bins: int = N_BINS,
) -> CalibrationSums:
    """Return the sums of some frames.

    Parameters
    ----------
    scores
        In [0, 1], shape (n,).
    positive
        Whether each frame is positive, shape (n,).
    weights
        At least 0, shape (n,); 1 for each frame by default.
    n_bins
        Number of bins.

    Raises
    ------
    ValueError
        If lists differ in length, scores are outside [0, 1] (they are no probabilities), or weights are below 0.
    """
    score = np.asarray(scores, dtype=np.float64)
    weight = np.ones(len(score)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (score.shape == np.shape(positive) == weight.shape and score.ndim == 1):
        raise ValueError(
            f"scores {score.shape}, truth {np.shape(positive)} and weights {weight.shape} must be lists of one length"
        )
    if not np.all((score >= 0) & (score <= 1)):
        raise ValueError("a score is outside 0 to 1, so it is not a probability and has no calibration")
    if not np.all(weight >= 0):
        raise ValueError("a weight is negative or not a number")
    return calibration_sums_of_rows(score[None], np.asarray(positive)[None], weight[None], n_bins)[0]


def calibration_sums_of_rows(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], weights: NDArray[np.float64], n_bins: int = N_BINS
) -> list[CalibrationSums]:
    """Return the sums of the frames of each row: scores in [0, 1], truth and weights (at least 0), (n_rows, n) each."""
    score, truth = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=np.float64)
    n_rows, row = len(score), np.arange(len(score))[:, None] * n_bins
    bin_index = (np.searchsorted(_edges(n_bins)[1:-1], score) + row).ravel()
    weight_of, score_of, positive_of = (
        np.bincount(bin_index, weights=amount.ravel(), minlength=n_rows * n_bins)
        .astype(np.float64)
        .reshape(n_rows, n_bins)
        for amount in (weights, weights * score, weights * truth)
    )
    squared = np.sum(np.ascontiguousarray(weights * (score - truth) ** 2), axis=1)
    return [CalibrationSums(weight_of[k], score_of[k], positive_of[k], float(squared[k])) for k in range(n_rows)]


def added(sums: Iterable[CalibrationSums], n_bins: int = N_BINS) -> CalibrationSums:
    """Return the total of several sums."""
    total = CalibrationSums(np.zeros(n_bins), np.zeros(n_bins), np.zeros(n_bins), 0.0)
    for part in sums:
        total = CalibrationSums(
            total.weight + part.weight,
            total.score + part.score,
            total.positive + part.positive,
            total.squared + part.squared,
        )
    return total


def calibration(sums: CalibrationSums) -> Calibration:
    """Return the reliability table of the sums.

    >>> scores, positive = np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, False, True, False])
    >>> found = calibration(calibration_sums(scores, positive))
    >>> round(found.ece, 3), round(found.brier, 3)
    (0.25, 0.21)
    """
    total = float(sums.weight.sum())
    empty = np.full(len(sums.weight), np.nan)
    is_filled = sums.weight > 0
    mean_score = np.divide(sums.score, sums.weight, out=empty.copy(), where=is_filled)
    share = np.divide(sums.positive, sums.weight, out=empty.copy(), where=is_filled)
    distance = float(np.sum(np.abs(sums.score - sums.positive)))
    ece, brier = (distance / total, sums.squared / total) if total > 0 else (np.nan, np.nan)
    return Calibration(_edges(len(sums.weight)), sums.weight, mean_score, share, ece, brier)


def _edges(n_bins: int) -> NDArray[np.float64]:
    return np.linspace(0.0, 1.0, n_bins + 1)
