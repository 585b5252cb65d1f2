"""Out-of-fold calibration: the scores of each fold are mapped by maps fitted on the other folds (invariant 2).

Items are recordings or frames with a score for each label. The figures before and after calibration are of the same
items. ``final`` is fitted on all of them and is stored in the bundle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import SplitError
from ossicle.core.scores.score_map import ScoreMap
from ossicle.core.settings import setting, settings
from ossicle.metrics.calibration.reliability import Calibration, added, calibration, calibration_sums
from ossicle.metrics.calibration.score_maps import KINDS, fit_score_map

NONE = "none"
FEW = 20
"""An isotonic map of fewer positives or negatives than this fits noise, and a note warns about it."""

Maps = Mapping[str, ScoreMap]


@settings
class CalibrationSettings:
    """How scores are mapped to probabilities after the model and before they are returned."""

    kind: str = setting(
        default=NONE,
        help="map from scores to probabilities, fitted out of fold: platt (slope and offset of the log odds), "
        "temperature (slope only), isotonic (any rising map; needs many positives)",
        choices=(NONE, *KINDS),
    )
    shared: bool = setting(default=False, help="fit one map for all labels together; false: one map for each label")


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Scored items.

    ``scores``: floating, and ``positive``: bool, both of shape (n, n_labels); ``weights`` > 0 and ``folds``: shape
    (n,). ``folds`` holds the fold in which each item was held out from the model that gave its scores. ``known``: bool,
    shape (n, n_labels), whether the truth is known; an item without known truth does not count in the figures of that
    label. By default all are known.
    """

    scores: NDArray[np.floating]
    positive: NDArray[np.bool_]
    weights: NDArray[np.float64]
    folds: NDArray[np.int64]
    known: NDArray[np.bool_] | None = None

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Return ``known`` as an array, all True by default."""
        return np.ones(self.scores.shape, dtype=np.bool_) if self.known is None else self.known

    def __post_init__(self) -> None:
        if self.known is not None and self.known.shape != self.scores.shape:
            raise ValueError(f"known {self.known.shape} and scores {self.scores.shape} must be of one shape")
        if not (self.scores.shape == self.positive.shape and self.scores.ndim == 2):
            raise ValueError(f"scores {self.scores.shape} and truth {self.positive.shape} must be tables of one shape")
        if not (len(self.scores) == len(self.weights) == len(self.folds)):
            raise ValueError(f"{len(self.scores)} items, {len(self.weights)} weights and {len(self.folds)} folds")


@dataclass(frozen=True, slots=True)
class CrossCalibration:
    """The maps of each held-out fold and those of the bundle; a label without a map keeps its scores."""

    per_fold: Mapping[int, Maps]
    final: Maps
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Calibration of the items of each label, and of all labels together."""

    per_label: Mapping[str, Calibration]
    pooled: Calibration


def cross_calibrate(items: Items, labels: Sequence[str], chosen: CalibrationSettings) -> CrossCalibration:
    """Fit maps for every fold on the other folds, and final maps on all items; keep those that help.

    A label is mapped only where that lowers its Brier score out of fold (with a shared map, that of all labels
    together): few items, or folds that differ, can make probabilities worse than the scores were. What is chosen for a
    held-out fold is chosen on the other folds alone.

    Parameters
    ----------
    items
        Scored items with their folds.
    labels
        Names of the columns.
    chosen
        Kind of map, and whether labels share one.

    Returns
    -------
    CrossCalibration
        Maps for each fold, final maps, and notes about labels without a map, or without a reliable one.

    Raises
    ------
    SplitError
        With fewer than two folds.
    """
    folds = np.unique(items.folds)
    if len(folds) < 2:
        raise SplitError(f"calibration needs at least two folds, not {len(folds)}: add groups")
    everything = np.ones(len(items.folds), dtype=np.bool_)
    final = _fit(items, everything, labels, chosen)
    notes = [
        f"{label}: not calibrated, for its items are all positive or all negative"
        for label in labels
        if label not in final
    ]
    if chosen.kind == "isotonic":
        numbers, others = (items.positive & items.is_known).sum(axis=0), (~items.positive & items.is_known).sum(axis=0)
        few = np.minimum(numbers, others) < FEW
        if chosen.shared:
            few &= min(int(numbers.sum()), int(others.sum())) < FEW
        notes += [
            f"{label}: an isotonic line on fewer than {FEW} positives or negatives follows chance: platt is safer"
            for label, is_few in zip(labels, few, strict=True)
            if is_few and label in final
        ]
    others = {int(fold): _fit(items, items.folds != fold, labels, chosen) for fold in folds}
    held_out = held_out_scores(items, labels, CrossCalibration(others, final, ()))
    worse = {label: pair for label, pair in _unhelpful(items, labels, chosen, held_out).items() if label in final}
    notes += [
        f"{label}: not calibrated, for a map does not lower the Brier score out of fold ({old:.3f} before, {new:.3f} "
        "after)"
        for label, (old, new) in worse.items()
    ]
    return CrossCalibration(
        {fold: _fit_for(fold, items, labels, chosen) for fold in others},
        {label: score_map for label, score_map in final.items() if label not in worse},
        tuple(notes),
    )


