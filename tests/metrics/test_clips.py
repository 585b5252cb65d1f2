import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score

from ossicle.core.tracks import ScoreTrack
from ossicle.metrics.clips import best_f1_threshold, clip_figures, clip_scores


@st.composite
def clips(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(8, 60))
    # Few distinct scores, so that there are ties.
    scores = np.array(draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))) / 12
    positive = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    folds = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    return scores, positive, folds


@given(clips(), st.booleans())
@settings(deadline=None, max_examples=150)
def test_figures_are_those_of_scikit_learn(found: tuple[np.ndarray, np.ndarray, np.ndarray], once: bool) -> None:
    scores, positive, folds = found
    judged = [0] if once else [0, 1, 2]
    figures = clip_figures(scores, positive, folds, judged)
    keep = np.isin(folds, judged)
    truth = positive[keep]
    assert (figures.n_positive, figures.n_negative) == (truth.sum(), (~truth).sum())
    if 0 < truth.sum() < len(truth):
        assert figures.average_precision == pytest.approx(average_precision_score(truth, scores[keep]))
        assert figures.roc_auc == pytest.approx(roc_auc_score(truth, scores[keep]))
    predicted = np.zeros(len(scores), dtype=bool)
    for fold in judged:
        other = folds != fold
        if not positive[other].any() or positive[other].all():
            assert np.isnan(figures.thresholds[fold])
            continue
        # By hand: every score of the other folds is tried.
        tried = {limit: f1_score(positive[other], scores[other] >= limit) for limit in np.unique(scores[other])}
        best = max(tried.values())
        assert figures.thresholds[fold] == max(limit for limit, f1 in tried.items() if f1 > best - 1e-9)
        predicted[folds == fold] = scores[folds == fold] >= figures.thresholds[fold]
    if truth.any() and not any(np.isnan(figures.thresholds[int(fold)]) for fold in folds[keep]):
        expected = np.nan if truth.all() else f1_score(truth, predicted[keep])
        assert figures.f1 == pytest.approx(expected, nan_ok=True)
        assert figures.accuracy == pytest.approx(accuracy_score(truth, predicted[keep]))


def test_no_clip_of_a_fold_chooses_its_threshold() -> None:
    scores, folds = np.array([0.9, 0.2, 0.8, 0.7]), np.array([0, 0, 1, 1])
    val = np.array([True, False])
    figures = clip_figures(scores, np.array([True, False, *val]), folds, [0])
    other = clip_figures(scores, np.array([False, True, *val]), folds, [0])
    assert figures.thresholds == other.thresholds == {0: 0.8}
    assert (figures.f1, other.f1) == (1.0, 0.0)


def test_nothing_to_count_is_none_and_not_zero() -> None:
    figures = clip_figures(np.array([0.3, 0.4]), np.array([False, False]), np.array([0, 1]), [0]).to_json()
    assert figures["average_precision"] is figures["f1"] is figures["roc_auc"] is figures["accuracy"] is None
    assert figures["thresholds"] == {"0": None}
    assert best_f1_threshold(np.array([0.5, 0.2]), np.array([True, False])) == 0.5
    # Without negatives the lowest score would be the best threshold of any model.
    assert np.isnan(best_f1_threshold(np.array([0.5, 0.2]), np.array([True, True])))


def test_clips_without_negatives_have_a_recall_and_an_accuracy_only():
    scores, folds = np.array([0.9, 0.4, 0.8, 0.3]), np.array([0, 0, 1, 1])
    figures = clip_figures(scores, np.array([True, True, True, False]), folds, [0]).to_json()
    assert (figures["recall"], figures["accuracy"]) == (0.5, 0.5)
    assert [figures[name] for name in ("f1", "precision", "average_precision", "roc_auc")] == [None] * 4


def test_a_clip_has_the_highest_score_of_the_frames_in_it() -> None:
    scores = np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.4]], np.float32)
    track = ScoreTrack(("a", "b"), scores, 0.5, 2.0)
    spans = np.array([[0.0, 1.0], [0.3, 1.3], [0.76, 0.9], [1.9, 2.4], [1.25, 1.25]])
    np.testing.assert_allclose(
        clip_scores(track, spans), [[0.2, 0.9], [0.7, 0.8], [0.2, 0.8], [0.4, 0.4], [0.7, 0.3]], rtol=1e-6
    )
    with pytest.raises(ValueError, match="without frames"):
        clip_scores(ScoreTrack(("a",), np.zeros((0, 1), np.float32), 0.5, 0.0), spans)


@given(st.integers(1, 30), st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2)), max_size=8), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_clip_scores_as_a_slow_loop(n: int, pairs: list[tuple[float, float]], seed: int) -> None:
    scores = np.random.default_rng(seed).random((n, 2)).astype(np.float32)
    track = ScoreTrack(("a", "b"), scores, 0.1, n * 0.1)
    spans = np.array([(start, start + length) for start, length in pairs]).reshape(-1, 2)
    for (start, end), found in zip(spans, clip_scores(track, spans), strict=True):
        inside = [k for k in range(n) if start <= 0.05 + k * 0.1 <= end] or [min(int((start + end) / 0.2), n - 1)]
        np.testing.assert_array_equal(found, scores[inside].max(axis=0))
