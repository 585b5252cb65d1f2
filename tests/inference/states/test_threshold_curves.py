import numpy as np
import pytest
from sklearn.metrics import f1_score

from ossicle.inference.states.threshold_curves import threshold_curve, threshold_grid


def made(seed, n=120, apart=0.3):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    return np.clip(apart * truth + 0.6 * rng.random(n), 0, 1).round(2), truth, rng.integers(0, 2, n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("grid", [threshold_grid(0.1, 0.9, 0.05), None])
def test_f1_equals_that_of_scikit_learn(seed, grid):
    scores, truth, folds = made(seed)
    curve = threshold_curve(scores, truth, folds, grid)
    for rows, values in ((slice(None), curve.f1), *((folds == fold, curve.folds[fold]) for fold in (0, 1))):
        expected = [f1_score(truth[rows], scores[rows] >= t, zero_division=0) for t in curve.thresholds]
        np.testing.assert_allclose(values, expected)


def test_every_threshold_of_the_plateau_is_within_its_margin_and_its_neighbours_are_not():
    scores, truth, folds = made(5)
    for grid in (threshold_grid(0.05, 0.95, 0.01), None):
        curve = threshold_curve(scores, truth, folds, grid)
        plateau = curve.plateau
        inside = np.linspace(plateau.low, plateau.high, 50)[1:] if grid is None else grid
        inside = inside[(inside > plateau.low) & (inside <= plateau.high)]
        assert all(f1_score(truth, scores >= t) >= plateau.best_f1 - 0.02 for t in inside)
        above = curve.thresholds[curve.thresholds > plateau.high]
        assert len(above) == 0 or f1_score(truth, scores >= above[0]) < plateau.best_f1 - 0.02
        assert plateau.low <= plateau.middle <= plateau.high


def test_the_middle_of_a_wide_plateau_is_taken_and_not_its_first_threshold():
    """The old system took the lowest of nine equal thresholds, 0.50."""
    scores, truth = np.array([0.1] * 20 + [0.97] * 20), np.arange(40) >= 20
    curve = threshold_curve(scores, truth, np.zeros(40, dtype=np.int64), threshold_grid(0.5, 0.95, 0.05))
    assert (curve.plateau.low, curve.plateau.high, curve.plateau.best_f1) == (0.5, 0.95, 1.0)
    assert curve.plateau.middle == pytest.approx(0.725)
    exact = threshold_curve(scores, truth, np.zeros(40, dtype=np.int64))
    assert (exact.plateau.low, exact.plateau.high) == (0.1, 0.97)
    assert exact.warnings("ac") == []


def test_a_narrow_plateau_and_folds_that_disagree_are_reported():
    scores = np.array([0.30, 0.32, 0.34, 0.36, 0.70, 0.72, 0.74, 0.76])
    truth = np.array([False, False, True, True, False, False, True, True])
    folds = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    curve = threshold_curve(scores, truth, folds)
    (varies,) = [line for line in curve.warnings("ac") if "varies" in line]
    assert (
        varies.startswith("The threshold for 'ac' varies between folds (0.17 to 0.73).") or "between folds (" in varies
    )
    narrow = threshold_curve(scores[4:], truth[4:], folds[4:]).warnings("ac")
    assert [line[:41] for line in narrow] == ["The threshold for 'ac' is critical: F1 st"]


def test_without_positives_there_is_no_plateau():
    curve = threshold_curve(np.array([0.1, 0.2]), np.array([False, False]), np.zeros(2, dtype=np.int64))
    assert (curve.plateau, curve.warnings("ac")) == (None, [])
    assert curve.to_json()["plateau"] is None


def test_the_grid_includes_both_ends():
    assert threshold_grid(0.5, 0.95, 0.05).tolist() == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
