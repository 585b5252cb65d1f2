from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans as ScikitKMeans

from ossicle.core.errors import UsageError
from ossicle.units.kmeans import centres as module
from ossicle.units.kmeans.centres import FoundCentres, KMeans
from ossicle.units.kmeans.cluster_sums import Blocks
from ossicle.units.kmeans.state import Checkpoint


def drawn(n: int = 6000, dim: int = 8, clusters: int = 20) -> np.ndarray:
    random = np.random.default_rng(3)
    centres = random.standard_normal((clusters, dim)) * 2
    return (centres[random.integers(clusters, size=n)] + random.standard_normal((n, dim))).astype(np.float32)


def fit(frames: np.ndarray, k: int = 20, seed: int = 0, **more: object) -> FoundCentres:
    return KMeans(Blocks.of_array(frames), lambda places: frames[places], k, seed, **more).fit()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample that is smaller than the frames, and many blocks."""
    monkeypatch.setattr(module, "_SAMPLE_FRAMES", 1500)
    for name, value in (("_BLOCK_VALUES", 1), ("_LEAST_FRAMES", 1024)):
        monkeypatch.setattr(f"ossicle.units.kmeans.cluster_sums.{name}", value)


def test_the_inertia_is_that_of_a_full_fit_of_scikit_learn():
    frames = drawn()
    theirs = ScikitKMeans(20, n_init=3, random_state=0).fit(frames).inertia_ / len(frames)
    found_centres = fit(frames)
    assert found_centres.inertia <= theirs * 1.01
    distances = np.square(frames[:, None].astype(float) - found_centres.centres).sum(axis=2)
    assert found_centres.inertia == pytest.approx(distances.min(axis=1).mean(), rel=1e-6)
    assert found_centres.counts.tolist() == np.bincount(distances.argmin(axis=1), minlength=20).tolist()


def test_a_sample_and_passes_over_all_frames_are_as_good(small):
    frames = drawn()
    theirs = ScikitKMeans(20, n_init=3, random_state=0).fit(frames).inertia_ / len(frames)
    found_centres = fit(frames)
    assert found_centres.passes >= 2
    assert found_centres.inertia <= theirs * 1.01


def test_seed_and_threads(small):
    frames = drawn()
    assert fit(frames).centres.tobytes() == fit(frames, threads=3).centres.tobytes()
    assert fit(frames).centres.tobytes() != fit(frames, seed=1).centres.tobytes()


class Killed(BaseException):
    """Ends a training at a block, as a signal would."""


def stops_after(blocks: int) -> Callable[[int, float], None]:
    left = [blocks]

    def advance(passes: int, share: float) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return advance


@pytest.mark.parametrize("blocks", [0, 1, 5, 6, 13, 25])
def test_an_interrupted_training_ends_with_the_same_bytes_and_repeats_no_block(small, tmp_path, blocks):
    frames, straight = drawn(), fit(drawn())
    every = Checkpoint(tmp_path / "state", every_s=0)
    read = []

    def reading(first: int, count: int) -> np.ndarray:
        read.append(first)
        return frames[first : first + count]

    counted = Blocks(len(frames), 8, reading)
    whole = KMeans(counted, lambda places: frames[places], 20, 0, advance=lambda passes, share: None)
    whole.fit()
    n_blocks = len(read)
    read.clear()
    with pytest.raises(Killed):
        fit(frames, checkpoint=every, advance=stops_after(blocks))
    resumed = KMeans(counted, lambda places: frames[places], 20, 0, checkpoint=every).fit()
    assert resumed.centres.tobytes() == straight.centres.tobytes()
    assert (resumed.passes, resumed.inertia, resumed.counts.tolist()) == (
        straight.passes,
        straight.inertia,
        straight.counts.tolist(),
    )
    # The block at whose end it was stopped was not saved yet.
    assert len(read) == n_blocks - blocks


def test_a_state_of_another_training_is_not_continued(small, tmp_path):
    frames, every = drawn(), Checkpoint(tmp_path / "state", every_s=0)
    with pytest.raises(Killed):
        fit(frames, checkpoint=every, advance=stops_after(9))
    assert fit(frames, k=10, checkpoint=every).centres.tobytes() == fit(frames, k=10).centres.tobytes()
    assert fit(frames, seed=1, checkpoint=every).centres.tobytes() == fit(frames, seed=1).centres.tobytes()


def test_a_damaged_state_costs_only_the_work_so_far(small, tmp_path):
    frames, path = drawn(), tmp_path / "state"
    for content in (b"", b"\xff" * 99, b"{}"):
        path.write_bytes(content)
        assert fit(frames, checkpoint=Checkpoint(path)).centres.tobytes() == fit(frames).centres.tobytes()


def test_a_state_is_written_every_five_minutes(tmp_path: Path):
    now = [0.0]
    checkpoint = Checkpoint(tmp_path / "state", clock=lambda: now[0])
    frames, seen = drawn(), []

    def advance(passes: int, share: float) -> None:
        seen.append(checkpoint.path.exists())
        now[0] += 200

    fit(frames, checkpoint=checkpoint, advance=advance)
    assert seen[0] is False
    assert not checkpoint.path.exists()
    now[0] += 300
    fit(frames, checkpoint=checkpoint)
    assert checkpoint.path.exists()


def test_centres_without_frames_are_put_elsewhere_or_reported():
    same = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    found_centres = fit(same, k=6)
    assert sorted(found_centres.counts.tolist()) == [0, 0, 10, 10, 10, 10]
    assert found_centres.inertia == 0.0


def test_more_centres_than_frames_are_refused():
    with pytest.raises(UsageError, match=r"k = 20: there are only 7 frames"):
        fit(drawn(n=7))
