import tracemalloc

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.metrics.speech.alignment import aligned_distance


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 1000))
def test_the_cost_is_that_of_librosa_for_any_lengths(n, m, seed):
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(n, 3)), generator.normal(size=(m, 3))
    costs, path = librosa.sequence.dtw(first.T, second.T, metric="euclidean")
    assert aligned_distance(first, second) == pytest.approx(costs[-1, -1] / len(path), rel=1e-9)


def test_of_equally_cheap_paths_the_shortest_counts():
    # Silence against silence: every path costs 0, until the last frame.
    first, second = np.zeros((6, 1)), np.zeros((6, 1))
    second[-1] = 3.0
    assert aligned_distance(first, second) == pytest.approx(3.0 / 6)


def test_memory_grows_with_the_length_and_not_with_its_square():
    generator = np.random.default_rng(0)
    frames = generator.normal(size=(1500, 12))
    aligned_distance(frames[:10], frames[:10])
    tracemalloc.start()
    aligned_distance(frames, frames + 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The matrix of costs alone would take 18 MB.
    assert peak < 2_000_000
