"""Two models of states on the same recordings."""

import pytest

from ossicle.evaluation.states.paired_gain import paired_gain

FOLDS = {"a": 0, "b": 0, "c": 1, "d": 1}
GROUPS = {"a": "day", "b": "day", "c": "night", "d": "night"}
BEST = {"a": (90, 100), "b": (90, 100), "c": (100, 100), "d": (100, 100)}


def test_the_worst_folds_are_compared() -> None:
    other = {"a": (100, 100), "b": (100, 100), "c": (80, 100), "d": (80, 100)}
    estimate = paired_gain(BEST, other, FOLDS, GROUPS, 200, 0)
    assert estimate.value == pytest.approx(-0.1)
    assert (estimate.low, estimate.high) == pytest.approx((-0.1, -0.1))


def test_equal_models_differ_by_nothing_in_every_resample() -> None:
    estimate = paired_gain(BEST, BEST, FOLDS, GROUPS, 200, 0)
    assert (estimate.value, estimate.low, estimate.high) == (0.0, 0.0, 0.0)


def test_a_recording_without_known_windows_counts_for_neither() -> None:
    empty = {**BEST, "a": (0, 0), "b": (0, 0)}
    assert paired_gain(empty, empty, FOLDS, GROUPS, 50, 0).value == 0.0
