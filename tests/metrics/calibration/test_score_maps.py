"""Maps of scores to probabilities against scikit-learn, and that calibration is fitted on other folds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

from ossicle.core.errors import SplitError
from ossicle.core.scores.score_map import Isotonic, Platt, logits, sigmoid
from ossicle.metrics.calibration.out_of_fold import (
    CalibrationSettings,
    Items,
    cross_calibrate,
    held_out_scores,
    mapped,
    reliability,
)
from ossicle.metrics.calibration.score_maps import KINDS, LEAST_SLOPE, MOST_SLOPE, fit_score_map


def drawn(seed: int, n: int = 300, slope: float = 0.5, offset: float = -1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose truth follows sigmoid(slope * logit + offset)."""
    rng = np.random.default_rng(seed)
    scores = sigmoid(rng.normal(0, 3, n)).astype(np.float32)
    return scores, rng.random(n) < sigmoid(slope * logits(scores) + offset)


@pytest.mark.parametrize("seed", range(20))
def test_platt_is_that_of_scikit_learn(seed: int) -> None:
    scores, positive = drawn(seed, n=int(np.random.default_rng(seed).integers(20, 400)))
    result = fit_score_map(scores, positive)
    assert isinstance(result, Platt)
    a, b = _sigmoid_calibration(logits(scores), positive.astype(float))
    if -a > LEAST_SLOPE:
        assert (result.slope, result.offset) == pytest.approx((-a, -b), abs=2e-3)


@pytest.mark.parametrize("seed", range(20))
def test_isotonic_is_that_of_scikit_learn(seed: int) -> None:
    scores, positive = drawn(seed, n=60)
    scores = np.round(scores, 1)
    result = fit_score_map(scores, positive, kind="isotonic")
    assert isinstance(result, Isotonic)
    oracle = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(logits(scores), positive)
    every = np.linspace(0, 1, 101)
    assert result(every) == pytest.approx(oracle.predict(logits(every)), abs=1e-9)


def test_weights_are_repeated_items() -> None:
    scores, positive = drawn(1, n=50)
    times = np.random.default_rng(1).integers(1, 4, 50)
    for kind in ("isotonic",):
        one = fit_score_map(scores, positive, times.astype(np.float64), kind)
        many = fit_score_map(np.repeat(scores, times), np.repeat(positive, times), None, kind)
        assert one is not None
        assert many is not None
        assert one(scores) == pytest.approx(many(scores), abs=1e-9)


