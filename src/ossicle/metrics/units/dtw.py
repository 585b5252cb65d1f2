"""Dynamic time warping of many pairs of sequences at once.

The distance of two sequences is the cost of the cheapest path from their first to their last frames, in steps of one
frame in either sequence or in both, divided by the sum of their lengths. Pairs of similar size are aligned together,
one diagonal of the cost matrix at a time, so that the work runs in NumPy over all pairs.

References
----------
H. Sakoe, S. Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE Trans. ASSP 26(1),
1978.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_CELLS_AT_ONCE = 1 << 21

Padded = NDArray[np.generic]
FrameDistance = Callable[[Padded, Padded], NDArray[np.float64]]
"""From two padded arrays, (p, n, ...) and (p, m, ...), to the distances of their frames, float64 (p, n, m)."""


def angles(first: Padded, second: Padded) -> NDArray[np.float64]:
    """Return the angle between frames as a share of a half turn: 0 for the same direction, 1 for opposite ones.

    Parameters
    ----------
    first, second
        Float arrays, shapes (p, n, dim) and (p, m, dim).

    Returns
    -------
    numpy.ndarray
        float64, shape (p, n, m), in [0, 1]. A frame of zeros is at 0.5 from all others.
    """
    cosines = _directions(first) @ _directions(second).transpose(0, 2, 1)
    return np.asarray(np.arccos(np.clip(cosines, -1.0, 1.0)) / np.pi)


def differing(first: Padded, second: Padded) -> NDArray[np.float64]:
    """Return 1.0 where units differ and 0.0 where they are equal.

    Parameters
    ----------
    first, second
        Integers, shapes (p, n) and (p, m).

    Returns
    -------
    numpy.ndarray
        float64, shape (p, n, m): twice the angle between one-hot vectors of the units.
    """
    return np.where(first[:, :, None] != second[:, None, :], 1.0, 0.0)


def dtw_distances(
    sequences: Sequence[Padded], pairs: NDArray[np.integer], distance: FrameDistance = angles
) -> NDArray[np.float64]:
    """Return the distance of each pair of sequences under dynamic time warping.

    Parameters
    ----------
    sequences
        Each (n_frames, dim) of floats, or (n_frames,) of units; at least one frame.
    pairs
        Indices of sequences, shape (n, 2). A pair that occurs several times is aligned once.
    distance
        Distances of frames; a different one for units (:func:`differing`).

    Returns
    -------
    numpy.ndarray
        float64, shape (n,), in [0, 1).

    Raises
    ------
    ValueError
        If a sequence has no frames.
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    if len(pairs) and not lengths[np.unique(pairs)].all():
        raise ValueError("a sequence without frames has no distance; leave it out")
    unique, where = np.unique(np.sort(pairs, axis=1).astype(np.int64), axis=0, return_inverse=True)
    n, m = lengths[unique[:, 0]], lengths[unique[:, 1]]
    order = np.lexsort((m, n, n * m))
    dim = max((int(np.prod(sequence.shape[1:], dtype=np.int64)) for sequence in sequences), default=1)
    costs = np.zeros(len(unique))
    start = 0
    while start < len(order):
        rows = order[start : start + _rows_at_once(n[order[start:]], m[order[start:]], dim)]
        costs[rows] = _aligned(sequences, unique[rows], distance) / (n + m)[rows]
        start += len(rows)
    result: NDArray[np.float64] = costs[where.ravel()]
    return result


def _rows_at_once(n: NDArray[np.int64], m: NDArray[np.int64], dim: int) -> int:
    """Return how many of the pairs fit into memory together, at least 1; the pairs are in the order of their size."""
    rows = np.arange(1, min(len(n), _CELLS_AT_ONCE) + 1)
    n, m = np.maximum.accumulate(n[: len(rows)]), np.maximum.accumulate(m[: len(rows)])
    cells = rows * np.maximum(n * m, (n + m) * dim)
    return max(1, int(np.searchsorted(cells, _CELLS_AT_ONCE, side="right")))


def _aligned(sequences: Sequence[Padded], pairs: NDArray[np.int64], distance: FrameDistance) -> NDArray[np.float64]:
    """Return the cost of the cheapest path of each pair."""
    first, second = (_padded([sequences[index] for index in side]) for side in pairs.T.tolist())
    costs = np.ascontiguousarray(distance(first, second).transpose(1, 2, 0))
    n, m, count = costs.shape
    last = np.array([[len(sequences[index]) - 1 for index in pair] for pair in pairs.tolist()])
    path_costs = np.empty(count)
    # Row i + 1 of a diagonal holds the best cost up to (i, diagonal - i); row 0 lies outside.
    before = np.full((n + 1, count), np.inf)
    latest = np.full((n + 1, count), np.inf)
    before[0] = 0.0  # the path begins here
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        here = np.full((n + 1, count), np.inf)
        best = np.minimum(np.minimum(latest[i], latest[i + 1]), before[i])
        here[i + 1] = costs[i, diagonal - i] + best
        ends = np.flatnonzero(last.sum(axis=1) == diagonal)
        path_costs[ends] = here[last[ends, 0] + 1, ends]
        before, latest = latest, here
    return path_costs


def _padded(sequences: list[Padded]) -> Padded:
    longest = max(len(sequence) for sequence in sequences)
    padded = np.zeros((len(sequences), longest, *sequences[0].shape[1:]), dtype=sequences[0].dtype)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def _directions(frames: Padded) -> NDArray[np.float64]:
    values = frames.astype(np.float64)
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.asarray(values / np.where(norms > 0, norms, 1.0))
