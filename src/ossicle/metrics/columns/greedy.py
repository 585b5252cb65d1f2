"""Greedy matching in score order, of many lists at once."""

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.matching import list_candidates
from ossicle.metrics.matching.assignment import contested
from ossicle.metrics.matching.rules import Criterion, pair_iou

_DECIMALS = 9


def greedy_hits(
    reference: EventLists, predicted: EventLists, scores: NDArray[np.float64], criterion: Criterion
) -> NDArray[np.bool_]:
    """Return whether each prediction takes a reference of its list, shape (m,).

    From the highest score down (of equal scores the earliest first), a prediction takes the free reference with the
    greatest IoU that meets the criterion; of equally great ones (to a billionth) that with the nearest boundaries, then
    the earliest.

    Parameters
    ----------
    reference, predicted
        The same lists of reference and predicted events.
    scores
        Score of each prediction, (m,).
    criterion
        Which pairs may match.
    """
    pairs = list_candidates(reference, predicted, criterion)
    hit = np.zeros(len(predicted.times), dtype=np.bool_)
    shared = contested(pairs)
    hit[pairs[~shared, 1]] = True
    pairs = pairs[shared]
    of_prediction = pairs[:, 1]
    reference_times, predicted_times = reference.times[pairs[:, 0]], predicted.times[of_prediction]
    # Rounded, so that the choice does not depend on where on the time axis the recording lies.
    iou = np.round(pair_iou(reference.times, predicted.times, pairs), _DECIMALS)
    distance = np.round(np.abs(reference_times - predicted_times).sum(axis=1), _DECIMALS)
    best_first = (reference_times[:, 1], reference_times[:, 0], distance, -iou)
    order = np.lexsort(
        (*best_first, of_prediction, predicted_times[:, 1], predicted_times[:, 0], -scores[of_prediction])
    )
    taken_references, taken_predictions = set[int](), set[int]()
    for i, j in pairs[order].tolist():
        if i not in taken_references and j not in taken_predictions:
            taken_references.add(i)
            taken_predictions.add(j)
    hit[list(taken_predictions)] = True
    return hit
