"""Ranking of many labels against scikit-learn, and resamples against ranking each of them anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from ossicle.metrics.resampling.bootstrap import resampled_weights
from ossicle.metrics.resampling.ranking_bootstrap import ranking


def one_case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Few distinct scores (ties), labels that are absent or everywhere, few items."""
    rng = np.random.default_rng(seed)
    n, n_labels = int(rng.integers(1, 40)), int(rng.integers(1, 7))
    scores = rng.integers(0, rng.integers(2, 20), (n, n_labels)) / 19
    shares = rng.choice([0.0, 0.1, 0.5, 1.0], n_labels)
    return scores, rng.random((n, n_labels)) < shares


@pytest.mark.parametrize("seed", range(100))
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    scores, positive = one_case(seed)
    ranked = ranking(scores, positive, np.arange(len(scores)), ["g"] * len(scores), 0, 0)
    aps, aucs = [], []
    for column in range(scores.shape[1]):
        truth, label_scores = positive[:, column], scores[:, column]
        if truth.any() and not truth.all():
            aps.append(average_precision_score(truth, label_scores))
            assert ranked.average_precision[column].value == pytest.approx(aps[-1], abs=1e-9)
            aucs.append(roc_auc_score(truth, label_scores))
            assert ranked.roc_auc[column].value == pytest.approx(aucs[-1], abs=1e-9)
        else:
            # Without negatives scikit-learn gives an average precision of 1, whatever the scores.
            assert np.isnan(ranked.average_precision[column].value)
            assert np.isnan(ranked.roc_auc[column].value)
    # Labels without positives or negatives are left out of the mean: neither 0 nor 1 stands in for them.
    assert ranked.cmap.value == pytest.approx(np.mean(aps) if aps else np.nan, abs=1e-9, nan_ok=True)
    assert ranked.macro_roc_auc.value == pytest.approx(np.mean(aucs) if aucs else np.nan, abs=1e-9, nan_ok=True)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_a_resample_is_the_ranking_of_the_items_it_draws(seed: int) -> None:
    scores, positive = one_case(seed)
    rng = np.random.default_rng(seed)
    n_recordings = int(rng.integers(2, 8))
    recording = np.sort(rng.integers(0, n_recordings, len(scores)))
    groups = [f"g{k % 3}" for k in range(n_recordings)]
    ranked = ranking(scores, positive, recording, groups, 20, seed)
    cmaps, aucs = [], []
    for weights in np.concatenate(list(resampled_weights(groups, 20, seed))):
        rows = np.repeat(np.arange(len(scores)), weights[recording])
        if len(rows) == 0:
            continue
        again = ranking(scores[rows], positive[rows], np.zeros(len(rows), dtype=np.int64), ["g"], 0, 0)
        cmaps.append(again.cmap.value)
        aucs.append(again.macro_roc_auc.value)
    for draws, estimate in ((cmaps, ranked.cmap), (aucs, ranked.macro_roc_auc)):
        known = [value for value in draws if not np.isnan(value)]
        if known:
            low, high = np.quantile(known, [0.025, 0.975])
            assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-9)
        else:
            assert np.isnan(estimate.low)
            assert np.isnan(estimate.high)


def test_nothing_to_rank_is_nan_and_a_nan_score_is_refused() -> None:
    ranked = ranking(np.zeros((0, 2)), np.zeros((0, 2), dtype=bool), np.zeros(0, dtype=np.int64), [], 10, 0)
    assert np.isnan(ranked.cmap.value)
    with pytest.raises(ValueError, match="NaN"):
        ranking(np.array([[np.nan]]), np.array([[True]]), np.array([0]), ["g"], 0, 0)
    with pytest.raises(ValueError, match="disagree"):
        ranking(np.zeros((2, 1)), np.zeros((2, 1), dtype=bool), np.array([0]), ["g"], 0, 0)
