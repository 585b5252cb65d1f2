"""Calibration against scikit-learn, by hand, and added up in parts."""

import math

import numpy as np
import pytest
import sklearn.calibration
import sklearn.metrics

from ossicle.metrics.calibration.reliability import added, calibration, calibration_sums

CASES = 250


def draw(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with ties and scores on the bins' edges, truth that follows them more or less, and weights."""
    n = int(generator.integers(2, 300))
    scores = generator.random(n) if generator.random() < 0.5 else generator.integers(0, 11, n) / 10
    truth = generator.random(n) < scores ** generator.uniform(0.2, 4)
    truth[:2] = True, False
    return scores, truth, generator.choice([0.0, 0.01, 0.5, 2.0], n) + 0.001


def test_equals_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    for _ in range(CASES):
        scores, truth, weights = draw(generator)
        n_bins = int(generator.integers(1, 20))
        result = calibration(calibration_sums(scores, truth, n_bins=n_bins))
        share, mean = sklearn.calibration.calibration_curve(truth, scores, n_bins=n_bins)
        filled = result.weight > 0
        np.testing.assert_allclose(result.share_positive[filled], share, atol=1e-9)
        np.testing.assert_allclose(result.mean_score[filled], mean, atol=1e-9)
        assert result.ece == pytest.approx(np.average(np.abs(share - mean), weights=result.weight[filled]), abs=1e-9)
        weighted = calibration(calibration_sums(scores, truth, weights))
        expected = sklearn.metrics.brier_score_loss(truth, scores, sample_weight=weights)
        assert weighted.brier == pytest.approx(expected, abs=1e-9)


def test_a_weight_is_as_many_frames() -> None:
    generator = np.random.default_rng(1)
    scores, truth, _ = draw(generator)
    times = generator.integers(0, 4, len(scores))
    weighted = calibration(calibration_sums(scores, truth, times.astype(float)))
    many = calibration(calibration_sums(np.repeat(scores, times), np.repeat(truth, times)))
    assert (weighted.ece, weighted.brier) == pytest.approx((many.ece, many.brier), abs=1e-12)
    np.testing.assert_allclose(weighted.mean_score, many.mean_score)


def test_parts_add_up() -> None:
    scores, truth, weights = draw(np.random.default_rng(2))
    parts = [
        calibration_sums(*(values[part] for values in (scores, truth, weights))) for part in (slice(7), slice(7, None))
    ]
    whole, summed = calibration(calibration_sums(scores, truth, weights)), calibration(added(parts))
    assert (summed.ece, summed.brier) == pytest.approx((whole.ece, whole.brier), abs=1e-12)


def test_perfect_and_hopeless_scores() -> None:
    truth = np.array([True, False, True])
    perfect = calibration(calibration_sums(truth.astype(np.float32), truth))
    assert (perfect.ece, perfect.brier) == (0.0, 0.0)
    wrong = calibration(calibration_sums((~truth).astype(np.float32), truth))
    assert (wrong.ece, wrong.brier) == (1.0, 1.0)
    nothing = calibration(added([]))
    assert math.isnan(nothing.ece)
    assert math.isnan(nothing.brier)


def test_what_is_no_probability_is_refused() -> None:
    for scores, truth, weights, words in (
        ([0.5, 1.5], [True, False], None, "outside 0 to 1"),
        ([0.5, np.nan], [True, False], None, "outside 0 to 1"),
        ([0.5], [True, False], None, "one length"),
        ([0.5], [True], [-1.0], "negative"),
    ):
        with pytest.raises(ValueError, match=words):
            calibration_sums(np.array(scores), np.array(truth), None if weights is None else np.array(weights))
