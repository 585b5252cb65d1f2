"""What the scores of frames are worth before any decision: ranking and calibration of each label, and all together.

A frame is positive where annotations of the label cover at least half of it (``metrics.frames``). Ranking counts
frames; calibration weighs them by their length, so a last frame that the recording cuts short counts as what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals, as_intervals
from ossicle.metrics.calibration import Calibration, CalibrationSums, added, calibration, calibration_sums
from ossicle.metrics.event_report import plain
from ossicle.metrics.frames import FrameScores, frame_targets
from ossicle.metrics.ranking import average_precision, roc_auc


@dataclass(frozen=True, slots=True)
class LabelFrames:
    """Frames of one label, ``positive_s`` seconds of them positive.

    Ranking figures are NaN where undefined; there is no calibration where scores are no probabilities.
    """

    average_precision: float
    roc_auc: float
    calibration: Calibration | None
    positive_s: float


@dataclass(frozen=True, slots=True)
class FrameReport:
    """All labels: means over those where a figure is defined, and the calibration of all labels' frames at once."""

    per_label: Mapping[str, LabelFrames]
    mean_average_precision: float
    mean_roc_auc: float
    pooled: Calibration | None

    def to_json(self) -> dict[str, Any]:
        """Plain values, the reliability tables last."""
        return {
            "average_precision": plain(self.mean_average_precision),
            "roc_auc": plain(self.mean_roc_auc),
            **_figures(self.pooled),
            "per_label": {
                label: {
                    "average_precision": plain(of.average_precision),
                    "roc_auc": plain(of.roc_auc),
                    **_figures(of.calibration),
                    "positive_s": plain(of.positive_s),
                    "reliability": reliability_rows(of.calibration),
                }
                for label, of in self.per_label.items()
            },
            "reliability": reliability_rows(self.pooled),
        }


class FrameTally:
    """Frames of many recordings, added one by one; for the ranking it holds 5 or 9 bytes a frame and label."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._scores: dict[str, list[NDArray[np.floating]]] = {label: [] for label in labels}
        self._targets: dict[str, list[NDArray[np.bool_]]] = {label: [] for label in labels}
        self._sums: dict[str, list[CalibrationSums]] = {label: [] for label in labels}
        self._positive_s = dict.fromkeys(labels, 0.0)
        self._probabilities = True

    def add(self, track: FrameScores, references: Mapping[str, Intervals]) -> None:
        """Add a recording: scores with a column a label, and (n, 2) seconds of each label's annotations."""
        seconds = np.diff(track.edges_s)
        self._probabilities &= bool(np.all((track.scores >= 0) & (track.scores <= 1)))
        for column, label in enumerate(self.labels):
            scores = np.array(track.scores[:, column])
            targets = frame_targets(as_intervals(references.get(label, ())), track.edges_s)
            self._scores[label].append(scores)
            self._targets[label].append(targets)
            self._positive_s[label] += float(seconds[targets].sum())
            if self._probabilities:
                self._sums[label].append(calibration_sums(scores, targets, seconds))

    def report(self) -> FrameReport:
        """The figures of all that was added."""
        per_label = {label: self._of_label(label) for label in self.labels}
        return FrameReport(
            per_label,
            _mean([of.average_precision for of in per_label.values()]),
            _mean([of.roc_auc for of in per_label.values()]),
            calibration(added(one for of in self._sums.values() for one in of)) if self._probabilities else None,
        )

    def _of_label(self, label: str) -> LabelFrames:
        scores = np.concatenate([np.zeros(0, dtype=np.float32), *self._scores[label]])
        targets = np.concatenate([np.zeros(0, dtype=np.bool_), *self._targets[label]])
        return LabelFrames(
            average_precision(scores, targets),
            roc_auc(scores, targets),
            calibration(added(self._sums[label])) if self._probabilities else None,
            self._positive_s[label],
        )


def reliability_rows(found: Calibration | None) -> list[dict[str, float | None]]:
    """A row a bin: its bounds, seconds in it, mean score and share of positives (None in an empty bin)."""
    if found is None:
        return []
    columns = (found.edges[:-1], found.edges[1:], found.weight, found.mean_score, found.share_positive)
    names = ("above", "up_to", "seconds", "mean_score", "share_positive")
    return [dict(zip(names, map(plain, row), strict=True)) for row in zip(*columns, strict=True)]


def _figures(found: Calibration | None) -> dict[str, float | None]:
    return {"ece": plain(found.ece) if found else None, "brier": plain(found.brier) if found else None}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
