import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.metrics.units.slow_alignment import slow_angle, slow_distance

from ossicle.metrics.units import dtw
from ossicle.metrics.units.dtw import angles, differing, dtw_distances


def sounds(generator, n, dim=5, longest=12):
    return [generator.normal(size=(generator.integers(1, longest), dim)).astype(np.float32) for _ in range(n)]


def test_distances_of_features_equal_those_found_cell_by_cell(monkeypatch):
    monkeypatch.setattr(dtw, "_CELLS_AT_ONCE", 400)  # several blocks
    generator = np.random.default_rng(1)
    spoken = sounds(generator, 12)
    pairs = generator.integers(12, size=(80, 2))
    slow = [slow_distance(spoken[i].tolist(), spoken[j].tolist(), slow_angle) for i, j in pairs]
    assert dtw_distances(spoken, pairs) == pytest.approx(slow, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=2, max_size=5))
def test_distances_of_units_equal_those_found_cell_by_cell(written):
    units = [np.array(unit, dtype=np.int16) for unit in written]
    pairs = np.array([(i, j) for i in range(len(units)) for j in range(len(units))])
    slow = [slow_distance(written[i], written[j], lambda unit, other: float(unit != other)) for i, j in pairs]
    assert dtw_distances(units, pairs, differing) == pytest.approx(slow, abs=1e-12)


def test_a_slower_example_is_no_further_away():
    short = np.array([3, 1, 4], dtype=np.int16)
    assert dtw_distances([short, np.repeat(short, 5)], np.array([[0, 1]]), differing).tolist() == [0.0]


def test_a_frame_of_zeros_is_at_half_the_distance_of_opposite_ones():
    up, zeros = np.array([[[1.0, 0.0]]]), np.zeros((1, 1, 2))
    assert angles(up, zeros).item() == 0.5
    assert angles(up, -up).item() == 1.0


def test_sequences_without_frames_are_refused():
    with pytest.raises(ValueError, match="without frames"):
        dtw_distances([np.zeros((0, 2)), np.ones((1, 2))], np.array([[0, 1]]))


def test_no_pairs_have_no_distances():
    assert dtw_distances([np.ones((1, 2))], np.zeros((0, 2), dtype=int)).shape == (0,)
    assert differing(np.array([[1, 2]]), np.array([[2]])).tolist() == [[[1.0], [0.0]]]
