"""Byte pair encoding as it is defined: count all pairs again before each merge."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise


def slow_merges(
    sequences: Sequence[Sequence[int]], n_units: int, vocabulary: int, min_count: int
) -> list[tuple[int, int]]:
    """Return the merges of a vocabulary."""
    rows = [list(sequence) for sequence in sequences]
    units = {unit: (unit,) for unit in range(n_units)}
    merges: list[tuple[int, int]] = []
    for token in range(n_units, vocabulary):
        counts = Counter(pair for row in rows for pair in pairwise(row))
        new = {p: n for p, n in counts.items() if n >= min_count and units[p[0]] + units[p[1]] not in units.values()}
        if not new:
            break
        best = min(new, key=lambda p: (-new[p], len(units[p[0]] + units[p[1]]), units[p[0]] + units[p[1]], p))
        rows = [_merged(row, best, token) for row in rows]
        units[token] = units[best[0]] + units[best[1]]
        merges.append(best)
    return merges


def slow_tokens(sequence: Sequence[int], n_units: int, merges: Sequence[tuple[int, int]]) -> list[int]:
    """Return a sequence as tokens: of all pairs that there are, the one that was learned first is merged first."""
    row, ranks = list(sequence), {pair: rank for rank, pair in enumerate(merges)}
    while ranked := [ranks[pair] for pair in pairwise(row) if pair in ranks]:
        row = _merged(row, merges[min(ranked)], n_units + min(ranked))
    return row


def _merged(row: list[int], pair: tuple[int, int], token: int) -> list[int]:
    out: list[int] = []
    at = 0
    while at < len(row):
        hit = tuple(row[at : at + 2]) == pair
        out.append(token if hit else row[at])
        at += 2 if hit else 1
    return out
