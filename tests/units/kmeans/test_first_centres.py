import numpy as np
import pytest

from ossicle.units.kmeans.first_centres import first_centres
from ossicle.units.kmeans.lloyd import lloyd
from ossicle.units.kmeans.seeding import plus_plus


def apart(seed: int, clusters: int = 40) -> np.ndarray:
    """Clusters far apart: a centre that starts in the wrong one never leaves it."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((clusters, 4)) * 5
    return (centres[random.integers(clusters, size=3000)] + random.standard_normal((3000, 4)) / 2).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_every_cluster_gets_a_centre_where_passes_alone_do_not_get_there(seed):
    frames = apart(seed)
    result = lloyd(frames, first_centres(frames, 40, 0), 50)[1]
    alone = [lloyd(frames, plus_plus(frames, 40, np.random.default_rng(n)), 50)[1] for n in range(4)]
    # Four dimensions with a variance of a quarter each; overlapping clusters lie below.
    assert result < 1.01
    assert result <= min(alone) * 1.0001
    assert max(alone) > result * 1.02


def test_the_seed_decides_and_threads_do_not():
    frames = apart(0)
    assert first_centres(frames, 10, 0).tobytes() == first_centres(frames, 10, 0, threads=2).tobytes()
    assert first_centres(frames, 10, 0).tobytes() != first_centres(frames, 10, 1).tobytes()


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_as_many_centres_as_frames_or_a_few(k):
    frames = np.arange(7, dtype=np.float32)[:, None] ** 2
    result = first_centres(frames, k, 0)
    assert result.shape == (k, 1)
    assert np.isfinite(result).all()
    assert k < 7 or sorted(result.ravel().tolist()) == frames.ravel().tolist()
