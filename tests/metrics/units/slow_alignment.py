"""The obvious alignment of two sequences, cell by cell: the oracle of ``metrics.units.dtw``."""

import math


def slow_distance(first, second, cost):
    """Dynamic time warping cell by cell."""
    n, m = len(first), len(second)
    best = [[math.inf] * (m + 1) for _ in range(n + 1)]
    best[0][0] = 0.0
    for i in range(n):
        for j in range(m):
            best[i + 1][j + 1] = cost(first[i], second[j]) + min(best[i][j], best[i][j + 1], best[i + 1][j])
    return best[n][m] / (n + m)


def slow_angle(row, other):
    lengths = math.sqrt(sum(x * x for x in row)) * math.sqrt(sum(x * x for x in other))
    cosine = sum(x * y for x, y in zip(row, other, strict=True)) / lengths if lengths else 0.0
    return math.acos(min(1.0, max(-1.0, cosine))) / math.pi
