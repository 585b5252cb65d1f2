"""Quality of ranking, without a threshold: precision and recall over all thresholds, average precision, ROC AUC.

Equal scores are one threshold: they are accepted together. Average precision is the step-wise sum ``sum (R_i - R_(i-1))
* P_i`` over falling thresholds, without interpolation, as in scikit-learn. Ranking needs something to rank above
something else: without positives or without negatives, average precision and ROC AUC are undefined (NaN). scikit-learn
gives an average precision of 1 without negatives, whatever the scores, and of 0 without positives.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.greedy import greedy_hits
from ossicle.metrics.matching.rules import Criterion
from ossicle.metrics.tied_scores import TiedScores

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Precision and recall if everything at or above each threshold is accepted; thresholds are distinct and falling.

    All three are float64 of shape (k,); k is 0 without scores. Recall is NaN without positives. ``defined``: whether
    there is anything to rank (positives; for frames, clips and recordings also negatives).
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    defined: bool = True

    @property
    def average_precision(self) -> float:
        """Return the step-wise area below the curve: NaN where it is not ``defined``, otherwise 0 without scores."""
        return float(np.sum(np.diff(self.recall, prepend=0.0) * self.precision)) if self.defined else float("nan")


def pr_curve(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> PrecisionRecall:
    """Return the curve of frames (or clips).

    Parameters
    ----------
    scores
        Shape (n,).
    labels
        Whether each frame is positive, shape (n,).

    Examples
    --------
    >>> pr_curve(np.array([0.9, 0.5, 0.5]), np.array([True, False, True])).recall.tolist()
    [0.5, 1.0]
    """
    scores, labels = _checked_arrays(scores, labels)
    return _curve(TiedScores.of(scores, labels), int(labels.sum()), defined=_both(labels))


def average_precision(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """Return the average precision of ``scores`` (n,) against ``labels`` (n,), in [0, 1].

    NaN without positives or without negatives.
    """
    return pr_curve(scores, labels).average_precision


def roc_auc(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """Return the probability that a positive outranks a negative, ties counting half (Mann-Whitney).

    NaN without positives or without negatives.
    """
    return TiedScores.of(*_checked_arrays(scores, labels)).roc_auc()


def rank_figures(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Return :func:`average_precision` and :func:`roc_auc`; the scores are sorted once for both."""
    scores, labels = _checked_arrays(scores, labels)
    runs = TiedScores.of(scores, labels)
    return _curve(runs, int(labels.sum()), defined=_both(labels)).average_precision, runs.roc_auc()


def event_pr_curve(
    references: Mapping[str, Intervals],
    predictions: Mapping[str, tuple[Intervals, NDArray[np.floating]]],
    criterion: Criterion,
) -> PrecisionRecall:
    """Return the curve of events of one label over recordings, with a threshold on the score of the events.

    Matching is greedy in score order, as in object detection (Everingham et al. 2010). From the highest score down (of
    equal scores the earliest first), a prediction takes the free reference with the greatest IoU that meets the
    criterion; of equally great ones (to a billionth, as of events that do not overlap and match by a collar) that with
    the nearest boundaries, then the earliest. A higher threshold therefore keeps a subset of the same pairs. The events
    themselves stay the same at every threshold; to decide events again for each threshold, use
    ``ossicle.metrics.events``. Greedy matching may find fewer pairs than the largest possible matching of the headline.

    Parameters
    ----------
    references
        Recording id to events, shape (n, 2), seconds.
    predictions
        Recording id to events, shape (m, 2), seconds, and their scores, shape (m,).
    criterion
        Which pairs may match.

    References
    ----------
    M. Everingham et al., "The PASCAL visual object classes (VOC) challenge", IJCV 88, 2010.
    """
    recordings = sorted(predictions)
    for recording in recordings:
        events, score = predictions[recording]
        if len(events) != len(score):
            raise ValueError(f"recording {recording}: {len(events)} predictions come with {len(score)} scores")
    scores = np.concatenate([np.empty(0), *(predictions[recording][1] for recording in recordings)])
    references_of_lists = EventLists.of([references.get(recording, ()) for recording in recordings])
    hits = greedy_hits(
        references_of_lists, EventLists.of([predictions[recording][0] for recording in recordings]), scores, criterion
    )
    return hit_curve(scores, hits, sum(len(reference) for reference in references.values()))


def hit_curve(scores: NDArray[np.floating], hits: NDArray[np.bool_], n_references: int) -> PrecisionRecall:
    """Return the curve of events of one label: their scores (n,), and whether each found a reference (n,)."""
    every_score, every_hit = _checked_arrays(scores, hits)
    return _curve(TiedScores.of(every_score, every_hit), n_references, defined=n_references > 0)


def event_average_precision(
    references: Mapping[str, Intervals],
    predictions: Mapping[str, tuple[Intervals, NDArray[np.floating]]],
    criterion: Criterion,
) -> float:
    """Return the average precision of events (see :func:`event_pr_curve`), in [0, 1]; NaN without references.

    The recall of the given predictions is its upper limit: events that were never proposed count as missed at every
    threshold. Without predictions it is 0, because every reference is missed.
    """
    return event_pr_curve(references, predictions, criterion).average_precision


def false_alarms_per_hour(fp: float, duration_s: float) -> float:
    """Return false positives per hour of audio; NaN if there is no audio.

    >>> false_alarms_per_hour(3, 7200.0)
    1.5
    """
    return fp * SECONDS_PER_HOUR / duration_s if duration_s > 0 else float("nan")


def _both(labels: NDArray[np.bool_]) -> bool:
    """Return whether there are positives and negatives."""
    return bool(labels.any() and not labels.all())


def _checked_arrays(
    scores: NDArray[np.floating], labels: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    if np.shape(scores) != np.shape(labels) or np.ndim(scores) != 1:
        raise ValueError(f"scores {np.shape(scores)} and labels {np.shape(labels)} must be two lists of one length")
    checked_scores = np.asarray(scores)
    if checked_scores.dtype != np.float32:
        checked_scores = checked_scores.astype(np.float64)
    if np.isnan(checked_scores).any():
        raise ValueError("a score is NaN: it has no rank")
    return checked_scores, np.asarray(labels, dtype=np.bool_)


def _curve(runs: TiedScores, n_positive: int, *, defined: bool) -> PrecisionRecall:
    recall = runs.hits / n_positive if n_positive else np.full(len(runs.hits), np.nan)
    return PrecisionRecall(runs.hits / runs.accepted, recall, runs.values, defined)
