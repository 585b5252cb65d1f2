"""All stretches of frames that some threshold turns into one detection.

As the threshold falls, detections (maximal runs of frames at or above it) appear at peaks, grow and merge; a run stays
complete inside the larger ones. Each distinct run is therefore one stretch that exists for one range of thresholds:
from ``level``, the lowest score in it, down to just above ``death``, the greater of the two scores next to it. There
are at most as many runs as frames, however many thresholds (the max-tree of the scores; Salembier et al. 1998).
Anything that is counted per detection can therefore be counted once per run, for all thresholds at once.

References
----------
P. Salembier, A. Oliveras, L. Garrido, "Antiextensive connected operators for image and sequence processing", IEEE
Transactions on Image Processing 7(4), 1998.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Frames processed together: their working arrays stay small compared with those of the recording.
_BLOCK_FRAMES = 1 << 17


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs [``start``, ``stop``) of frames, int32, and the scores ``level`` and ``death`` between which each exists.

    All of shape (n_runs,). A run is a detection at every threshold t with ``death`` < t <= ``level``; ``death`` is -inf
    for the run that is the whole recording.
    """

    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    level: NDArray[np.floating]
    death: NDArray[np.floating]


def score_runs(scores: NDArray[np.floating]) -> Runs:
    """Return all runs of ``scores`` (finite, shape (n_frames,)), ordered by the first frame at the run's level.

    >>> runs = score_runs(np.array([0.1, 0.9, 0.4, 0.8]))
    >>> [(int(a), int(b), float(t)) for a, b, t in zip(runs.start, runs.stop, runs.level)]
    [(0, 4, 0.1), (1, 2, 0.9), (1, 4, 0.4), (3, 4, 0.8)]
    """
    n = len(scores)
    every = np.arange(n, dtype=np.int32)
    before = nearest_below(scores, every, or_equal=True)
    # A run is counted at the first of its lowest frames: no earlier frame of the run is as low.
    first = every[(before < 0) | (scores[before] < scores)]
    backwards = scores[::-1]
    after = n - 1 - nearest_below(backwards, n - 1 - first, or_equal=False)
    start = before[first] + 1
    low = np.append(scores, np.array(-np.inf, dtype=scores.dtype))
    # If no frame lies next to the run, both ends point to the extra last place.
    death = np.maximum(low[start - 1], low[np.minimum(after, n)])
    return Runs(start, after, scores[first], death)


def nearest_below(values: NDArray[np.floating], places: NDArray[np.int32], *, or_equal: bool) -> NDArray[np.int32]:
    """Return the nearest place before each of ``places`` with a lower (or equal) value; -1 if there is none.

    Shapes (n,) and (k,) give (k,). It searches a pyramid of minima over 2, 4, 8... values (all nearest smaller values;
    Berkman, Schieber & Vishkin 1993): up until an earlier neighbour is low enough, then down to the last place in it.
    """
    low_enough = np.less_equal if or_equal else np.less
    # Half of all frames find it in the frame next to them.
    nearest = places - 1
    far = np.flatnonzero((nearest < 0) | ~low_enough(values[nearest], values[places])).astype(np.int32)
    pyramid = _minima(values)
    for begin in range(0, len(far), _BLOCK_FRAMES):
        block = far[begin : begin + _BLOCK_FRAMES]
        nearest[block] = _search(pyramid, values[places[block]], places[block], low_enough)
    return nearest


def _minima(values: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    pyramid = [values]
    while len(pyramid[-1]) > 1:
        row = pyramid[-1]
        # The last value of an odd length has no later neighbour, so no search looks back to it.
        even = row[: len(row) // 2 * 2]
        pyramid.append(np.append(np.minimum(even[0::2], even[1::2]), row[len(even) :]))
    return pyramid


def _search(
    pyramid: list[NDArray[np.floating]], bound: NDArray[np.floating], places: NDArray[np.int32], low_enough: np.ufunc
) -> NDArray[np.int32]:
    nodes = np.full(len(places), -1, dtype=np.int32)
    active, node = np.arange(len(places), dtype=np.int32), places
    hits: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
    for row in pyramid:
        hit = (node & 1).astype(np.bool_)
        odd = np.flatnonzero(hit)
        hit[odd] = low_enough(row[node[odd] - 1], bound[active[odd]])
        hits.append((active[hit], node[hit] - 1))
        active, node = active[~hit], node[~hit] >> 1
        if not len(active):
            break
    whose, node = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
    for row, (joining, hit_node) in reversed(list(zip(pyramid, hits, strict=False))):
        right = np.minimum(2 * node + 1, len(row) - 1)
        node = np.where(low_enough(row[right], bound[whose]), right, 2 * node)
        whose, node = np.concatenate([whose, joining]), np.concatenate([node, hit_node])
    nodes[whose] = node
    return nodes
