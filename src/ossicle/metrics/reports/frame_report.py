"""Quality of frame scores before any decision: ranking and calibration of each label, and of all labels together.

A frame is positive if annotations of the label cover at least half of it (``metrics.frames``); for a model that reads
windows, a frame is a window. Ranking counts frames. Calibration weights them by their length, so a last frame that
extends beyond the recording counts only with the part inside. Means are over the labels for which a figure is defined;
labels without positive frames, and labels without negative frames, are listed.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.metrics.calibration.reliability import (
    Calibration,
    CalibrationSums,
    added,
    calibration,
    calibration_sums_of_rows,
)
from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.frame_targets import list_targets
from ossicle.metrics.frames import FrameScores
from ossicle.metrics.ranking import rank_figures
from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.metrics.resampling.ranking_bootstrap import ranking

MOST_RESAMPLED = 500_000
"""Means over more frames times labels than this have no intervals: resampling would take longer than the rest."""


@dataclass(frozen=True, slots=True)
class LabelFrames:
    """Figures of the frames of one label; ``positive_s`` seconds of them are positive.

    Ranking figures are NaN where undefined; there is no calibration if scores are no probabilities.
    """

    average_precision: float
    roc_auc: float
    calibration: Calibration | None
    positive_s: float


@dataclass(frozen=True, slots=True)
class FrameReport:
    """Figures of all labels: means over those with a defined figure, and the calibration of all labels' frames
    together.

    The means are macro ROC AUC and cmAP; their intervals, if any, come from resampled groups and recordings.
    ``absent``: labels without a positive frame; ``everywhere``: labels without a negative frame.
    """

    per_label: Mapping[str, LabelFrames]
    mean_average_precision: Estimate
    mean_roc_auc: Estimate
    pooled: Calibration | None
    absent: tuple[str, ...]
    everywhere: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, the reliability tables last."""
        return {
            "average_precision": plain(self.mean_average_precision.value),
            "roc_auc": plain(self.mean_roc_auc.value),
            "macro": {
                "roc_auc": self.mean_roc_auc.to_json(),
                "cmap": self.mean_average_precision.to_json(),
                "labels": {
                    "roc_auc": sum(math.isfinite(figures.roc_auc) for figures in self.per_label.values()),
                    "cmap": sum(math.isfinite(figures.average_precision) for figures in self.per_label.values()),
                    "all": len(self.per_label),
                },
            },
            "absent": list(self.absent),
            "everywhere": list(self.everywhere),
            **_figures(self.pooled),
            "per_label": {
                label: {
                    "average_precision": plain(figures.average_precision),
                    "roc_auc": plain(figures.roc_auc),
                    **_figures(figures.calibration),
                    "positive_s": plain(figures.positive_s),
                    "reliability": reliability_rows(figures.calibration),
                }
                for label, figures in self.per_label.items()
            },
            "reliability": reliability_rows(self.pooled),
        }


