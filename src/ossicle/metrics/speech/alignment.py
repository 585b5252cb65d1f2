"""Dynamic time warping of two sequences in memory that grows with their length, not with its square."""

import numpy as np
from numpy.typing import NDArray


def aligned_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the mean Euclidean distance of frames along the cheapest path from the first to the last frames.

    A path goes in steps of one frame in either sequence or in both. Of paths that cost the same, the one with the
    fewest steps counts. Only three diagonals of the matrix of costs are in memory.

    Parameters
    ----------
    first, second
        Frames, shapes (n, dim) and (m, dim).

    Returns
    -------
    float
        The sum of distances along the path, divided by its number of cells; NaN if a sequence is empty.

    Raises
    ------
    ValueError
        If the frames have different lengths.

    References
    ----------
    H. Sakoe, S. Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE Trans. ASSP
    26(1), 1978.
    """
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"frames have the shapes {first.shape[1:]} and {second.shape[1:]}; they must be the same")
    n, m = len(first), len(second)
    if not n or not m:
        return float("nan")
    rows = np.ascontiguousarray(first, dtype=np.float64)
    backwards = np.ascontiguousarray(second[::-1], dtype=np.float64)
    # Cell i + 1 of a diagonal is (i, diagonal - i): its cheapest cost, and the cells on the way. Cell 0 lies outside.
    cost = [np.full(n + 1, np.inf) for _ in range(3)]
    cells = [np.zeros(n + 1) for _ in range(3)]
    cost[1][0] = 0.0  # the path begins here, in one diagonal step
    for diagonal in range(n + m - 1):
        low, high = max(0, diagonal - m + 1), min(n, diagonal + 1)
        start = m - 1 - diagonal + low
        differences = rows[low:high] - backwards[start : start + high - low]
        here = np.sqrt(np.einsum("ij,ij->i", differences, differences))
        both, latest, new = (diagonal + 1) % 3, (diagonal + 2) % 3, diagonal % 3
        best, length = cost[both][low:high], cells[both][low:high]
        for part in (slice(low, high), slice(low + 1, high + 1)):
            other, steps = cost[latest][part], cells[latest][part]
            nearer = (other < best) | ((other == best) & (steps < length))
            best, length = np.where(nearer, other, best), np.where(nearer, steps, length)
        cost[new].fill(np.inf)
        cost[new][low + 1 : high + 1] = best + here
        cells[new][low + 1 : high + 1] = length + 1
    last = (n + m - 2) % 3
    return float(cost[last][n] / cells[last][n])
