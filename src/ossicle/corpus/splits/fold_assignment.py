"""Distribute groups over folds with similar shares, and check that every fold leaves something to train on.

The assignment is greedy and deterministic: groups are taken from the most to the least annotated (ties in an order
shuffled by the seed), and each goes to the fold where the sum over labels, and over duration, of squared shares grows
least.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.core.errors import SplitError


def deal_order(names: Sequence[str], counts: NDArray[np.float64], seed: int) -> list[int]:
    """Return groups from the largest share of any label to the smallest; ties in an order drawn from the seed.

    ``counts`` are annotations, (n_groups, n_labels).
    """
    totals = np.maximum(counts.sum(axis=0), 1.0)
    size = np.round((counts / totals).sum(axis=1), 9)
    tie = np.random.default_rng(seed_of(seed, "folds", *names)).permutation(len(names))
    return [int(row) for row in np.lexsort((tie, -size))]


def deal(weights: NDArray[np.float64], n_labels: int, order: Sequence[int], n_folds: int) -> NDArray[np.int64]:
    """Return the fold of each group, (n_groups,); ``weights`` is (n_groups, n_labels + 1), with duration in the last
    column.
    """
    share = weights / np.maximum(weights.sum(axis=0), 1e-12)
    has = weights[:, :n_labels] > 0
    load = np.zeros((n_folds, weights.shape[1]))
    holds = np.zeros((n_folds, n_labels), dtype=np.bool_)
    filled = np.zeros(n_folds, dtype=np.int64)
    fold_of = np.full(len(weights), -1, dtype=np.int64)
    left = has.sum(axis=0)
    for row in order:
        left -= has[row]
        # A fold must not take the last group of a label if it already has all other groups of that label.
        last = has[row] & (left == 0) & (holds.sum(axis=0) == 1)
        traps = (holds & last).sum(axis=1)
        # An empty fold grows least, so every fold gets a group before any gets a second one.
        growth = ((load + share[row]) ** 2 - load**2).sum(axis=1)
        best = int(np.lexsort((filled, np.round(growth, 12), traps))[0])
        fold_of[row] = best
        load[best] += share[row]
        holds[best] |= has[row]
        filled[best] += 1
    return fold_of


def check_training(
    names: Sequence[str], labels: Sequence[str], counts: NDArray[np.float64], fold_of: NDArray[np.int64]
) -> None:
    """Raise SplitError for a fold without training data, or without training data of a label that other groups have.

    ``counts`` are annotations, (n_groups, n_labels); folds below 0 are never held out.
    """
    n_folds = int(fold_of.max(initial=-1)) + 1
    held, groups = np.zeros((n_folds, len(labels))), np.zeros((n_folds, len(labels)), dtype=np.int64)
    judged = fold_of >= 0
    np.add.at(held, fold_of[judged], counts[judged])
    np.add.at(groups, fold_of[judged], counts[judged] > 0)
    left = counts.sum(axis=0) - held
    if (empty := np.flatnonzero(left.sum(axis=1) == 0)).size:
        raise SplitError(
            f"holding out {_members(names, fold_of == empty[0])} leaves no annotation to train on; "
            "group by a finer field or annotate recordings of other groups"
        )
    lost = np.argwhere((left == 0) & (groups > 1))
    if len(lost):
        fold, label = lost[0]
        raise SplitError(
            f"holding out {_members(names, fold_of == fold)} leaves no '{labels[label]}' to train on, although "
            f"{groups[fold, label]} groups have it; use another seed or more folds (folds = 0 holds "
            "each group out once), or leave the label out with corpus.labels"
        )


def _members(names: Sequence[str], held: NDArray[np.bool_], most: int = 10) -> str:
    held_names = [f"'{name}'" for name, is_held in zip(names, held, strict=True) if is_held]
    return ", ".join(held_names[:most]) + (
        f" and {len(held_names) - most} more groups" if len(held_names) > most else ""
    )
