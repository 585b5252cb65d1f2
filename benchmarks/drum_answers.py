"""Answers of two models to the same drum hits: figures, merged labels, and paired intervals over machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.resampling.bootstrap import resampled_weights

FIGURES = ("macro-F1", "accuracy", "F1 kick", "F1 snare")
"""The figures of the bars, in the order of :func:`figures`."""
TOMS = ("tom_low", "tom_mid", "tom_high")


@dataclass(frozen=True, eq=False)
class Answered:
    """Answers of one model to every hit: columns of ``labels``, int64 (n,), hits sorted by recording."""

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    groups: tuple[str, ...]


def merged(scores: NDArray[np.floating], labels: Sequence[str], into: str, which: Sequence[str]) -> tuple:
    """Add the scores of some labels; returns scores, the new labels, and the new column of each old one."""
    names = [into if label in which else label for label in labels]
    new = tuple(sorted(set(names)))
    column = np.array([new.index(name) for name in names], dtype=np.int64)
    out = np.zeros((len(scores), len(new)))
    np.add.at(out.T, column, scores.T)
    return out, new, column


def figures(confusion: NDArray[np.integer], labels: Sequence[str]) -> NDArray[np.float64]:
    """The figures of :data:`FIGURES` from confusion matrices (..., n, n), truth in rows: (..., 4).

    Those of kick and snare are left out where the labels are others.
    A label without hits and answers has no part in macro-F1; one with either has at least the F1 of 0.
    """
    f1 = f1_scores(confusion)
    hits = confusion.sum(axis=(-2, -1))
    accuracy = np.trace(confusion, axis1=-2, axis2=-1) / np.maximum(hits, 1)
    named = [f1[..., labels.index(name)] for name in ("kick", "snare") if name in labels]
    return np.stack([np.nanmean(f1, axis=-1), accuracy, *named], axis=-1)


def f1_scores(confusion: NDArray[np.integer]) -> NDArray[np.float64]:
    """F1 of every label, (..., n); NaN for a label that has neither hits nor answers."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    both = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    return np.where(both > 0, 2 * right / np.where(both > 0, both, 1), np.nan)


def confusions(answered: Answered, weights: NDArray[np.integer]) -> NDArray[np.float64]:
    """The confusion matrix of each row of ``weights`` (b, n), how often every hit counts: (b, n_labels, n_labels)."""
    n = len(answered.labels)
    cells = np.zeros((len(answered.truth), n * n))
    cells[np.arange(len(answered.truth)), answered.truth * n + answered.answer] = 1
    return (weights @ cells).reshape(-1, n, n)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Figures of ours, of the baseline, and of the difference: float64 (3, 4); limits of the same shape."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def compared(
    ours: Sequence[Answered], theirs: Sequence[Answered], n: int, seed: int = 0, equal_shares: bool = False
) -> Compared:
    """The means over seeds of two models, with 95 % intervals over machines that both share.

    In each resample the machines, and the hits within each, are drawn once for all seeds and both models. With
    ``equal_shares`` the figures are those of a test in which every label is equally frequent.
    """
    value = _means(ours, theirs, np.ones((1, len(ours[0].truth)), dtype=np.int64), equal_shares)[:, 0]
    drawn = resampled_weights(ours[0].groups, n, seed)
    draws = np.concatenate([_means(ours, theirs, weights, equal_shares) for weights in drawn], axis=1)
    low, high = np.nanquantile(draws, [0.025, 0.975], axis=1)
    return Compared(value, low, high)


def _means(
    ours: Sequence[Answered], theirs: Sequence[Answered], weights: NDArray[np.int64], equal_shares: bool
) -> NDArray[np.float64]:
    """(3, b, 4): ours, theirs and the difference for every row of weights."""

    def of(answered: Answered) -> NDArray[np.float64]:
        matrix = confusions(answered, weights)
        if equal_shares:
            matrix = matrix / np.maximum(matrix.sum(axis=-1, keepdims=True), 1)
        return figures(matrix, answered.labels)

    both = [np.mean([of(model) for model in models], axis=0) for models in (ours, theirs)]
    return np.stack([*both, both[0] - both[1]])


def recalls(answered_seeds: Sequence[Answered]) -> Mapping[str, float]:
    """The recall of each label in the mean of the seeds."""
    shares = []
    for answered in answered_seeds:
        matrix = confusions(answered, np.ones((1, len(answered.truth)), dtype=np.int64))[0]
        shares.append(np.diagonal(matrix) / np.maximum(matrix.sum(axis=1), 1))
    return dict(zip(answered_seeds[0].labels, np.mean(shares, axis=0).tolist(), strict=True))