@given(st.integers(0, 10_000), st.sampled_from(KINDS))
@settings(deadline=None, max_examples=60)
def test_maps_never_fall_and_are_probabilities(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    # Any truth, also one that falls with the score; scores of 0 and 1 too.
    scores, positive = rng.integers(0, 5, n) / 4, rng.random(n) < 0.5
    result = fit_score_map(scores, positive, kind=kind)
    if not positive.any() or positive.all():
        assert result is None
        return
    assert result is not None
    line = result(np.linspace(0, 1, 200))
    assert np.all(np.diff(line) >= 0)
    assert np.all((line >= 0) & (line <= 1))


def test_what_was_drawn_is_found_again() -> None:
    scores, positive = drawn(5, n=40_000)
    platt = fit_score_map(scores, positive)
    assert isinstance(platt, Platt)
    assert (platt.slope, platt.offset) == pytest.approx((0.5, -1.0), abs=0.05)
    warm, cold = drawn(6, n=40_000, slope=0.4, offset=0.0)
    temperature = fit_score_map(warm, cold, kind="temperature")
    assert isinstance(temperature, Platt)
    assert (temperature.slope, temperature.offset) == (pytest.approx(0.4, abs=0.02), 0.0)


def test_a_ranking_that_is_upside_down_gives_a_level_map_and_not_a_falling_one() -> None:
    scores, positive = drawn(2)
    result = fit_score_map(scores, ~positive)
    assert isinstance(result, Platt)
    assert result.slope == LEAST_SLOPE
    assert result(np.array([0.5]))[0] == pytest.approx((~positive).mean(), abs=0.02)


def test_scores_that_are_all_equal_map_to_the_share_of_positives() -> None:
    for kind in ("platt", "isotonic"):
        result = fit_score_map(np.full(100, 0.3), np.arange(100) < 20, kind=kind)
        assert result is not None
        assert result(np.array([0.3]))[0] == pytest.approx(0.2, abs=0.01)


def items(seed: int, n: int = 600) -> Items:
    rng = np.random.default_rng(seed)
    scores, positive = drawn(seed, n)
    other, more = drawn(seed + 1, n, 2.0, 0.5)
    return Items(
        np.stack([scores, other], axis=1), np.stack([positive, more], axis=1), np.ones(n), rng.integers(0, 4, n)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shared", [True, False])
def test_calibration_is_better_on_items_that_no_map_was_fitted_on(kind: str, shared: bool) -> None:
    result = items(11, 3000)
    fitted = cross_calibrate(result, ["a", "b"], CalibrationSettings(kind=kind, shared=shared))
    before = reliability(result, ["a", "b"])
    after = reliability(result, ["a", "b"], held_out_scores(result, ["a", "b"], fitted))
    assert after.pooled.brier < before.pooled.brier
    # A slope alone cannot mend an offset.
    if not shared and kind != "temperature":
        assert after.pooled.ece < 0.5 * before.pooled.ece
        assert after.per_label["a"].ece < before.per_label["a"].ece
    if shared:
        assert fitted.final["a"] == fitted.final["b"]


def test_the_truth_of_a_fold_has_no_part_in_its_own_map() -> None:
    one = items(3)
    turned = one.positive.copy()
    turned[one.folds == 2] = ~turned[one.folds == 2]
    other = Items(one.scores, turned, one.weights, one.folds)
    for kind in KINDS:
        chosen = CalibrationSettings(kind=kind)
        first, second = (cross_calibrate(of, ["a", "b"], chosen) for of in (one, other))
        assert first.per_fold[2] == second.per_fold[2]
        assert first.per_fold[1] != second.per_fold[1]
        assert first.final != second.final


def test_labels_without_both_kinds_of_items_keep_their_scores_and_are_named() -> None:
    result = items(4)
    absent = np.stack([result.positive[:, 0], np.zeros(len(result.folds), dtype=bool)], axis=1)
    of = Items(result.scores, absent, result.weights, result.folds)
    fitted = cross_calibrate(of, ["a", "rare"], CalibrationSettings(kind="platt"))
    assert set(fitted.final) == {"a"}
    assert any(note.startswith("rare: not calibrated") for note in fitted.notes)
    assert mapped(of.scores, ["a", "rare"], fitted.final)[:, 1].tolist() == of.scores[:, 1].astype(np.float64).tolist()


def test_few_items_under_an_isotonic_line_are_said() -> None:
    fitted = cross_calibrate(items(5, 30), ["a", "b"], CalibrationSettings(kind="isotonic"))
    assert any("follows chance" in note for note in fitted.notes)


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
@pytest.mark.parametrize("shared", [True, False])
def test_a_map_that_makes_probabilities_worse_out_of_fold_is_not_kept(kind: str, shared: bool) -> None:
    rng = np.random.default_rng(0)
    folds = np.repeat(np.arange(4), 100)
    scores = rng.uniform(0, 1, 400)
    # In two folds the scores are probabilities; in the third positives are rare, in the fourth everything is positive.
    positive = rng.random(400) < np.where(folds < 2, scores, 0.3 + 0.7 * (folds == 3))
    of = Items(scores[:, None], positive[:, None], np.ones(400), folds)
    fitted = cross_calibrate(of, ["a"], CalibrationSettings(kind=kind, shared=shared))
    assert fitted.final == {}
    assert all(maps == {} for maps in fitted.per_fold.values())
    assert held_out_scores(of, ["a"], fitted).tolist() == scores[:, None].tolist()
    (note,) = [one for one in fitted.notes if "does not lower the Brier score" in one]
    assert note.startswith("a: not calibrated")


def test_a_slope_is_bounded_where_few_items_are_parted_without_an_error() -> None:
    scores = np.concatenate([np.full(40, 0.49), np.full(40, 0.51)])
    result = fit_score_map(scores, scores > 0.5)
    assert isinstance(result, Platt)
    assert result.slope == MOST_SLOPE
    assert result(np.array([0.5]))[0] == pytest.approx(0.5, abs=1e-6)


def test_one_fold_is_refused() -> None:
    result = items(6)
    with pytest.raises(SplitError, match="calibration needs at least two folds, not 1: add groups"):
        cross_calibrate(
            Items(result.scores, result.positive, result.weights, np.zeros_like(result.folds)),
            ["a", "b"],
            CalibrationSettings(kind="platt"),
        )


@pytest.mark.parametrize(
    "broken",
    [
        lambda: Platt(0.0, 1.0),
        lambda: Platt(float("nan"), 1.0),
        lambda: Isotonic((), ()),
        lambda: Isotonic((1.0, 0.0), (0.1, 0.2)),
        lambda: Isotonic((0.0, 1.0), (0.2, 0.1)),
        lambda: Isotonic((0.0,), (1.1,)),
        lambda: Isotonic((0.0, 1.0), (0.1,)),
    ],
)
def test_what_is_no_rising_map_is_refused(broken) -> None:
    with pytest.raises(ValueError):
        broken()
