"""Rules that combine the scores of several models: pure functions on arrays (members, frames, labels).

All weights are at least 0 and sum to 1; a member of weight 0 has no influence. Sums are float64, results float32 in [0,
1]. The mean of the geometric mean and the root mean square is known as "vlom" in competitions.

Ranks need a reference set. It is a fixed set of recordings (for a bundle, those it was fitted on), never the current
recording or batch. The rank of a frame therefore depends only on its score, so streams can use it too. A table holds a
member's scores of the set, sorted. The rank of a score is the share of the set below it plus half of the share equal to
it (the mid-distribution function; for the set itself: (average rank - 1/2) / n).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.core.scores.combination import RANK, Combination

Scores = NDArray[np.float32]
Reals = NDArray[np.float64]

TABLE_ROWS = 2001
"""Number of quantiles that represent a larger set in a table of ranks, with a resolution of 0.0005."""


def combine(scores: Scores, combination: Combination, tables: Scores | None = None) -> Scores:
    """Combine the scores of members into one.

    Parameters
    ----------
    scores
        float32, shape (n_members, n_frames, n_labels).
    combination
        The rule and the weights.
    tables
        Sorted reference scores for the rule ``rank`` only: float32, shape (n_members, n_rows, n_labels).

    Returns
    -------
    ndarray
        float32, shape (n_frames, n_labels).

    Raises
    ------
    ValueError
        If weights or tables do not fit the members.

    Examples
    --------
    >>> combine(np.float32([[[0.2]], [[0.8]]]), Combination(rule="geometric"))
    array([[0.4]], dtype=float32)
    """
    shares = np.array(combination.shares(len(scores)))
    if (tables is not None) != (combination.rule == RANK):
        raise ValueError(f"the rule {combination.rule} {'takes no' if tables is not None else 'needs'} tables of ranks")
    if tables is not None:
        if len(tables) != len(scores) or tables.shape[2:] != scores.shape[2:]:
            raise ValueError(f"tables of shape {tables.shape} do not fit scores of shape {scores.shape}")
        values = np.stack([ranks(member_scores, table) for member_scores, table in zip(scores, tables, strict=True)])
    else:
        values = scores.astype(np.float64)
    heard = shares > 0
    values, shares = values[heard], shares[heard]
    if combination.rule == "geometric":
        combined = geometric_mean(values, shares)
    elif combination.rule == "power":
        combined = power_mean(values, shares, combination.exponent)
    elif combination.rule == "vlom":
        combined = (geometric_mean(values, shares) + power_mean(values, shares, 2.0)) / 2
    else:
        combined = np.tensordot(shares, values, axes=1)
    clipped: Scores = np.clip(combined, 0.0, 1.0).astype(np.float32)
    return clipped


def geometric_mean(values: Reals, shares: Reals) -> Reals:
    """Return the weighted geometric mean over the first axis; 0 where any value is 0."""
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    mean: Reals = np.exp(np.tensordot(shares, logs, axes=1))
    return mean


def power_mean(values: Reals, shares: Reals, exponent: float) -> Reals:
    """Return ``(sum of share * value ** exponent) ** (1 / exponent)`` over the first axis."""
    mean: Reals = np.tensordot(shares, values**exponent, axes=1) ** (1 / exponent)
    return mean


def ranks(scores: Scores, table: Scores) -> Reals:
    """Return the rank in [0, 1] of scores (n, n_labels) among sorted reference scores (n_rows, n_labels), same
    shape.
    """
    rank_columns = np.empty(scores.shape, dtype=np.float64)
    for column in range(scores.shape[1]):
        known, column_scores = table[:, column], np.ascontiguousarray(scores[:, column])
        below, up_to = (np.searchsorted(known, column_scores, side=side) for side in ("left", "right"))
        rank_columns[:, column] = (below + up_to) / (2 * len(known))
    return rank_columns


def rank_table(scores: Scores, rows: int = TABLE_ROWS) -> Scores:
    """Return the table of a reference set of scores (n, n_labels): all scores sorted, or ``rows`` quantiles of more.

    The quantiles are scores of the set, at the middles of ``rows`` equal parts. Raises ValueError for an empty set.
    """
    if len(scores) == 0:
        raise ValueError("a table of ranks needs at least one frame")
    ordered: Scores = np.sort(np.asarray(scores, dtype=np.float32), axis=0)
    if len(ordered) <= rows:
        return ordered
    middles = ((np.arange(rows) + 0.5) * len(ordered) / rows).astype(np.int64)
    return ordered[middles]


def columns_by_name(members: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    """Return the labels of an ensemble (those of its first member), and the column of each label in each member.

    ``members``: name to labels in the order of its scores. Raises UsageError, with the names, if a member lacks a label
    of the first member or has an extra one.
    """
    (first, of_first), *_ = members.items()
    labels, places = tuple(of_first), {}
    for name, member in members.items():
        lacks = [label for label in labels if label not in member]
        more = [label for label in member if label not in labels]
        if lacks or more:
            parts = [f"lacks {', '.join(map(repr, lacks))}"] if lacks else []
            parts += [f"also has {', '.join(map(repr, more))}"] if more else []
            raise UsageError(
                f"the labels of {name!r} are not those of {first!r}: it {' and '.join(parts)}; members of an ensemble "
                "must score the same labels: train them on the same [corpus] labels"
            )
        places[name] = [list(member).index(label) for label in labels]
    return labels, places
