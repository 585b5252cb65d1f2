"""First centres: k-means++ with several candidates for each centre."""

import numpy as np
from numpy.typing import NDArray

from ossicle.units.frames import Frames
from ossicle.units.kmeans.cluster_sums import Centres


def plus_plus(frames: Frames, k: int, draw: np.random.Generator) -> Centres:
    """Return ``k`` of the frames, far from each other.

    Each next centre is drawn with a probability that is proportional to the squared distance of a frame to the nearest
    centre so far. Of ``2 + log(k)`` candidates the one that leaves the smallest inertia is taken, as in scikit-learn.

    Parameters
    ----------
    frames
        float32, finite, shape (n, dim), n at least 1.
    k
        Number of centres.
    draw
        Where random values come from.

    Returns
    -------
    Centres
        float32, shape (k, dim); frames repeat where there are fewer than ``k`` different ones.

    References
    ----------
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    """
    squares = np.vecdot(frames, frames)
    chosen = np.empty(k, np.int64)
    chosen[0] = draw.integers(len(frames))
    nearest = _distances(frames, squares, chosen[:1])[:, 0]
    candidates = 2 + int(np.log(k))
    for number in range(1, k):
        sums = np.cumsum(nearest, dtype=np.float64)
        values = draw.random(candidates) * sums[-1]
        drawn = np.minimum(np.searchsorted(sums, values, side="right"), len(frames) - 1)
        closer = np.minimum(_distances(frames, squares, drawn), nearest[:, None])
        best = int(closer.sum(axis=0, dtype=np.float64).argmin())
        chosen[number], nearest = drawn[best], closer[:, best].copy()
    return frames[chosen].copy()


def _distances(frames: Frames, squares: Frames, centres: NDArray[np.int64]) -> Frames:
    """Return the squared distances of all frames to some of them: float32 (n, n_centres), never negative."""
    distances: Frames = frames @ (-2 * frames[centres].T)
    distances += squares[:, None]
    distances += squares[centres]
    np.maximum(distances, 0, out=distances)
    distances[centres, np.arange(len(centres))] = 0
    return distances
