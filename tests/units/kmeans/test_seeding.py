import numpy as np
import pytest
from sklearn.cluster import kmeans_plusplus

from ossicle.units.kmeans.seeding import plus_plus


def clusters(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.standard_normal((30, 6)) * 10)[random.integers(30, size=3000)].astype(np.float32) + (
        random.standard_normal((3000, 6)).astype(np.float32)
    )


def inertia(frames: np.ndarray, centres: np.ndarray) -> float:
    return float(np.square(frames[:, None] - centres).sum(axis=2).min(axis=1).mean())


def test_centres_are_different_frames_and_the_seed_decides():
    frames = clusters()
    result = plus_plus(frames, 30, np.random.default_rng(1))
    assert len({one.tobytes() for one in result}) == 30
    assert {one.tobytes() for one in result} <= {frame.tobytes() for frame in frames}
    assert result.tobytes() == plus_plus(frames, 30, np.random.default_rng(1)).tobytes()
    assert result.tobytes() != plus_plus(frames, 30, np.random.default_rng(2)).tobytes()


def test_the_start_is_as_good_as_that_of_scikit_learn_and_better_than_chance():
    frames = clusters()
    ours = np.mean([inertia(frames, plus_plus(frames, 30, np.random.default_rng(seed))) for seed in range(5)])
    theirs = np.mean([inertia(frames, kmeans_plusplus(frames, 30, random_state=seed)[0]) for seed in range(5)])
    chance = np.mean([inertia(frames, frames[np.random.default_rng(seed).choice(3000, 30)]) for seed in range(5)])
    assert ours == pytest.approx(theirs, rel=0.1)
    assert ours < chance / 2


def test_fewer_different_frames_than_centres_repeat():
    frames = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    result = plus_plus(frames, 5, np.random.default_rng(0))
    assert len({one.tobytes() for one in result}) == 3
