"""Lloyd's algorithm on frames in memory, and what happens to centres that lose all their frames."""

import numpy as np
from numpy.typing import NDArray

from ossicle.units.frames import Frames, Indices
from ossicle.units.kmeans.cluster_sums import Blocks, Centres, ClusterSums
from ossicle.units.nearest import NearestCentre, Screens

LEAST_GAIN = 1e-4
"""A pass that lowers the inertia by less than this share is the last."""

_DISTANCE_FRAMES = 1 << 14


def lloyd(
    frames: Frames,
    centres: Centres,
    most: int,
    threads: int = 1,
    least_gain: float = LEAST_GAIN,
    screens: Screens | None = None,
) -> tuple[Centres, float, int]:
    """Return centres after at most ``most`` passes, the inertia of the last pass, and how many were put elsewhere.

    Parameters
    ----------
    frames
        float32, shape (n, dim).
    centres
        The first centres, float32 (k, dim).
    most
        Most passes, at least 1; fewer are made when the inertia stops falling.
    threads
        Threads that share the frames; they do not change the result.
    least_gain
        A pass that lowers the inertia by less than this share is the last.
    screens
        Returns a faster search for centres; None: float32. It does not change the result.
    """
    blocks, k, before, moved, inertia = Blocks.of_array(frames), len(centres), np.inf, 0, np.inf
    for _ in range(most):
        sums = ClusterSums.empty(k, frames.shape[1])
        for cluster_sums in blocks.sums(centres, threads, screens=screens):
            sums.add(cluster_sums)
        inertia = sums.inertia(centres)
        centres = sums.means(centres)
        reseeded = 0
        if (sums.counts == 0).any():
            centres, reseeded = reseed(centres, sums.counts, frames)
            moved += reseeded
        if inertia >= before * (1 - least_gain) and not reseeded:
            break
        before = inertia
    return centres, inertia, moved


def reseed(centres: Centres, counts: Indices, sample: Frames) -> tuple[Centres, int]:
    """Put each centre without frames on the frame of a sample that is farthest from its centre.

    Parameters
    ----------
    centres
        float32, shape (k, dim).
    counts
        Frames of each, int64 (k,).
    sample
        float32, shape (n, dim).

    Returns
    -------
    Centres, int
        The centres, and how many were moved: none to a frame that another centre represents exactly.
    """
    distances = squared_distances(sample, centres, NearestCentre(centres).labels(sample).astype(np.int64))
    reseeded, moved = centres.copy(), 0
    for sample_row, empty in zip(np.argsort(-distances, kind="stable"), np.flatnonzero(counts == 0), strict=False):
        if distances[sample_row] > 0:
            reseeded[empty] = sample[sample_row]
            moved += 1
    return reseeded, moved


def squared_distances(frames: Frames, centres: Centres, labels: Indices) -> NDArray[np.float64]:
    """Return the squared distance of each frame (n, dim) to the centre that its label (n,) names: float64 (n,)."""
    distances = np.empty(len(frames))
    for first in range(0, len(frames), _DISTANCE_FRAMES):
        part = slice(first, first + _DISTANCE_FRAMES)
        distances[part] = np.square(frames[part].astype(np.float64) - centres[labels[part]]).sum(axis=1)
    return distances
