"""The spread of measured values: extremes and quantiles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """``n`` values: the extremes, the 5 %, 50 % and 95 % quantiles, and the mean; rounded to 6 decimals."""

    n: int
    lowest: float
    p5: float
    median: float
    p95: float
    highest: float
    mean: float


def spread_of(values: NDArray[np.floating]) -> Spread | None:
    """Return the spread of the finite values, shape (n,), in any unit; None if there are none."""
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return None
    quantiles = np.quantile(known, (0.0, 0.05, 0.5, 0.95, 1.0))
    lowest, p5, median, p95, highest = (round(float(quantile), 6) for quantile in quantiles)
    return Spread(len(known), lowest, p5, median, p95, highest, round(float(known.mean()), 6))
