"""F1 of windows against the threshold, by label and fold, and the plateau on which it hardly changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.reports.event_report import plain

WITHIN = 0.02
"""The plateau is the run of thresholds around the best one whose F1 is at most this far below it."""
NARROW = 0.1
"""A narrower plateau than this is reported."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Plateau:
    """The thresholds around the best one that do equally well: ``low`` to ``high``, with the best F1."""

    low: float
    high: float
    best_f1: float

    @property
    def middle(self) -> float:
        """The middle of the plateau."""
        return (self.low + self.high) / 2

    @property
    def width(self) -> float:
        """The width of the plateau."""
        return self.high - self.low


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdCurve:
    """F1 at each threshold: of all windows, and of each fold's; the ``plateau`` of all, None without positives."""

    thresholds: Values
    f1: Values
    folds: dict[int, Values]
    plateau: Plateau | None
    fold_plateaus: dict[int, Plateau]

    def warnings(self, label: str) -> list[str]:
        """Return what makes the threshold of a label doubtful, in words."""
        warnings = []
        if self.plateau is not None and self.plateau.width < NARROW:
            warnings.append(
                f"The threshold for {label!r} is critical: F1 stays within {WITHIN:g} of the best only from "
                f"{self.plateau.low:.2f} to {self.plateau.high:.2f}. The middle, {self.plateau.middle:.2f}, is taken; "
                "record more to be sure."
            )
        plateaus = self.fold_plateaus.values()
        if len(self.fold_plateaus) > 1 and max(plateau.low for plateau in plateaus) > min(
            plateau.high for plateau in plateaus
        ):
            middles = sorted(plateau.middle for plateau in plateaus)
            warnings.append(
                f"The threshold for {label!r} varies between folds ({middles[0]:.2f} to {middles[-1]:.2f}). One that "
                "is good in all of them does not exist; record more in the worst fold."
            )
        return warnings

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where F1 is undefined."""
        return {
            "thresholds": [round(float(threshold), 6) for threshold in self.thresholds],
            "f1": [plain(float(value)) for value in self.f1],
            "folds": {str(fold): [plain(float(value)) for value in f1] for fold, f1 in self.folds.items()},
            "plateau": None if self.plateau is None else _plateau_json(self.plateau),
            "fold_plateaus": {str(fold): _plateau_json(plateau) for fold, plateau in self.fold_plateaus.items()},
        }


def threshold_curve(
    scores: Values, truth: NDArray[np.bool_], folds: NDArray[np.int64], thresholds: Values | None = None
) -> ThresholdCurve:
    """Return the curve of one label.

    Parameters
    ----------
    scores, truth, folds
        Out-of-fold score, truth and fold of each window that counts, shape (n,).
    thresholds
        Thresholds in ascending order, the grid of the settings; None for every distinct score.

    Examples
    --------
    >>> truth, folds = np.array([False, False, True, True]), np.zeros(4, dtype=np.int64)
    >>> curve = threshold_curve(np.array([0.1, 0.2, 0.8, 0.9]), truth, folds)
    >>> curve.f1.tolist(), curve.plateau.low, curve.plateau.high
    ([0.6666666666666666, 0.8, 1.0, 0.6666666666666666], 0.2, 0.8)
    """
    distinct = thresholds is None
    grid = np.unique(scores) if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    f1 = _f1(scores, truth, grid)
    fold_curves = {int(fold): _f1(scores[folds == fold], truth[folds == fold], grid) for fold in np.unique(folds)}
    plateaus = {fold: _plateau(grid, values, distinct) for fold, values in fold_curves.items()}
    return ThresholdCurve(
        grid,
        f1,
        fold_curves,
        _plateau(grid, f1, distinct),
        {fold: plateau for fold, plateau in plateaus.items() if plateau is not None},
    )


def threshold_grid(start: float, stop: float, step: float) -> Values:
    """Return thresholds from ``start`` to ``stop``, both included, every ``step``."""
    return np.round(start + step * np.arange(int((stop - start) / step + 1e-9) + 1), 9)


def _f1(scores: Values, truth: NDArray[np.bool_], thresholds: Values) -> Values:
    """Return F1 at each threshold, (n_thresholds,); a window is on if its score is at least the threshold."""
    on, off = np.sort(scores[truth]), np.sort(scores[~truth])
    tp = len(on) - np.searchsorted(on, thresholds, side="left")
    fp = len(off) - np.searchsorted(off, thresholds, side="left")
    return precision_recall_f1(tp, fp, len(on) - tp)[2]


def _plateau(thresholds: Values, f1: Values, distinct: bool) -> Plateau | None:
    """Return the widest run of thresholds within ``WITHIN`` of the best F1; None if F1 is nowhere above 0."""
    if len(f1) == 0 or not np.nanmax(np.nan_to_num(f1)) > 0:
        return None
    best = float(np.nanmax(f1))
    good = np.flatnonzero(np.nan_to_num(f1) >= best - WITHIN)
    runs = np.split(good, np.flatnonzero(np.diff(good) > 1) + 1)
    # Between two distinct scores every threshold decides alike, so a run begins right above the score before it.
    lows = thresholds if not distinct else np.concatenate([[0.0], thresholds[:-1]])
    widest = max(runs, key=lambda run: thresholds[run[-1]] - lows[run[0]])
    return Plateau(float(lows[widest[0]]), float(thresholds[widest[-1]]), best)


def _plateau_json(plateau: Plateau) -> dict[str, Any]:
    return {
        "low": round(plateau.low, 6),
        "high": round(plateau.high, 6),
        "middle": round(plateau.middle, 6),
        "width": round(plateau.width, 6),
        "best_f1": plain(plateau.best_f1),
    }


def all_warnings(curves: Sequence[tuple[str, ThresholdCurve]]) -> list[str]:
    """Return the warnings of several labels, in their order."""
    return [line for label, curve in curves for line in curve.warnings(label)]