class FrameTally:
    """Frames of many recordings, added one recording at a time; it keeps 5 or 9 bytes per frame and label for the
    ranking.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._parts: list[_Part] = []
        self._probabilities = True

    def add(self, track: FrameScores, references: Mapping[str, Intervals], unknown: Collection[str] = ()) -> None:
        """Add a recording.

        Parameters
        ----------
        track
            Scores with one column per label.
        references
            Annotations of each label, shape (n, 2), seconds.
        unknown
            Labels whose presence in the recording is unknown; its frames do not count in their figures.
        """
        seconds, scores = np.diff(track.edges_s), np.ascontiguousarray(track.scores.T)
        self._probabilities &= bool(np.all((scores >= 0) & (scores <= 1)))
        targets = list_targets(EventLists.gather({"": references}, [""], self.labels), track.edges_s)
        known = np.array([label not in unknown for label in self.labels], dtype=np.bool_)
        positive_s = np.array([float(seconds[row].sum()) if row.any() else 0.0 for row in targets])
        sums = calibration_sums_of_rows(scores, targets, seconds * known[:, None]) if self._probabilities else None
        self._parts.append(_Part(scores, targets, known, positive_s * known, sums))

    def report(self, groups: Sequence[str] = (), n_bootstrap: int = 0, seed: int = 0) -> FrameReport:
        """Return the figures of all added recordings.

        Parameters
        ----------
        groups
            Groups of the recordings, in the order in which they were added; without them means have no intervals.
        n_bootstrap, seed
            Number of resamples, and their seed.
        """
        columns = range(len(self.labels))
        sums = _by_label([part.sums for part in self._parts if part.sums is not None], len(self.labels))
        per_label = {label: self._of_label(column, sums[column]) for column, label in enumerate(self.labels)}
        precision = Estimate(_mean([figures.average_precision for figures in per_label.values()]), np.nan, np.nan)
        auc = Estimate(_mean([figures.roc_auc for figures in per_label.values()]), np.nan, np.nan)
        sizes = [part.targets.shape[1] for part in self._parts]
        if groups and n_bootstrap > 0 and 0 < sum(sizes) * len(self.labels) <= MOST_RESAMPLED:
            ranked = ranking(
                np.concatenate([part.scores for part in self._parts], axis=1).T,
                np.concatenate([part.targets for part in self._parts], axis=1).T,
                np.repeat(np.arange(len(sizes)), sizes),
                groups,
                n_bootstrap,
                seed,
                np.repeat(np.stack([part.known for part in self._parts]), sizes, axis=0),
            )
            precision, auc = ranked.cmap, ranked.macro_roc_auc
        return FrameReport(
            per_label,
            precision,
            auc,
            calibration(added(calibration_sums for label_sums in sums for calibration_sums in label_sums))
            if self._probabilities
            else None,
            tuple(self.labels[column] for column in columns if True not in self._values(column)),
            tuple(self.labels[column] for column in columns if self._values(column) == {True}),
        )

    def _values(self, column: int) -> set[bool]:
        """Return which values the known frames of one label have; none where there is no frame."""
        truth = self._known_truth(column)
        return {True for known in truth if known.any()} | {False for known in truth if not known.all()}

    def _known_truth(self, column: int) -> list[NDArray[np.bool_]]:
        """Return the truth of the frames of one label, in the recordings where it is known."""
        return [part.targets[column] for part in self._parts if part.known[column]]

    def _of_label(self, column: int, sums: Sequence[CalibrationSums]) -> LabelFrames:
        nothing = np.zeros(0, dtype=np.float32)
        scores = np.concatenate([nothing, *(part.scores[column] for part in self._parts if part.known[column])])
        targets = np.concatenate([nothing.astype(np.bool_), *self._known_truth(column)])
        return LabelFrames(
            *rank_figures(scores, targets),
            calibration(added(sums)) if self._probabilities else None,
            sum(float(part.positive_s[column]) for part in self._parts),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The frames of one recording: scores and truth (n_labels, n_frames), and of each label whether it is known, its
    positive seconds, and its sums for the calibration (None if a score is no probability).
    """

    scores: NDArray[np.floating]
    targets: NDArray[np.bool_]
    known: NDArray[np.bool_]
    positive_s: NDArray[np.float64]
    sums: Sequence[CalibrationSums] | None


def _by_label(sums: Sequence[Sequence[CalibrationSums]], n_labels: int) -> list[list[CalibrationSums]]:
    return [[row[column] for row in sums] for column in range(n_labels)]


def reliability_rows(table: Calibration | None, weight: str = "seconds") -> list[dict[str, float | None]]:
    """Return one row per bin: its bounds, the ``weight`` in it, mean score and share of positives (None in an
    empty bin).
    """
    if table is None:
        return []
    columns = (table.edges[:-1], table.edges[1:], table.weight, table.mean_score, table.share_positive)
    names = ("above", "up_to", weight, "mean_score", "share_positive")
    return [dict(zip(names, map(plain, row), strict=True)) for row in zip(*columns, strict=True)]


def _figures(table: Calibration | None) -> dict[str, float | None]:
    return {"ece": plain(table.ece) if table else None, "brier": plain(table.brier) if table else None}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
