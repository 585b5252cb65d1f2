"""Quality of ranking, without a threshold: precision and recall over all thresholds, average precision, ROC AUC.

Equal scores are one threshold: they are accepted together. Average precision is the step-wise sum ``sum (R_i - R_(i-1))
* P_i`` over falling thresholds, without interpolation, as in scikit-learn. Ranking needs something to rank above
something else: without positives or without negatives, average precision and ROC AUC are undefined (NaN). scikit-learn
gives an average precision of 1 without negatives, whatever the scores, and of 0 without positives.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.metrics.matching import Criterion, candidates, pair_iou

SECONDS_PER_HOUR = 3600.0
_DECIMALS = 9


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
    scores, labels = _checked(scores, labels)
    return _curve(scores, labels, int(labels.sum()), defined=bool(labels.any() and not labels.all()))


def average_precision(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """Return the average precision of ``scores`` (n,) against ``labels`` (n,), in [0, 1].

    NaN without positives or without negatives.
    """
    return pr_curve(scores, labels).average_precision


def roc_auc(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """Return the probability that a positive outranks a negative, ties counting half (Mann-Whitney).

    NaN without positives or without negatives.
    """
    scores, labels = _checked(scores, labels)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    ranks = scipy.stats.rankdata(scores)
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


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
    scores, hits = [np.empty(0)], [np.empty(0, dtype=np.bool_)]
    nothing = np.empty((0, 2))
    for recording, (predicted, score) in sorted(predictions.items()):
        if len(predicted) != len(score):
            raise ValueError(f"recording {recording}: {len(predicted)} predictions come with {len(score)} scores")
        scores.append(np.asarray(score, dtype=np.float64))
        hits.append(_greedy_hits(references.get(recording, nothing), predicted, scores[-1], criterion))
    every_score, every_hit = _checked(np.concatenate(scores), np.concatenate(hits))
    n_positive = sum(len(reference) for reference in references.values())
    return _curve(every_score, every_hit, n_positive, defined=n_positive > 0)


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


def _checked(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if np.shape(scores) != np.shape(labels) or np.ndim(scores) != 1:
        raise ValueError(f"scores {np.shape(scores)} and labels {np.shape(labels)} must be two lists of one length")
    out = np.asarray(scores, dtype=np.float64)
    if np.isnan(out).any():
        raise ValueError("a score is NaN: it has no rank")
    return out, np.asarray(labels, dtype=np.bool_)


def _curve(scores: NDArray[np.float64], hits: NDArray[np.bool_], n_positive: int, *, defined: bool) -> PrecisionRecall:
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    # The last of each run of equal scores: from there on the whole run is accepted.
    last = np.flatnonzero(np.append(np.diff(falling) != 0, np.ones(min(1, len(falling)), dtype=np.bool_)))
    tp = np.cumsum(hits[order])[last]
    recall = tp / n_positive if n_positive else np.full(len(last), np.nan)
    return PrecisionRecall(tp / (last + 1.0), recall, falling[last], defined)


def _greedy_hits(
    reference: Intervals, predicted: Intervals, score: NDArray[np.float64], criterion: Criterion
) -> NDArray[np.bool_]:
    """Return whether each prediction takes a reference, shape (m,)."""
    pairs = candidates(reference, predicted, criterion)
    of_prediction = pairs[:, 1]
    wanted, found = reference[pairs[:, 0]], predicted[of_prediction]
    # Rounded, so that the choice does not depend on where on the time axis the recording lies.
    iou = np.round(pair_iou(reference, predicted, pairs), _DECIMALS)
    apart = np.round(np.abs(wanted - found).sum(axis=1), _DECIMALS)
    best_first = (wanted[:, 1], wanted[:, 0], apart, -iou)
    order = np.lexsort((*best_first, of_prediction, found[:, 1], found[:, 0], -score[of_prediction]))
    hit = np.zeros(len(predicted), dtype=np.bool_)
    taken = np.zeros(len(reference), dtype=np.bool_)
    for i, j in pairs[order]:
        if not (hit[j] or taken[i]):
            hit[j] = taken[i] = True
    return hit
