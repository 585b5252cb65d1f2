"""Figures of clips: is the label present in a clip, whatever the events? Clip classification pipelines report these.

The score of a clip is the highest frame score within it. The threshold of a held-out fold is the one with the best F1
on the clips of the other folds. With a single division into train, val and test, the threshold for test comes from val.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.core.tracks import ScoreTrack
from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.ranking import average_precision, pr_curve, roc_auc
from ossicle.metrics.reports.event_report import plain


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """How well clips with one label are distinguished from the others; NaN where there is nothing to count.

    ``thresholds`` holds the threshold of each evaluated fold. Average precision and ROC AUC pool the scores of the
    evaluated folds, which come from several models if there are several folds.
    """

    n_positive: int
    n_negative: int
    average_precision: float
    roc_auc: float
    f1: float
    precision: float
    recall: float
    accuracy: float
    thresholds: Mapping[int, float]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where there was nothing to count."""
        names = ("average_precision", "roc_auc", "f1", "precision", "recall", "accuracy")
        return {
            "n_positive": self.n_positive,
            "n_negative": self.n_negative,
            **{name: plain(getattr(self, name)) for name in names},
            "thresholds": {str(fold): plain(value) for fold, value in sorted(self.thresholds.items())},
        }


def clip_scores(track: ScoreTrack, spans: Intervals) -> NDArray[np.float32]:
    """Return the highest score of each label in each span: float32, shape (n, n_labels).

    Parameters
    ----------
    track
        Scores of the recording.
    spans
        Shape (n, 2), seconds. A frame counts if its centre lies in the span; if a span holds no centre, the frame that
        contains its middle counts.

    Raises
    ------
    ValueError
        If the track has no frames.
    """
    if len(track.scores) == 0:
        raise ValueError("a track without frames has no score for any clip")
    centres = track.origin_s + np.arange(len(track.scores)) * track.hop_s
    highest = np.empty((len(spans), track.scores.shape[1]), dtype=np.float32)
    first, last = np.searchsorted(centres, spans[:, 0], "left"), np.searchsorted(centres, spans[:, 1], "right")
    for row, (start, end) in enumerate(zip(first, last, strict=True)):
        if end <= start:
            start = min(int(spans[row].mean() / track.hop_s), len(centres) - 1)
            end = start + 1
        highest[row] = track.scores[start:end].max(axis=0)
    return highest


def best_f1_threshold(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """Return the threshold with the best F1 on these clips, the highest of equals.

    NaN without positives or without negatives: the best threshold would then be the lowest score, whatever the model.
    A clip is positive if its score is at least the threshold.

    >>> best_f1_threshold(np.array([0.9, 0.6, 0.5]), np.array([True, False, True]))
    0.5
    """
    curve = pr_curve(scores, positive)
    if not curve.defined:
        return float("nan")
    f1 = 2 * curve.precision * curve.recall / np.maximum(curve.precision + curve.recall, 1e-12)
    # Thresholds fall, and argmax returns the first of equals.
    return float(curve.thresholds[int(np.argmax(np.round(f1, 12)))])


def clip_figures(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], folds: NDArray[np.int64], judged: Collection[int]
) -> ClipFigures:
    """Return the figures of the clips in the folds ``judged``, each fold under the threshold from the other folds.

    Parameters
    ----------
    scores, positive, folds
        Shape (n,). All clips must be held out: none was in the training of the model that scored it.
    judged
        The folds to evaluate.
    """
    keep = np.isin(folds, list(judged))
    thresholds = {fold: best_f1_threshold(scores[folds != fold], positive[folds != fold]) for fold in sorted(judged)}
    return judge_clips(scores[keep], positive[keep], folds[keep], thresholds)


def judge_clips(
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    folds: NDArray[np.int64],
    thresholds: Mapping[int, float],
) -> ClipFigures:
    """Return the figures of clips (n,), each under the threshold of its fold; every fold in ``folds`` has one."""
    limits = np.array([thresholds[int(fold)] for fold in folds], dtype=np.float64)
    truth, predicted = positive, scores >= limits
    tp, fp = int(np.sum(predicted & truth)), int(np.sum(predicted & ~truth))
    fn, n = int(np.sum(~predicted & truth)), len(truth)
    # Without a threshold for every clip there is no decision to evaluate.
    decided = n > 0 and not np.isnan(limits).any()
    precision, recall, f1 = precision_recall_f1(tp, fp, fn, n - tp - fp - fn)
    return ClipFigures(
        n_positive=int(truth.sum()),
        n_negative=int((~truth).sum()),
        average_precision=average_precision(scores, truth),
        roc_auc=roc_auc(scores, truth),
        f1=float(f1) if decided else float("nan"),
        precision=float(precision) if decided else float("nan"),
        recall=float(recall) if decided else float("nan"),
        accuracy=(n - fp - fn) / n if decided else float("nan"),
        thresholds=dict(thresholds),
    )
