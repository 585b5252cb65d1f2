import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from ossicle.units.nearest import MOST_CENTRES, NearestCentre


def draw(seed: int, n: int, k: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((k, dim)).astype(np.float32)
    frames = centres[random.integers(k, size=n)] + random.standard_normal((n, dim)).astype(np.float32)
    return frames.astype(np.float32), centres


def slow(frames: np.ndarray, centres: np.ndarray) -> list[int]:
    """The oracle: every distance in float64, the first of equal ones."""
    return [int(np.argmin([np.sum((f - c) ** 2) for c in centres])) for f in frames.astype(float)]


@given(
    seed=st.integers(0, 10**6), n=st.integers(0, 40), k=st.integers(1, 12), dim=st.integers(1, 8), grid=st.booleans()
)
def test_labels_are_those_of_the_slow_search_also_on_a_grid_full_of_ties(seed, n, k, dim, grid):
    frames, centres = draw(seed, n, k, dim)
    if grid:
        frames, centres = np.round(frames), np.round(centres)
    result = NearestCentre(centres).labels(frames)
    assert result.dtype == np.int16
    assert result.tolist() == slow(frames, centres)


@pytest.mark.parametrize("dim", [3, 64])
def test_labels_are_those_of_scikit_learn(dim):
    frames, centres = draw(1, 5000, 100, dim)
    model = KMeans(100, init=centres, n_init=1, max_iter=1).fit(centres)
    model.cluster_centers_ = centres
    theirs, ours = model.predict(frames), NearestCentre(centres).labels(frames)
    for i in np.flatnonzero(theirs != ours):
        near, far = (np.sum((frames[i].astype(float) - centres[j]) ** 2) for j in (ours[i], theirs[i]))
        assert near <= far <= near * (1 + 1e-6)
    assert np.mean(theirs != ours) < 1e-3


def test_rounding_never_decides_far_from_the_origin():
    # All centres lie within one rounding of a float32 product, so the product alone would return noise.
    centres = (np.arange(50, dtype=np.float32)[:, None] * 0.01 + 300).repeat(16, axis=1)
    frames = centres[::-1] + np.float32(0.002)
    assert NearestCentre(centres).labels(frames).tolist() == list(range(49, -1, -1))


def test_equal_centres_give_the_first():
    centres = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]], np.float32)
    assert NearestCentre(centres).labels(np.array([[1.0, 2.0], [0.1, 0.0]], np.float32)).tolist() == [0, 2]


def test_how_frames_are_cut_into_blocks_changes_nothing():
    frames, centres = draw(2, 5000, 30, 16)
    nearest = NearestCentre(centres)
    parts = [nearest.labels(frames[at : at + size]) for at, size in ((0, 1), (1, 700), (701, 4299))]
    assert np.concatenate(parts).tolist() == nearest.labels(frames).tolist()


def test_a_screen_gives_the_same_labels_however_rough_it_is():
    frames, centres = draw(3, 800, 20, 8)

    def rough(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        exact = np.square(centres).sum(axis=1) - 2 * block @ centres.T
        return np.round(exact).astype(np.float32), np.full(len(block), 0.51, np.float32)

    assert NearestCentre(centres, rough).labels(frames).tolist() == NearestCentre(centres).labels(frames).tolist()


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (np.zeros((2, 3), np.float32), r"\(2, 3\)"),
        (np.zeros(2, np.float32), r"\(2,\)"),
        (np.full((1, 2), np.nan, np.float32), "NaN"),
        (np.full((1, 2), np.inf, np.float32), "NaN or infinite"),
        (np.full((1, 2), 1e19, np.float32), "too large"),
    ],
)
def test_frames_that_have_no_nearest_centre_are_refused(frames, words):
    with pytest.raises(ValueError, match=words):
        NearestCentre(np.zeros((1, 2), np.float32)).labels(frames)


@pytest.mark.parametrize("shape", [(0, 2), (2,), (2, 0), (MOST_CENTRES + 1, 1)])
def test_what_cannot_be_centres_is_refused(shape):
    with pytest.raises(ValueError, match="centres"):
        NearestCentre(np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="NaN"):
        NearestCentre(np.full((1, 1), np.nan, np.float32))
    with pytest.raises(ValueError, match="too large"):
        NearestCentre(np.full((1, 2), 1e19, np.float32))


@pytest.mark.parametrize("dim", [2, 200])
def test_the_largest_centres_and_frames_have_scores_without_overflow(dim):
    most = np.sqrt(np.finfo(np.float32).max / 8.001 / dim)
    centres = np.stack([np.full(dim, most), np.full(dim, -most)]).astype(np.float32)
    assert NearestCentre(centres).labels(centres).tolist() == [0, 1]