def mapped(scores: NDArray[np.floating], labels: Sequence[str], maps: Maps) -> NDArray[np.float64]:
    """Apply the maps of the labels to scores (..., n_labels); return float64 of the same shape."""
    mapped = np.array(scores, dtype=np.float64)
    for column, label in enumerate(labels):
        if label in maps:
            mapped[..., column] = maps[label](scores[..., column])
    return mapped


def held_out_scores(items: Items, labels: Sequence[str], fitted: CrossCalibration) -> NDArray[np.float64]:
    """Return the scores of all items, each mapped by the maps of its own fold: shape (n, n_labels)."""
    mapped_scores = np.array(items.scores, dtype=np.float64)
    for fold, maps in fitted.per_fold.items():
        rows = items.folds == fold
        mapped_scores[rows] = mapped(items.scores[rows], labels, maps)
    return mapped_scores


def reliability(items: Items, labels: Sequence[str], scores: NDArray[np.floating] | None = None) -> Reliability:
    """Return the calibration of items, or of other ``scores`` in [0, 1] (n, n_labels) of the same items."""
    used_scores = items.scores if scores is None else scores
    sums = {
        label: calibration_sums(
            used_scores[:, column], items.positive[:, column], items.weights * items.is_known[:, column]
        )
        for column, label in enumerate(labels)
    }
    return Reliability(
        {label: calibration(label_sums) for label, label_sums in sums.items()}, calibration(added(sums.values()))
    )


def _unhelpful(
    items: Items, labels: Sequence[str], chosen: CalibrationSettings, after: NDArray[np.float64]
) -> dict[str, tuple[float, float]]:
    """Return the labels whose Brier score ``after`` (n, n_labels) is not lower, with that score before and after.

    One map for all labels is compared for all of them together.
    """
    before, mapped_ = reliability(items, labels), reliability(items, labels, after)
    pairs = {label: (before.per_label[label].brier, mapped_.per_label[label].brier) for label in labels}
    if chosen.shared:
        pairs = dict.fromkeys(labels, (before.pooled.brier, mapped_.pooled.brier))
    return {label: (old, new) for label, (old, new) in pairs.items() if not new < old}


def _fit_for(fold: int, items: Items, labels: Sequence[str], chosen: CalibrationSettings) -> Maps:
    """Return the maps for a held-out fold: fitted on the other folds, and kept where they help among these.

    Two halves of the other folds map each other's scores, so the held-out fold has no part in the choice. A single
    other fold has no halves; its maps are kept.
    """
    maps = _fit(items, items.folds != fold, labels, chosen)
    others = [int(other) for other in np.unique(items.folds) if other != fold]
    if len(others) < 2:
        return maps
    rows = items.folds != fold
    among = Items(
        items.scores[rows], items.positive[rows], items.weights[rows], items.folds[rows], items.is_known[rows]
    )
    first = np.isin(among.folds, others[::2])
    after = np.array(among.scores, dtype=np.float64)
    for half in (first, ~first):
        after[half] = mapped(among.scores[half], labels, _fit(among, ~half, labels, chosen))
    worse = _unhelpful(among, labels, chosen, after)
    return {label: score_map for label, score_map in maps.items() if label not in worse}


def _fit(items: Items, rows: NDArray[np.bool_], labels: Sequence[str], chosen: CalibrationSettings) -> Maps:
    used = items.is_known & rows[:, None]
    if chosen.shared:
        weights = np.broadcast_to(items.weights[:, None], used.shape)
        shared_map = fit_score_map(items.scores[used], items.positive[used], weights[used], chosen.kind)
        return {} if shared_map is None else dict.fromkeys(labels, shared_map)
    fitted = {}
    for column, label in enumerate(labels):
        rows_of_label = used[:, column]
        label_data = (
            items.scores[rows_of_label, column],
            items.positive[rows_of_label, column],
            items.weights[rows_of_label],
        )
        fitted[label] = fit_score_map(*label_data, chosen.kind)
    return {label: score_map for label, score_map in fitted.items() if score_map is not None}
