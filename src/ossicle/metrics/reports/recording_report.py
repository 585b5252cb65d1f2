"""Figures of whole recordings, with one score per label: ranking, thresholds, accuracy and calibration.

The score of a recording is that of ``core.scores.pooling``, from a model that held its group out. Ranking needs no
threshold. Thresholds are those with the best F1 on the recordings of the other folds; F1, precision and recall come
from decisions under them. ``threshold`` is fitted on all recordings and is meant for later use. Labels that no
recording has are listed as ``absent``, those that every recording has as ``everywhere``; neither count in any mean. If
every recording has exactly one label, the label with the highest score (the first of equal scores) is the answer; then
there is an accuracy, overall and per fold, and a confusion matrix.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.metrics.calibration.out_of_fold import Items, reliability
from ossicle.metrics.calibration.reliability import Calibration
from ossicle.metrics.clips import ClipFigures, best_f1_threshold, clip_figures
from ossicle.metrics.events import all_rates
from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.metrics.reports.frame_report import reliability_rows
from ossicle.metrics.resampling.bootstrap import bootstrap_interval
from ossicle.metrics.resampling.ranking_bootstrap import ranking

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelRecordings:
    """Figures of one label: ranking without a threshold, and ``decided`` under the thresholds from the other folds.

    ``threshold`` is fitted on all recordings; NaN without positives or negatives. ``f1`` is that of ``decided`` with
    its interval.
    """

    roc_auc: Estimate
    average_precision: Estimate
    f1: Estimate
    decided: ClipFigures
    threshold: float
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class FoldRecordings:
    """Figures of the recordings held out in one fold; ``accuracy`` is None if recordings have several labels or
    none.
    """

    fold: int
    n: int
    accuracy: float | None
    roc_auc: float
    cmap: float


@dataclass(frozen=True, slots=True, eq=False)
class RecordingReport:
    """Figures of whole recordings; means are over labels with a defined figure.

    ``macro_f1`` is over labels with positives and negatives in the other folds of every fold; the others are in
    ``without_threshold``. ``accuracy`` and ``confusion`` (int64, (n_labels, n_labels): truth in rows, answers in
    columns) are None unless every recording has exactly one label.
    """

    pool: str
    n: int
    labels: tuple[str, ...]
    roc_auc: Estimate
    cmap: Estimate
    macro_f1: Estimate
    accuracy: Estimate | None
    confusion: Counts | None
    per_label: Mapping[str, LabelRecordings]
    per_fold: tuple[FoldRecordings, ...]
    pooled: Calibration
    absent: tuple[str, ...]
    everywhere: tuple[str, ...]
    without_threshold: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            "pool": self.pool,
            "n": self.n,
            "macro": {
                "roc_auc": self.roc_auc.to_json(),
                "cmap": self.cmap.to_json(),
                "f1": self.macro_f1.to_json(),
                "labels": self.mean_over,
            },
            "accuracy": self._accuracy(),
            "ece": plain(self.pooled.ece),
            "brier": plain(self.pooled.brier),
            "absent": list(self.absent),
            "everywhere": list(self.everywhere),
            "without_threshold": list(self.without_threshold),
            "per_label": {label: _label_json(figures) for label, figures in self.per_label.items()},
            "per_fold": [
                {
                    "fold": recordings.fold,
                    "n": recordings.n,
                    "accuracy": None if recordings.accuracy is None else plain(recordings.accuracy),
                    "roc_auc": plain(recordings.roc_auc),
                    "cmap": plain(recordings.cmap),
                }
                for recordings in self.per_fold
            ],
            "confusion": None
            if self.confusion is None
            else {"labels": list(self.labels), "counts": self.confusion.tolist()},
            "reliability": reliability_rows(self.pooled, "items"),
        }

    @property
    def mean_over(self) -> dict[str, int]:
        """Return over how many labels each mean is, and ``all``, how many there are."""
        recordings_of_labels = self.per_label.values()
        return {
            "roc_auc": sum(math.isfinite(recordings.roc_auc.value) for recordings in recordings_of_labels),
            "cmap": sum(math.isfinite(recordings.average_precision.value) for recordings in recordings_of_labels),
            "f1": sum(
                math.isfinite(recordings.f1.value) and recordings.decided.n_positive > 0
                for recordings in recordings_of_labels
            ),
            "all": len(recordings_of_labels),
        }

    def _accuracy(self) -> dict[str, Any] | None:
        if self.accuracy is None:
            return None
        of_folds = [recordings.accuracy for recordings in self.per_fold if recordings.accuracy is not None]
        spread = float(np.std(of_folds, ddof=1)) if len(of_folds) > 1 else float("nan")
        return {
            **self.accuracy.to_json(),
            "mean_of_folds": plain(float(np.mean(of_folds))),
            "deviation_of_folds": plain(spread),
        }


def recording_report(
    items: Items, labels: Sequence[str], groups: Sequence[str], pool: str, n_bootstrap: int = 1000, seed: int = 0
) -> RecordingReport:
    """Return the report of recordings, with intervals as in ``metrics.resampling.bootstrap``.

    Parameters
    ----------
    items
        One item per recording.
    labels
        Names of the columns.
    groups
        Group of each recording, (n,).
    pool
        How frames were pooled into the score of a recording; reported, not computed here.
    n_bootstrap, seed
        Number of resamples, and their seed.

    Raises
    ------
    ValueError
        Without recordings.
    """
    n = len(items.scores)
    if n == 0:
        raise ValueError("there are no recordings to evaluate")
    scores = np.asarray(items.scores, dtype=np.float64)
    each, names, folds = np.arange(n), tuple(labels), [int(fold) for fold in np.unique(items.folds)]
    is_known, positive = items.is_known, items.positive & items.is_known
    ranked = ranking(scores, positive, each, groups, n_bootstrap, seed, is_known)
    decided = [
        clip_figures(scores[is_known[:, c], c], positive[is_known[:, c], c], items.folds[is_known[:, c]], folds)
        for c in range(len(names))
    ]
    f1, macro_f1, undecided = _decided(scores, items, decided, groups, n_bootstrap, seed)
    calibrated = reliability(items, names)
    answers = top_labels(items)
    return RecordingReport(
        pool=pool,
        n=n,
        labels=names,
        roc_auc=ranked.macro_roc_auc,
        cmap=ranked.cmap,
        macro_f1=macro_f1,
        accuracy=None if answers is None else _accuracy(answers, groups, n_bootstrap, seed),
        confusion=None if answers is None else _confusion(answers, len(names)),
        per_label={
            label: LabelRecordings(
                ranked.roc_auc[c],
                ranked.average_precision[c],
                f1[c],
                decided[c],
                best_f1_threshold(scores[is_known[:, c], c], positive[is_known[:, c], c]),
                calibrated.per_label[label],
            )
            for c, label in enumerate(names)
        },
        per_fold=tuple(_fold(fold, scores, items, answers) for fold in folds),
        pooled=calibrated.pooled,
        absent=_labels_where(names, positive.sum(axis=0) == 0),
        everywhere=_labels_where(names, (~positive & is_known).sum(axis=0) == 0),
        without_threshold=_labels_where(names, undecided),
    )


def top_labels(items: Items, scores: NDArray[np.floating] | None = None) -> tuple[Counts, Counts] | None:
    """Return the true label of each item and the label with the highest score, (n,) each, as column indices.

    None unless each item has exactly one known label. ``scores`` (n, n_labels) replace the items' own. An unknown label
    does not count as an answer.
    """
    positive = items.positive & items.is_known
    if positive.shape[1] < 2 or not np.all(positive.sum(axis=1) == 1):
        return None
    used_scores = items.scores if scores is None else scores
    return positive.argmax(axis=1), np.where(items.is_known, used_scores, -np.inf).argmax(axis=1)


def _decided(
    scores: NDArray[np.float64],
    items: Items,
    decided: Sequence[ClipFigures],
    groups: Sequence[str],
    n_bootstrap: int,
    seed: int,
) -> tuple[list[Estimate], Estimate, NDArray[np.bool_]]:
    """Return the F1 of each label, their mean, and which labels lack a threshold for some fold; those are not
    evaluated.
    """
    limits = np.array([[figures.thresholds[int(fold)] for figures in decided] for fold in items.folds])
    undecided = np.isnan(limits).any(axis=0)
    predicted = scores >= np.where(np.isnan(limits), np.inf, limits)
    true = items.positive
    counts = np.stack([predicted & true, predicted & ~true, ~predicted & true, ~predicted & ~true], axis=-1).astype(
        np.int64
    )
    counts[~items.is_known] = 0
    # Without anything to count there is no figure, and a label without references does not count in the mean.
    counts[:, undecided] = 0
    bootstrap = bootstrap_interval(counts, groups, all_rates, n_bootstrap, seed_of("best f1", seed))
    of_f1 = [
        Estimate(float(bootstrap.value[r, 2]), float(bootstrap.low[r, 2]), float(bootstrap.high[r, 2]))
        for r in range(len(bootstrap.value))
    ]
    return of_f1[2:], of_f1[1], undecided


def _accuracy(answers: tuple[Counts, Counts], groups: Sequence[str], n_bootstrap: int, seed: int) -> Estimate:
    right = (answers[0] == answers[1]).astype(np.int64)
    counts = np.stack([right, np.ones_like(right)], axis=-1)
    bootstrap = bootstrap_interval(counts, groups, _share, n_bootstrap, seed_of("accuracy", seed))
    return Estimate(float(bootstrap.value), float(bootstrap.low), float(bootstrap.high))


def _share(sums: Counts) -> NDArray[np.float64]:
    share: NDArray[np.float64] = sums[..., 0] / np.maximum(sums[..., 1], 1)
    return share


def _confusion(answers: tuple[Counts, Counts], n_labels: int) -> Counts:
    confusion = np.zeros((n_labels, n_labels), dtype=np.int64)
    np.add.at(confusion, answers, 1)
    return confusion


def _fold(
    fold: int, scores: NDArray[np.float64], items: Items, answers: tuple[Counts, Counts] | None
) -> FoldRecordings:
    rows = items.folds == fold
    ranked = ranking(scores[rows], items.positive[rows], np.arange(int(rows.sum())), [], 0, 0, items.is_known[rows])
    accuracy = None if answers is None else float((answers[0] == answers[1])[rows].mean())
    return FoldRecordings(fold, int(rows.sum()), accuracy, ranked.macro_roc_auc.value, ranked.cmap.value)


def _labels_where(labels: Sequence[str], which: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(label for label, is_included in zip(labels, which, strict=True) if is_included)


def _label_json(figures: LabelRecordings) -> dict[str, Any]:
    decided = figures.decided
    return {
        "n_positive": decided.n_positive,
        "n_negative": decided.n_negative,
        "roc_auc": figures.roc_auc.to_json(),
        "average_precision": figures.average_precision.to_json(),
        "f1": figures.f1.to_json(),
        "precision": plain(decided.precision),
        "recall": plain(decided.recall),
        "threshold": plain(figures.threshold),
        "thresholds": {str(fold): plain(value) for fold, value in sorted(decided.thresholds.items())},
        "ece": plain(figures.calibration.ece),
        "brier": plain(figures.calibration.brier),
    }
