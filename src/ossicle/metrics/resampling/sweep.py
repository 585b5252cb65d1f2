"""Rates with intervals of many settings at once: recordings are resampled once for all settings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.resampling.bootstrap import bootstrap_interval

# Settings processed together: limits the memory of (resamples, settings, labels, rates).
_BLOCK = 32


@dataclass(frozen=True, slots=True, eq=False)
class SweepRates:
    """``value``, ``low`` and ``high``: float64 (n_settings, 1 + n_labels, 3), pooled first; precision, recall, F1.

    ``method`` says what was resampled (:mod:`ossicle.metrics.resampling.bootstrap`).
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    method: str


def sweep_rates(counts: NDArray[np.int64], groups: Sequence[str], n: int, seed: int) -> SweepRates:
    """Return pooled and per-label rates of counts of many settings.

    Every setting uses the same ``n`` resamples of recordings and ``groups``, so intervals can be compared.

    Parameters
    ----------
    counts
        tp, fp, fn, and tn where these can be counted: int64, shape (n_settings, n_recordings, n_labels, 3 or 4).
    groups
        Group of each recording.
    n, seed
        Number of resamples, and their seed.
    """
    by_recording = np.moveaxis(counts, 1, 0)
    parts = [
        bootstrap_interval(by_recording[:, start : start + _BLOCK], groups, pooled_and_each, n, seed)
        for start in range(0, max(1, len(counts)), _BLOCK)
    ]
    value, low, high = (np.concatenate([getattr(part, name) for part in parts]) for name in ("value", "low", "high"))
    return SweepRates(value, low, high, parts[0].method)


def pooled_and_each(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn sums (..., n_labels, 3 or 4) of tp, fp, fn and tn into precision, recall and F1 (..., 1 + n_labels, 3),
    pooled first.
    """
    together = np.concatenate([sums.sum(axis=-2, keepdims=True), sums], axis=-2)
    return np.stack(precision_recall_f1(*np.moveaxis(together, -1, 0)), axis=-1)
