"""Runs of equal scores against sorting their places, exactly."""

import math

import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

from ossicle.metrics.ranking import average_precision, pr_curve, rank_figures, roc_auc
from ossicle.metrics.tied_scores import TiedScores


def by_places(scores: NDArray, positive: NDArray) -> tuple[NDArray, NDArray, NDArray, float]:
    """Return distinct scores, precision, recall and ROC AUC, with the places sorted and ranked in 64 bits."""
    scores = scores.astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits, n = np.cumsum(positive[order])[last], int(positive.sum())
    won = scipy.stats.rankdata(scores)[positive].sum() - n * (n + 1) / 2
    return scores[order][last], hits / (last + 1.0), hits / n, float(won / (n * (len(scores) - n)))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("decimals", [None, 1])
def test_equals_sorting_of_places(kind: type, decimals: int | None) -> None:
    generator = np.random.default_rng(0)
    for n in (2, 3, 50, 3000):
        scores = generator.normal(size=n)
        scores = (scores if decimals is None else np.round(scores, decimals)).astype(kind)
        scores[:2] = 0.0, -0.0
        positive = generator.random(n) < 0.3
        positive[0], positive[-1] = True, False
        values, precision, recall, area = by_places(scores, positive)
        curve = pr_curve(scores, positive)
        assert curve.thresholds.tolist() == values.tolist()
        assert curve.precision.tolist() == precision.tolist()
        assert curve.recall.tolist() == recall.tolist()
        assert roc_auc(scores, positive) == area
        assert rank_figures(scores, positive) == (average_precision(scores, positive), area)


def test_extreme_scores_keep_their_order() -> None:
    scores = np.array([-np.inf, -1e30, -1e-45, -0.0, 0.0, 1e-45, 1.0, 3e38, np.inf], dtype=np.float32)
    runs = TiedScores.of(scores, np.ones(9, dtype=np.bool_))
    assert runs.values.tolist() == sorted(set(scores.astype(np.float64).tolist()), reverse=True)
    assert runs.accepted.tolist() == runs.hits.tolist() == [1, 2, 3, 4, 6, 7, 8, 9]


@pytest.mark.parametrize("truth", [[], [True, True], [False, False]])
def test_without_positives_or_negatives_nothing_is_defined(truth: list[bool]) -> None:
    scores = np.array([0.5, 0.7], dtype=np.float32)[: len(truth)]
    assert all(math.isnan(one) for one in rank_figures(scores, np.array(truth, dtype=np.bool_)))
