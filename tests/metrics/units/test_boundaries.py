import math

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.metrics.units.boundaries import boundary_rates, matched_boundaries

times = st.lists(st.integers(0, 60), max_size=25, unique=True).map(lambda ticks: np.array(sorted(ticks)) * 0.005)


@settings(max_examples=60, deadline=None)
@given(times, times)
def test_as_many_pairs_are_matched_as_mir_eval_matches(found, true):
    assert matched_boundaries(found, true) == len(mir_eval.util.match_events(true, found, 0.02 + 1e-9))


def test_figures_worked_out_by_hand():
    rates = boundary_rates(np.array([[3, 6, 4], [1, 2, 4]]), ["a", "b"], resamples=50)
    assert (rates.precision.value, rates.recall.value, rates.f1.value) == (0.5, 0.5, 0.5)
    assert rates.over_segmentation.value == 0.0
    assert rates.r_value.value == pytest.approx(1 - (0.5 + 0.5 / math.sqrt(2)) / 2)
    assert rates.precision.low <= 0.5 <= rates.precision.high
    assert (rates.n_found, rates.n_true) == (8, 8)


def test_the_true_boundaries_have_the_r_value_1_and_cutting_everywhere_a_low_one():
    assert boundary_rates(np.array([[9, 9, 9]]), ["a"]).r_value.value == 1.0
    everywhere = boundary_rates(np.array([[9, 90, 9]]), ["a"])
    assert everywhere.recall.value == 1.0
    assert everywhere.r_value.value < 0


def test_without_true_boundaries_only_precision_is_defined():
    rates = boundary_rates(np.array([[0, 0, 0]]), ["a"]).to_json()
    assert rates["boundary_precision"]["value"] is rates["r_value"]["value"] is rates["boundary_f"]["value"] is None
    assert boundary_rates(np.array([[0, 0, 5]]), ["a"]).precision.value == 0.0


def test_a_distance_at_the_tolerance_meets_it():
    assert matched_boundaries(np.array([1.02]), np.array([1.0])) == 1
    assert matched_boundaries(np.array([1.0201]), np.array([1.0])) == 0
