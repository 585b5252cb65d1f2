"""Boundaries of units against boundaries of words: precision, recall, F1, over-segmentation and R-value.

A found boundary counts once, and so does a true one: they are matched in pairs at most a tolerance apart, as many as
possible. F1 alone rewards cutting everywhere; the R-value takes over-segmentation into account.

References
----------
O. Räsänen, U. Laine, T. Altosaar, "An improved speech segmentation quality measure: the R-value", Interspeech 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import bootstrap_interval

TOLERANCE_S = 0.02
"""Largest distance of a matched pair, in seconds."""

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoundaryRates:
    """How well boundaries are found.

    Attributes
    ----------
    precision, recall, f1
        In [0, 1].
    over_segmentation
        Found boundaries for each true one, minus 1.
    r_value
        At most 1, for exactly the true boundaries.
    n_found, n_true
        Boundaries judged.
    """

    precision: Estimate
    recall: Estimate
    f1: Estimate
    over_segmentation: Estimate
    r_value: Estimate
    n_found: int
    n_true: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            "boundary_precision": self.precision.to_json(),
            "boundary_recall": self.recall.to_json(),
            "boundary_f": self.f1.to_json(),
            "over_segmentation": self.over_segmentation.to_json(),
            "r_value": self.r_value.to_json(),
            "boundaries_found": self.n_found,
            "boundaries": self.n_true,
        }


def matched_boundaries(found_s: Times, true_s: Times, tolerance_s: float = TOLERANCE_S) -> int:
    """Return the largest number of pairs of a found and a true boundary at most ``tolerance_s`` apart.

    Parameters
    ----------
    found_s, true_s
        Sorted times in seconds. A distance that exceeds the tolerance by at most 1e-9 s meets it.
    tolerance_s
        Seconds.
    """
    found_times, true = found_s.tolist(), true_s.tolist()
    here = true_index = matched = 0
    while here < len(found_times) and true_index < len(true):
        gap = found_times[here] - true[true_index]
        if abs(gap) <= tolerance_s + 1e-9:
            matched, here, true_index = matched + 1, here + 1, true_index + 1
        elif gap < 0:
            here += 1
        else:
            true_index += 1
    return matched


def boundary_rates(
    counts: NDArray[np.int64], groups: Sequence[str], resamples: int = 1000, seed: int = 0
) -> BoundaryRates:
    """Return the rates over recordings with intervals that resample recordings.

    Parameters
    ----------
    counts
        Matched, found and true boundaries of each recording, int64 (n_recordings, 3).
    groups
        Group of each recording.
    resamples, seed
        Of the bootstrap; no interval with 0.
    """
    bootstrap = bootstrap_interval(counts, groups, _rates, resamples, seed)
    precision, recall, f1, over, r_value = (
        Estimate(*bounds)
        for bounds in zip(bootstrap.value.tolist(), bootstrap.low.tolist(), bootstrap.high.tolist(), strict=True)
    )
    return BoundaryRates(precision, recall, f1, over, r_value, int(counts[:, 1].sum()), int(counts[:, 2].sum()))


def _rates(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return precision, recall, F1, over-segmentation and R-value, (b, 5), of counts (b, 3); NaN where undefined."""
    matched, n_found, true = counts.astype(np.float64).T
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(n_found > 0, matched / n_found, np.where(true > 0, 0.0, np.nan))
        recall = np.where(true > 0, matched / true, np.nan)
        f1 = np.where(n_found + true > 0, 2 * matched / (n_found + true), np.nan)
        over = np.where(true > 0, n_found / true - 1, np.nan)
    to_ideal = np.sqrt((1 - recall) ** 2 + over**2)
    to_line = np.abs(recall - 1 - over) / np.sqrt(2)
    return np.stack([precision, recall, f1, over, 1 - (to_ideal + to_line) / 2], axis=1)
