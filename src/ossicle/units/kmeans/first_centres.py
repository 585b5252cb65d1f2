"""First centres that are close to the best ones, found on few frames.

Lloyd's algorithm never moves a centre from one cluster to another that is far away. So k-means++ runs several times,
and then centres are moved in trials: two that lie close together become one, and the free one is put on a frame of the
cluster with the largest inertia. A trial is kept if the inertia falls.

References
----------
S. Lattanzi, C. Sohler, "A better k-means++ algorithm via local search", ICML 2019 (moves that are kept if they help).
"""

import numpy as np

from ossicle.core.digest import seed_of
from ossicle.units.frames import Frames
from ossicle.units.kmeans.cluster_sums import Centres
from ossicle.units.kmeans.lloyd import LEAST_GAIN, lloyd, squared_distances
from ossicle.units.kmeans.seeding import plus_plus
from ossicle.units.nearest import NearestCentre

# Frames of the part of a sample that first centres are found on, at least so many for each centre.
_FRAMES, _FRAMES_A_CENTRE = 1 << 14, 20
_STARTS, _START_PASSES = 4, 8
_MOST_TRIALS, _MOST_FAILURES, _TRIAL_PASSES = 60, 8, 5


def first_centres(sample: Frames, k: int, seed: int, threads: int = 1) -> Centres:
    """Return ``k`` first centres for a sample.

    Parameters
    ----------
    sample
        float32, shape (n, dim), at least ``k`` frames.
    k, seed
        Number of centres; seed of every draw.
    threads
        Threads that share the frames; they do not change the result.

    Returns
    -------
    Centres
        float32, shape (k, dim).
    """
    draw = np.random.default_rng(seed_of(seed, "start"))
    size = min(len(sample), max(_FRAMES_A_CENTRE * k, _FRAMES))
    part = sample[np.sort(draw.choice(len(sample), size, replace=False))]
    starts = []
    for _ in range(_STARTS):
        centres, inertia, _ = lloyd(part, plus_plus(part, k, draw), _START_PASSES, threads)
        starts.append((inertia, centres))
    best, centres = min(starts, key=lambda start: start[0])
    failures = 0
    for _ in range(_MOST_TRIALS):
        moved = _with_moved_pair(part, centres, failures, draw)
        tried, inertia, _ = lloyd(part, moved, _TRIAL_PASSES, threads)
        if inertia < best * (1 - LEAST_GAIN):
            best, centres, failures = inertia, tried, 0
        else:
            failures += 1
        if failures == _MOST_FAILURES:
            break
    return centres


def _with_moved_pair(frames: Frames, centres: Centres, failures: int, draw: np.random.Generator) -> Centres:
    """Return centres of which the pair that costs least became one, and the free one lies in the worst cluster.

    After ``failures`` trials in a row, it is another pair.
    """
    k = len(centres)
    labels = NearestCentre(centres).labels(frames).astype(np.int64)
    distances = squared_distances(frames, centres, labels)
    counts, inertia = np.bincount(labels, minlength=k), np.bincount(labels, distances, minlength=k)
    exact = centres.astype(np.float64)
    between = np.square(exact).sum(axis=1)
    between = between[:, None] + between - 2 * exact @ exact.T
    # What the inertia rises by if two clusters get their common mean (Ward's criterion).
    cost = between * (counts[:, None] * counts / np.maximum(counts[:, None] + counts, 1.0))
    cost[np.tril_indices(k)] = np.inf
    pair = np.argsort(cost, axis=None, kind="stable")[min(failures // 2, k * (k - 1) // 2 - 1)]
    merged, other = np.divmod(int(pair), k)
    inertia[[merged, other]] = -1
    worst = int(np.argsort(-inertia, kind="stable")[min(failures % 2, k - 1)])
    members = np.flatnonzero(labels == worst)
    moved = centres.copy()
    moved[merged] = (exact[merged] * counts[merged] + exact[other] * counts[other]) / max(
        1, int(counts[merged] + counts[other])
    )
    if len(members) and (total := distances[members].sum()) > 0:
        drawn = int(np.searchsorted(np.cumsum(distances[members]), draw.random() * total, side="right"))
        moved[other] = frames[members[min(drawn, len(members) - 1)]]
    return moved
