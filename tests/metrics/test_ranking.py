"""Ranking figures against scikit-learn, and the event curve against counting by hand and by threshold."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.metrics.matching.rules import CollarMatch, IouMatch, candidates
from ossicle.metrics.ranking import (
    average_precision,
    event_average_precision,
    event_pr_curve,
    false_alarms_per_hour,
    pr_curve,
    roc_auc,
)


@settings(deadline=None, max_examples=200)
@given(st.integers(2, 200), st.integers(1, 30), st.integers(0, 10_000))
def test_equals_scikit_learn_with_ties(n: int, levels: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores, labels = generator.integers(0, levels, n) / levels, generator.random(n) < 0.3
    labels[:2] = True, False
    assert average_precision(scores, labels) == pytest.approx(
        sklearn.metrics.average_precision_score(labels, scores), abs=1e-9
    )
    assert roc_auc(scores, labels) == pytest.approx(sklearn.metrics.roc_auc_score(labels, scores), abs=1e-9)
    precision, recall, thresholds = sklearn.metrics.precision_recall_curve(labels, scores)
    curve = pr_curve(scores, labels)
    np.testing.assert_allclose(curve.thresholds, thresholds[::-1])
    np.testing.assert_allclose(curve.precision, precision[-2::-1])
    np.testing.assert_allclose(curve.recall, recall[-2::-1])


def test_undefined_figures_are_nan() -> None:
    scores = np.array([0.1, 0.9])
    assert math.isnan(average_precision(scores, np.array([False, False])))
    assert math.isnan(roc_auc(scores, np.array([True, True])))
    # scikit-learn gives 1 here, whatever the scores.
    assert math.isnan(average_precision(scores, np.array([True, True])))
    assert not pr_curve(scores, np.array([True, True])).defined
    assert math.isnan(average_precision(np.empty(0), np.empty(0, dtype=bool)))
    assert math.isnan(event_average_precision({}, {}, IouMatch()))
    assert math.isnan(event_average_precision({}, {"r": (np.array([[0.0, 1.0]]), np.array([0.5]))}, IouMatch()))
    assert math.isnan(event_pr_curve({}, {}, IouMatch()).average_precision)
    assert math.isnan(false_alarms_per_hour(3, 0.0))


def test_a_score_without_rank_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        roc_auc(np.array([0.1, np.nan]), np.array([True, False]))
    with pytest.raises(ValueError, match="one length"):
        pr_curve(np.array([0.1]), np.array([True, False]))
    with pytest.raises(ValueError, match="2 predictions come with 1 scores"):
        event_pr_curve({}, {"r": (np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([0.5]))}, IouMatch())


def test_event_curve_by_hand() -> None:
    references = {"a": np.array([[0.0, 1.0], [2.0, 3.0]]), "b": np.array([[0.0, 1.0]])}
    predictions = {
        "a": (np.array([[0.0, 1.0], [0.1, 1.0], [2.0, 3.0]]), np.array([0.9, 0.8, 0.6])),
        "c": (np.array([[5.0, 6.0]]), np.array([0.6])),
    }
    curve = event_pr_curve(references, predictions, IouMatch())
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.6]
    assert curve.precision.tolist() == [1.0, 0.5, 0.5]
    np.testing.assert_allclose(curve.recall, [1 / 3, 1 / 3, 2 / 3])
    assert event_average_precision(references, predictions, IouMatch()) == pytest.approx(1 / 3 + 0.5 / 3)
    assert event_average_precision(references, {}, IouMatch()) == 0.0


def test_a_better_score_goes_first_and_takes_the_best_reference() -> None:
    references = {"a": np.array([[0.0, 1.0], [0.5, 1.5]])}
    # The first takes the second reference (IoU 1); the other then finds only that one within reach.
    predictions = {"a": (np.array([[0.5, 1.5], [0.6, 1.5]]), np.array([0.9, 0.8]))}
    assert event_pr_curve(references, predictions, IouMatch(threshold=0.6)).recall.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("shift_s", [0.0, 1234.5])
def test_at_a_collar_the_nearest_of_those_that_do_not_overlap_is_taken(shift_s: float) -> None:
    """Two references, both within the collar and both without a shared moment; the better one is needed later."""
    references = {"a": np.array([[0.30, 0.34], [0.10, 0.14]]) + shift_s}
    # The first is 0.15 s from 0.10 and 0.05 s from 0.30; the second reaches only 0.10.
    predictions = {"a": (np.array([[0.25, 0.29], [0.0, 0.04]]) + shift_s, np.array([0.9, 0.8]))}
    criterion = CollarMatch(collar_s=0.2)
    assert event_pr_curve(references, predictions, criterion).recall.tolist() == [0.5, 1.0]
    turned = {"a": references["a"][::-1]}
    assert event_pr_curve(turned, predictions, criterion).recall.tolist() == [0.5, 1.0]


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_the_place_on_the_time_axis_changes_no_average_precision(seed: int) -> None:
    """Ties of IoU are common where calls are alike: rounding must not decide them."""
    generator = np.random.default_rng(seed)
    starts = np.round(generator.uniform(0, 3, 8), 2)
    reference = np.stack([starts, starts + 0.2], axis=1)
    near = np.round(reference[:, :1] + generator.choice([-0.1, -0.05, 0.05, 0.1], (8, 1)), 2)
    predicted, score = np.concatenate([near, near + 0.2], axis=1), generator.integers(0, 4, 8) / 4
    for criterion in (CollarMatch(collar_s=0.2), IouMatch(threshold=0.3)):
        precisions = [
            event_average_precision({"r": reference + at_s}, {"r": (predicted + at_s, score)}, criterion)
            for at_s in (0.0, 86_400.7, 300_000.0)
        ]
        assert precisions[0] == precisions[1] == precisions[2]


@pytest.mark.parametrize("criterion", [IouMatch(threshold=0.3), CollarMatch(collar_s=0.3)])
def test_event_curve_equals_greedy_matching_done_anew_at_each_threshold(criterion) -> None:
    generator = np.random.default_rng(1)
    for _ in range(40):
        reference, predicted = (
            np.sort(generator.uniform(0, 6, (n, 2)), axis=1) for n in (generator.integers(1, 8), 10)
        )
        score = generator.integers(0, 6, 10) / 6
        curve = event_pr_curve({"r": reference}, {"r": (predicted, score)}, criterion)
        allowed = set(map(tuple, candidates(reference, predicted, criterion).tolist()))
        for threshold, precision, recall in zip(curve.thresholds, curve.precision, curve.recall, strict=True):
            accepted = sorted(np.flatnonzero(score >= threshold), key=lambda j: (-score[j], *predicted[j]))
            free = set(range(len(reference)))
            for j in accepted:
                near = [i for i in free if (i, int(j)) in allowed]
                if near:
                    free.remove(max(near, key=lambda i: iou_of(reference[i], predicted[j])))
            hits = len(reference) - len(free)
            assert (precision, recall) == pytest.approx((hits / len(accepted), hits / len(reference)))


def iou_of(a, b) -> float:
    both = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return both / (a[1] - a[0] + b[1] - b[0] - both)


def test_perfect_events_have_average_precision_one() -> None:
    events = np.array([[0.0, 1.0], [0.5, 2.0]])
    assert event_average_precision({"r": events}, {"r": (events, np.array([0.2, 0.2]))}, IouMatch()) == 1.0
