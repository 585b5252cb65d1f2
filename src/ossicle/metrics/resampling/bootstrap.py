"""Confidence intervals of pooled figures, by resampling recordings and, where there are enough, groups.

Events of one recording resemble each other, and so do recordings of one group (site, animal, tape), so neither events
nor recordings are independent draws. With at least :data:`MIN_GROUPS` groups, groups are drawn with replacement and
then recordings within each drawn group (two-stage bootstrap; Davison & Hinkley 1997, section 3.8); the interval then
holds for a new group. Fewer groups cannot show their own spread: recordings are drawn within their groups (stratified),
the interval holds for these groups only, and ``few_groups`` is set. If every group is one recording and there are few,
recordings are drawn overall.

A figure is a function of counts summed over recordings, so a resample is a row of whole-number weights, and all
resamples are one product ``weights @ counts``. Intervals are percentile intervals. In a simulation of 600 trials (F1,
groups of differing skill) nominal 95 % intervals contained the true value in 89 to 90 % of trials with 8 groups, 94 %
with 12 and 94 to 96 % with 20 to 40: near the minimum number of groups they are somewhat too narrow.

References
----------
A. C. Davison and D. V. Hinkley, "Bootstrap methods and their application", Cambridge University Press, 1997.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_GROUPS = 8
# Weights in memory at once (resamples x recordings); a constant, so that the draws do not depend on the machine.
_BLOCK_WEIGHTS = 1 << 22

Statistic = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Figures with their intervals.

    ``value``, ``low``, ``high``: float64 of the statistic's shape; ``low`` and ``high`` are NaN where no interval can
    be given. ``method``: ``two-stage``, ``within-groups`` or ``recordings``. ``n``: number of resamples. ``n_groups``:
    number of distinct groups. ``few_groups``: the interval does not hold for new groups.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    method: str
    n: int
    n_groups: int
    few_groups: bool


def bootstrap_interval(
    counts: NDArray[np.int64],
    groups: Sequence[str],
    statistic: Statistic,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Bootstrap:
    """Return the statistic of the summed counts and its percentile interval.

    Parameters
    ----------
    counts
        Integers, shape (n_recordings, ..., k).
    groups
        Group of each recording.
    statistic
        Function from sums of shape (b, ..., k) to figures of shape (b, *out), row by row. Resamples in which a figure
        is NaN are left out of its interval.
    n
        Number of resamples. With 0, or with fewer than two recordings to draw from, ``low`` and ``high`` are NaN.
    seed
        Seed of the draws.
    level
        Coverage of the interval, in (0, 1).

    Raises
    ------
    ValueError
        If ``level`` is outside (0, 1), ``n`` is negative, or the lists differ in length.

    Examples
    --------
    >>> counts = np.array([[8, 2, 1], [5, 0, 5], [9, 1, 0]])
    >>> f1 = lambda c: 2 * c[:, 0] / (2 * c[:, 0] + c[:, 1] + c[:, 2])
    >>> round(float(bootstrap_interval(counts, ["a", "b", "c"], f1).value), 3)
    0.83
    """
    if not 0 < level < 1:
        raise ValueError(f"level = {level:g} must lie between 0 and 1, as 0.95 does")
    if n < 0:
        raise ValueError(f"n = {n} resamples must be at least 0")
    if len(groups) != len(counts):
        raise ValueError(
            f"there are {len(counts)} recordings but {len(groups)} groups; give one group for each recording"
        )
    method, n_groups = resampling_method(groups)
    value = statistic(counts.sum(axis=0, keepdims=True))[0]
    blocks = resampled_weights(groups, n, seed) if len(counts) > 1 else ()
    draws = [statistic(_weighted_sums(weights, counts)) for weights in blocks]
    low, high = _percentiles(np.concatenate(draws), level) if draws else (np.full_like(value, np.nan),) * 2
    return Bootstrap(value, low, high, method, n, n_groups, n_groups < MIN_GROUPS)


def resampling_method(groups: Sequence[str]) -> tuple[str, int]:
    """Return how recordings of these groups are resampled, and the number of distinct groups."""
    n_groups = len(set(groups))
    if n_groups >= MIN_GROUPS:
        return "two-stage", n_groups
    return ("recordings" if n_groups == len(groups) else "within-groups"), n_groups


def resampled_weights(groups: Sequence[str], n: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield blocks of weights (how often each recording is drawn): int64, shape (b, n_recordings), ``n`` rows in all.

    Draws depend on the order of the recordings: sort them by id to make figures reproducible.
    """
    generator = np.random.default_rng(seed)
    method, n_groups = resampling_method(groups)
    of_recording = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)[1]
    if method == "recordings":
        of_recording, n_groups = np.zeros(len(groups), dtype=np.int64), 1
    members = [np.flatnonzero(of_recording == group) for group in range(n_groups)]
    block = max(1, _BLOCK_WEIGHTS // max(1, len(groups)))
    for done in range(0, n, block):
        rows = min(block, n - done)
        times = np.ones((rows, n_groups), dtype=np.int64)
        if method == "two-stage":
            times = generator.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=rows)
        weights = np.zeros((rows, len(groups)), dtype=np.int64)
        for group, inside in enumerate(members):
            share = np.full(len(inside), 1 / len(inside))
            weights[:, inside] = generator.multinomial(times[:, group] * len(inside), share)
        yield weights


def _weighted_sums(weights: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``weights @ counts`` over the recordings; in float64 for BLAS, which is exact for sums below 2**53."""
    flat = counts.reshape(len(counts), -1).astype(np.float64)
    sums = np.rint(weights.astype(np.float64) @ flat).astype(np.int64)
    return sums.reshape(len(weights), *counts.shape[1:])


def _percentiles(draws: NDArray[np.float64], level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper percentile of the defined draws over the first axis; NaN where none is defined."""
    undefined = np.isnan(draws).all(axis=0)
    filled = np.where(undefined, 0.0, draws)
    low, high = np.nanquantile(filled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)
