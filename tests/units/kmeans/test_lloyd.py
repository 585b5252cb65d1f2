import numpy as np
from sklearn.cluster import KMeans

from ossicle.units.kmeans.lloyd import lloyd, reseed


def test_passes_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    frames = random.standard_normal((2000, 5)).astype(np.float32)
    theirs = KMeans(8, init=frames[:8], n_init=1, max_iter=3, tol=0.0, algorithm="lloyd").fit(frames)
    # Theirs measures the inertia after its last pass.
    result, _, _ = lloyd(frames, frames[:8], 3, least_gain=0.0)
    _, inertia, _ = lloyd(frames, result, 1)
    np.testing.assert_allclose(result, theirs.cluster_centers_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(inertia, theirs.inertia_ / 2000, rtol=1e-5)


def test_a_dead_centre_moves_to_the_frame_that_fits_worst():
    frames = np.concatenate([np.zeros((50, 2)), np.ones((50, 2)), [[9.0, 9.0]]]).astype(np.float32)
    dead = np.array([[0.0, 0.0], [1.0, 1.0], [500.0, 0.0]], np.float32)
    moved, count = reseed(dead, np.array([50, 51, 0]), frames)
    assert moved.tolist() == [[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]]
    assert count == 1
    assert lloyd(frames, dead, 10)[1:] == (0.0, 1)


def test_a_centre_stays_dead_where_every_frame_is_represented_exactly():
    frames = np.eye(2, dtype=np.float32)
    three = np.concatenate([frames, [[5.0, 5.0]]]).astype(np.float32)
    assert reseed(three, np.array([1, 1, 0]), frames)[1] == 0
    assert lloyd(frames, three, 10)[1:] == (0.0, 0)
