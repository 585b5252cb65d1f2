import threading

import numpy as np
import pytest

from ossicle.units.kmeans.cluster_sums import Blocks, ClusterSums, sums_of
from ossicle.units.nearest import NearestCentre


def drawn(n: int = 5000, k: int = 7, dim: int = 5) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.standard_normal((n, dim)).astype(np.float32), random.standard_normal((k, dim)).astype(np.float32)


def total(blocks: Blocks, centres: np.ndarray, threads: int = 1) -> ClusterSums:
    sums = ClusterSums.empty(*centres.shape)
    for cluster_sums in blocks.sums(centres, threads):
        sums.add(cluster_sums)
    return sums


def test_sums_counts_and_inertia_are_those_of_a_loop_over_frames():
    frames, centres = drawn()
    cluster_sums, labels = sums_of(frames, NearestCentre(centres), 7), NearestCentre(centres).labels(frames)
    for cluster in range(7):
        own = frames[labels == cluster].astype(float)
        assert cluster_sums.counts[cluster] == len(own)
        np.testing.assert_allclose(cluster_sums.sums[cluster], own.sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(cluster_sums.means(centres)[cluster], own.mean(axis=0), rtol=1e-6)
    distances = np.square(frames.astype(float) - centres[labels]).sum(axis=1)
    assert cluster_sums.inertia(centres) == pytest.approx(distances.mean(), rel=1e-12)


def test_a_cluster_without_frames_keeps_its_centre():
    frames, centres = drawn()
    centres[3] = 1000
    cluster_sums = sums_of(frames, NearestCentre(centres), 7)
    assert cluster_sums.counts[3] == 0
    assert cluster_sums.means(centres)[3].tolist() == [1000.0] * 5
    assert ClusterSums.empty(7, 5).inertia(centres) == 0.0


def test_threads_and_a_later_start_change_no_bit(monkeypatch):
    frames, centres = drawn(n=20000, dim=40)
    blocks = Blocks.of_array(frames)
    assert len(blocks) == 2
    for name, value in (("_BLOCK_VALUES", 1), ("_LEAST_FRAMES", 1024)):
        monkeypatch.setattr(f"ossicle.units.kmeans.cluster_sums.{name}", value)
    assert len(blocks) == 20
    alone, shared = (
        total(blocks, centres[:, :1].repeat(40, axis=1)),
        total(blocks, centres[:, :1].repeat(40, axis=1), 3),
    )
    assert alone.sums.tobytes() == shared.sums.tobytes()
    assert alone.squares == shared.squares
    parts = list(blocks.sums(centres[:, :1].repeat(40, axis=1), first=18))
    assert len(parts) == 2
    assert parts[1].counts.sum() == 20000 - 19 * 1024


def test_few_blocks_are_in_memory_at_a_time(monkeypatch):
    for name, value in (("_BLOCK_VALUES", 1), ("_LEAST_FRAMES", 1024)):
        monkeypatch.setattr(f"ossicle.units.kmeans.cluster_sums.{name}", value)
    frames, centres = drawn(n=40 * 1024)
    read, lock = [], threading.Lock()

    def reading(first: int, count: int) -> np.ndarray:
        with lock:
            read.append(first)
        return frames[first : first + count]

    for number, _ in enumerate(Blocks(len(frames), 5, reading).sums(centres, 2)):
        assert len(read) <= number + 4
    assert len(read) == 40
