"""Sums of the frames of each cluster, added in a fixed order, whoever computes which block."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from ossicle.units.frames import Frames
from ossicle.units.nearest import NearestCentre, Screens

_BLOCK_VALUES, _LEAST_FRAMES = 1 << 19, 4096
_PART_FRAMES = 1024

Centres = NDArray[np.float32]


@dataclass(eq=False)
class ClusterSums:
    """Frames of each cluster: their sums and number, and the sum of the squares of all.

    Attributes
    ----------
    sums
        float64, shape (k, dim).
    counts
        int64, shape (k,).
    squares
        Sum of the squared lengths of all frames.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.int64]
    squares: float = 0.0

    @classmethod
    def empty(cls, k: int, dim: int) -> "ClusterSums":
        """Return the sums of no frames."""
        return cls(np.zeros((k, dim)), np.zeros(k, np.int64))

    def add(self, other: "ClusterSums") -> None:
        """Add the frames of ``other``."""
        self.sums += other.sums
        self.counts += other.counts
        self.squares += other.squares

    def inertia(self, centres: Centres) -> float:
        """Return the mean squared distance of the frames to the centres that they were assigned to; 0.0 of no frames.

        Parameters
        ----------
        centres
            Those of the assignment: float32, shape (k, dim).
        """
        exact = centres.astype(np.float64)
        total = self.squares - 2 * (exact * self.sums).sum() + (self.counts * np.square(exact).sum(axis=1)).sum()
        return max(0.0, float(total) / max(1, int(self.counts.sum())))

    def means(self, centres: Centres) -> Centres:
        """Return the mean of each cluster, or its centre (k, dim) if it has no frames: float32 (k, dim)."""
        means = centres.copy()
        used = self.counts > 0
        means[used] = self.sums[used] / self.counts[used, None]
        return means


def sums_of(frames: Frames, nearest: NearestCentre, k: int) -> ClusterSums:
    """Return the sums of frames (n, dim), added in their order in float64."""
    cluster_sums = ClusterSums.empty(k, frames.shape[1])
    labels = nearest.labels(frames)
    cluster_sums.counts += np.bincount(labels, minlength=k)
    for first in range(0, len(frames), _PART_FRAMES):
        part = frames[first : first + _PART_FRAMES].astype(np.float64)
        nearest_of_part = labels[first : first + len(part)].astype(np.int32)
        # A column of the matrix is a frame, with a 1 in the row of its cluster.
        members = csc_array(
            (np.ones(len(part)), nearest_of_part, np.arange(len(part) + 1, dtype=np.int32)), shape=(k, len(part))
        )
        cluster_sums.sums += np.asarray(members @ part)
        cluster_sums.squares += float(np.square(part).sum())
    return cluster_sums


@dataclass(frozen=True)
class Blocks:
    """Frames that are read block by block.

    The length of a block depends on the length of a frame alone, so sums over blocks are the same however the frames
    are stored and however many threads read them.

    Attributes
    ----------
    n_frames, dim
        How many frames there are, and their length.
    read
        Returns frames ``first`` to ``first + count``: float32 (count, dim). Threads call it at the same time.
    """

    n_frames: int
    dim: int
    read: Callable[[int, int], Frames]

    @classmethod
    def of_array(cls, frames: Frames) -> "Blocks":
        """Return the blocks of frames (n, dim) in memory."""
        return cls(len(frames), frames.shape[1], lambda first, count: frames[first : first + count])

    @property
    def length(self) -> int:
        """Frames of a block; the last one may be shorter."""
        return max(_LEAST_FRAMES, _BLOCK_VALUES // self.dim)

    def __len__(self) -> int:
        """Return the number of blocks."""
        return -(-self.n_frames // self.length)

    def sums(
        self, centres: Centres, threads: int = 1, first: int = 0, screens: Screens | None = None
    ) -> Iterator[ClusterSums]:
        """Yield the sums of each block, in order, from block ``first`` on.

        Parameters
        ----------
        centres
            float32, shape (k, dim).
        threads
            How many blocks are computed at the same time; they do not change the result.
        first
            The first block.
        screens
            Returns a faster search for centres; None: float32. It does not change the result.
        """
        nearest, k = NearestCentre(centres, screens(centres) if screens else None), len(centres)

        def one(block: int) -> ClusterSums:
            start = block * self.length
            return sums_of(self.read(start, min(self.length, self.n_frames - start)), nearest, k)

        if threads == 1 or len(self) - first < 2:
            yield from map(one, range(first, len(self)))
            return
        with ThreadPoolExecutor(threads) as pool:
            # Few blocks at a time, so that memory does not grow if one of them takes long.
            waiting: deque[Future[ClusterSums]] = deque()
            for block in range(first, len(self)):
                waiting.append(pool.submit(one, block))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
