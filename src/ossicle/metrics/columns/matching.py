"""Matching of predicted with reference events of many lists at once, as `match` of ``metrics.matching.rules`` of each.

All lists are laid one after another on one time axis, where neighbours are looked up together; the criterion itself is
decided on the times within the recording.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.matching.assignment import Pairs, best_matching
from ossicle.metrics.matching.rules import TOLERANCE, Criterion, IouMatch, met_pairs, pair_iou, search_windows

# Seconds between the lists on the common axis.
_APART_S = 1.0


def list_candidates(reference: EventLists, predicted: EventLists, criterion: Criterion) -> Pairs:
    """Return all pairs of events of one list that meet the criterion.

    Parameters
    ----------
    reference, predicted
        The same lists of reference and predicted events.
    criterion
        Which pairs may match.

    Returns
    -------
    ndarray
        Index of the reference and of the prediction in their columns: int64, shape (k, 2), sorted.

    Raises
    ------
    ValueError
        If there are not as many lists of predictions as of references.
    """
    if len(reference) != len(predicted):
        raise ValueError(
            f"{len(reference)} lists of references and {len(predicted)} of predictions do not belong together"
        )
    edge, low, high = search_windows(reference.times, criterion)
    zero, begin, end = _axis(reference, predicted)
    # Times on the axis are rounded to its spacing; the windows are wider by more than that.
    slack = 4 * np.spacing(end.max(initial=1.0))
    of_list, keys = reference.owner, predicted.times[:, edge] + zero[predicted.owner]
    order = np.argsort(keys, kind="stable")
    first = np.searchsorted(keys[order], np.maximum(low + zero[of_list], begin[of_list]) - slack, side="left")
    stop = np.searchsorted(keys[order], np.minimum(high + zero[of_list], end[of_list]) + slack, side="right")
    return met_pairs(reference.times, predicted.times, order, first, np.maximum(stop - first, 0), criterion)


def match_lists(reference: EventLists, predicted: EventLists, criterion: Criterion) -> Pairs:
    """Match predicted with reference events of many lists.

    Parameters and errors are those of :func:`list_candidates`.

    Returns
    -------
    ndarray
        The matched pairs, index of the reference and of the prediction: int64, shape (k, 2), sorted by reference.

    Examples
    --------
    >>> reference = EventLists.of([np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])])
    >>> predicted = EventLists.of([np.zeros((0, 2)), np.array([[0.1, 1.0], [5.0, 6.0]])])
    >>> match_lists(reference, predicted, IouMatch(threshold=0.5)).tolist()
    [[1, 0]]
    """
    pairs = list_candidates(reference, predicted, criterion)
    return best_matching(pairs, pair_iou(reference.times, predicted.times, pairs))


def matched_at(reference: EventLists, predicted: EventLists, thresholds: Sequence[float]) -> NDArray[np.int64]:
    """Return how many events of all lists together match at each IoU threshold, int64 (n_thresholds,).

    Neighbours are looked up once for all thresholds.
    """
    if not thresholds:
        return np.zeros(0, dtype=np.int64)
    pairs = list_candidates(reference, predicted, IouMatch(threshold=min(thresholds)))
    iou = pair_iou(reference.times, predicted.times, pairs)
    met = [iou >= threshold - TOLERANCE for threshold in thresholds]
    return np.array([len(best_matching(pairs[keep], iou[keep])) for keep in met], dtype=np.int64)


def _axis(
    reference: EventLists, predicted: EventLists
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the zero, the earliest and the latest time of each list on the common axis (s), shape (n_lists,) each."""
    bounds = [_bounds(event_lists) for event_lists in (reference, predicted)]
    begin, end = np.minimum(bounds[0][0], bounds[1][0]), np.maximum(bounds[0][1], bounds[1][1])
    length = np.append(0.0, np.cumsum(end - begin + _APART_S))[:-1]
    return length - begin, length, length + (end - begin)


def _bounds(lists: EventLists) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the earliest start (at most 0) and the latest end (at least 0) in each list."""
    begin, end, filled = np.zeros(len(lists)), np.zeros(len(lists)), lists.sizes > 0
    if filled.any():
        firsts = lists.offsets[:-1][filled]
        begin[filled] = np.minimum(np.minimum.reduceat(lists.times[:, 0], firsts), 0.0)
        end[filled] = np.maximum(np.maximum.reduceat(lists.times[:, 1], firsts), 0.0)
    return begin, end
