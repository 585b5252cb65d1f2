"""Ranking of many labels with intervals: ROC AUC and average precision of each, and their means over labels.

A resample weights recordings with whole numbers (``metrics.resampling.bootstrap``). Scores are sorted once per label;
the figures of all resamples are then sums over that order, so no resample sorts again. The means are over labels with a
defined figure: both need a positive and a negative. The mean of average precisions over classes is cmAP (class-mean
average precision). Labels without positives never count as 0, and labels without negatives never as 1; the reports list
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import resampled_weights

# Weights of items in memory at once.
_BLOCK = 1 << 19
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Ranking:
    """Figures of each label in order, and the means over the labels with a defined figure."""

    roc_auc: tuple[Estimate, ...]
    average_precision: tuple[Estimate, ...]
    macro_roc_auc: Estimate
    cmap: Estimate


def ranking(
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    recording: NDArray[np.int64],
    groups: Sequence[str],
    n: int,
    seed: int,
    known: NDArray[np.bool_] | None = None,
) -> Ranking:
    """Return the ranking figures of items, with intervals from ``n`` resamples.

    Parameters
    ----------
    scores, positive
        Shape (n_items, n_labels).
    recording
        Index in ``groups`` of each item's recording, shape (n_items,).
    groups
        Group of each recording.
    n, seed
        Number of resamples, and their seed.
    known
        Whether an item counts for a label, shape (n_items, n_labels); by default all do.

    Raises
    ------
    ValueError
        If shapes disagree, or scores are NaN.
    """
    if scores.shape != positive.shape or scores.ndim != 2 or len(scores) != len(recording):
        raise ValueError(f"scores {scores.shape}, truth {positive.shape} and {len(recording)} recordings disagree")
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: it has no rank")
    is_known = np.ones(scores.shape, dtype=np.bool_) if known is None else known
    orders = [
        _Order.of(scores[:, column], positive[:, column], is_known[:, column]) for column in range(scores.shape[1])
    ]
    value = _figures(orders, np.ones((1, len(scores)), dtype=np.float64))[0]
    draws = [np.full((1, *value.shape), np.nan)]
    if n > 0 and len(groups) > 1:
        rows = max(1, _BLOCK // max(1, len(scores)))
        for weights in resampled_weights(groups, n, seed):
            parts = (weights[start : start + rows, recording] for start in range(0, len(weights), rows))
            draws += [_figures(orders, part.astype(np.float64)) for part in parts]
    low, high = _percentiles(np.concatenate(draws))
    figures = [
        [Estimate(*map(float, bounds)) for bounds in zip(value[kind], low[kind], high[kind], strict=True)]
        for kind in range(2)
    ]
    return Ranking(tuple(figures[0][1:]), tuple(figures[1][1:]), figures[0][0], figures[1][0])


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """Items of one label from the highest score down; ``ends``: the last of each run of equal scores."""

    order: NDArray[np.int64]
    positive: NDArray[np.bool_]
    ends: NDArray[np.int64] | slice

    @classmethod
    def of(cls, scores: NDArray[np.floating], positive: NDArray[np.bool_], known: NDArray[np.bool_]) -> "_Order":
        order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
        order = order[known[order]]
        falling = scores[order]
        last = np.ones(len(order), dtype=np.bool_)
        last[:-1] = falling[1:] != falling[:-1]
        # Without ties every item is its own run, and nothing needs to be copied.
        return cls(order, positive[order], slice(None) if last.all() else np.flatnonzero(last))


def _figures(orders: Sequence[_Order], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ROC AUC and average precision of ``weights`` (b, n_items): shape (b, 2, 1 + n_labels), the mean first."""
    figures = np.full((len(weights), 2, len(orders)), np.nan)
    # One row per item, so that reordering items copies whole rows.
    of_items = np.ascontiguousarray(weights.T)
    for column, order in enumerate(orders):
        if len(order.order) == 0:
            continue
        item_weights = of_items[order.order]
        accepted = np.cumsum(item_weights, axis=0)[order.ends]
        item_weights[~order.positive] = 0.0
        above = np.cumsum(item_weights, axis=0, out=item_weights)[order.ends]
        n_positive, n_negative = above[-1], accepted[-1] - above[-1]
        hits = np.diff(above, axis=0, prepend=0.0)
        misses = np.diff(accepted, axis=0, prepend=0.0) - hits
        # A positive outranks the negatives below it, and half of those with an equal score.
        won = np.einsum("kb,kb->b", misses, above - hits / 2)
        pairs = n_positive * n_negative
        np.divide(won, pairs, out=figures[:, 0, column], where=pairs > 0)
        precision = np.divide(above, accepted, out=np.zeros_like(above), where=accepted > 0)
        gained = np.einsum("kb,kb->b", hits, precision)
        np.divide(gained, n_positive, out=figures[:, 1, column], where=pairs > 0)
    is_defined = np.isfinite(figures)
    number = is_defined.sum(axis=2)
    mean = np.divide(
        np.where(is_defined, figures, 0.0).sum(axis=2), number, out=np.full(number.shape, np.nan), where=number > 0
    )
    return np.concatenate([mean[:, :, None], figures], axis=2)


def _percentiles(draws: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    undefined = np.isnan(draws).all(axis=0)
    low, high = np.nanquantile(np.where(undefined, 0.0, draws), [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)
