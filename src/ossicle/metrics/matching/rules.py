"""Matching of predicted with reference events of one label in one recording.

A *criterion* defines which pairs may match; :func:`match` chooses among them. A matching uses each event at most once.
The chosen one has the greatest number of pairs (like ``sed_eval`` with ``event_matching_type="optimal"``, and
``mir_eval``). Among matchings of equal size it has the greatest total intersection over union (IoU), so boundary errors
are those of the best-fitting partners.

Criteria are met up to :data:`TOLERANCE`: times come from decimal text, so an IoU of exactly the threshold or an onset
exactly one collar away would otherwise depend on the last bit. ``sed_eval`` has no such tolerance and can differ in
these cases only. Events of zero length have IoU 0 (as in ``core.intervals``): they match by collar, never by IoU.

References
----------
A. Mesaros, T. Heittola, T. Virtanen, "Metrics for polyphonic sound event detection", Applied Sciences 6(6), 2016.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.settings import setting, settings
from ossicle.metrics.matching.assignment import Pairs, best_matching

# Absolute, on IoU and on seconds: far above float64 noise at times of 1e6 s, far below a sample.
TOLERANCE = 1e-9
# Search windows of candidates are this much wider (relative and in seconds) than the criterion, which then decides.
_SEARCH_MARGIN = 1e-6
# Pairs examined at once: limits the memory of long overlapping lists to about 100 MB.
_BLOCK_PAIRS = 1 << 21


@settings
class IouMatch:
    """A pair may match if the intersection over union of its two intervals reaches ``threshold``.

    Parameters
    ----------
    threshold
        Lowest intersection over union of a matched pair, above 0 and at most 1.

    Raises
    ------
    ValueError
        The threshold is not in this range.

    Examples
    --------
    >>> match([[0.0, 1.0]], [[0.2, 1.0]], IouMatch(threshold=0.9)).tolist()
    []
    """

    threshold: float = setting(default=0.5, help="least intersection over union of a matched pair", gt=0, le=1)


@settings
class CollarMatch:
    """A pair may match if onsets, offsets or both agree within a collar, as in ``sed_eval`` (Mesaros et al. 2016).

    Parameters
    ----------
    collar_s
        How far an onset may be off, in seconds.
    percentage_of_length
        The collar of an offset is ``max(collar_s, percentage_of_length * reference length)``.
    evaluate_onset, evaluate_offset
        Whether onsets, and offsets, must agree; at least one of them.

    Raises
    ------
    ValueError
        A collar or percentage is negative, or neither onsets nor offsets must agree.

    Examples
    --------
    >>> match([[0.0, 1.0]], [[0.2, 1.1]], CollarMatch(collar_s=0.25)).tolist()
    [[0, 0]]
    """

    collar_s: float = setting(default=0.2, help="tolerance of onsets, and least tolerance of offsets", unit="s", ge=0)
    percentage_of_length: float = setting(
        default=0.5, help="tolerance of offsets as a share of the reference length", ge=0
    )
    evaluate_onset: bool = setting(default=True, help="whether onsets must agree")
    evaluate_offset: bool = setting(default=True, help="whether offsets must agree")

    def __post_init__(self) -> None:
        """Reject a criterion that every pair would meet."""
        if not (self.evaluate_onset or self.evaluate_offset):
            raise ValueError("evaluate_onset and evaluate_offset are both false: set at least one of them to true")


Criterion = IouMatch | CollarMatch


@settings
class RecordingMatch:
    """Ignore times: a label is present in a recording or not, and is detected there or not.

    There is at most one true positive, false positive or false negative per recording and label, whatever the number of
    annotations and events. This criterion is for counting only; it forms no pairs.
    """


def recording_counts(
    n_reference: NDArray[np.int64], n_predicted: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return true positives, false positives and false negatives of recordings (n,) under :class:`RecordingMatch`.

    >>> [one.tolist() for one in recording_counts(np.array([3, 0, 1]), np.array([1, 2, 0]))]
    [[True, False, False], [False, True, False], [False, False, True]]
    """
    has_reference, has_prediction = n_reference > 0, n_predicted > 0
    return has_reference & has_prediction, has_prediction & ~has_reference, has_reference & ~has_prediction


def pair_iou(reference: Intervals, predicted: Intervals, pairs: Pairs) -> NDArray[np.float64]:
    """Return the intersection over union of each pair, shape (k,); 0 where both intervals are empty."""
    a, b = reference[pairs[:, 0]], predicted[pairs[:, 1]]
    both = np.maximum(np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0]), 0.0)
    either = (a[:, 1] - a[:, 0]) + (b[:, 1] - b[:, 0]) - both
    share: NDArray[np.float64] = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return share


def meets(reference: Intervals, predicted: Intervals, pairs: Pairs, criterion: Criterion) -> NDArray[np.bool_]:
    """Return whether each pair (index of reference, index of prediction; shape (k, 2)) meets the criterion, shape
    (k,).
    """
    if isinstance(criterion, IouMatch):
        reached: NDArray[np.bool_] = pair_iou(reference, predicted, pairs) >= criterion.threshold - TOLERANCE
        return reached
    a, b = reference[pairs[:, 0]], predicted[pairs[:, 1]]
    met = np.ones(len(pairs), dtype=np.bool_)
    if criterion.evaluate_onset:
        met &= np.abs(a[:, 0] - b[:, 0]) <= criterion.collar_s + TOLERANCE
    if criterion.evaluate_offset:
        met &= np.abs(a[:, 1] - b[:, 1]) <= _offset_collar(a, criterion) + TOLERANCE
    return met


def candidates(reference: Intervals, predicted: Intervals, criterion: Criterion) -> Pairs:
    """Return all pairs that meet the criterion: int64, shape (k, 2), index of reference and of prediction, sorted.

    Predictions are sorted once, and each reference examines only those whose start (or end) could meet the criterion.
    The work therefore grows with the number of neighbours, not with the product of the lengths.

    Raises
    ------
    ValueError
        If times are not finite, or an end lies before its start.
    """
    reference, predicted = as_intervals(reference), as_intervals(predicted)
    edge, low, high = search_windows(reference, criterion)
    order = np.argsort(predicted[:, edge], kind="stable")
    keys = predicted[order, edge]
    first = np.searchsorted(keys, low, side="left")
    count = np.maximum(np.searchsorted(keys, high, side="right") - first, 0)
    return met_pairs(reference, predicted, order, first, count, criterion)


def met_pairs(
    reference: Intervals,
    predicted: Intervals,
    order: NDArray[np.int64],
    first: NDArray[np.int64],
    count: NDArray[np.int64],
    criterion: Criterion,
) -> Pairs:
    """Return the pairs that meet the criterion, sorted, among some neighbours of each reference.

    Parameters
    ----------
    reference, predicted
        float64, shapes (n, 2) and (m, 2), in seconds.
    order
        The predictions in order of time, int64 (m,).
    first, count
        The neighbours of each reference in ``order``: the place of the first and their number, int64 (n,) each.
    criterion
        Which pairs may match.
    """
    total = np.concatenate([[0], np.cumsum(count)])
    met = [np.empty((0, 2), dtype=np.int64)]
    start = 0
    while start < len(reference):
        stop = max(start + 1, int(np.searchsorted(total, total[start] + _BLOCK_PAIRS, side="right")) - 1)
        rows = np.repeat(np.arange(start, stop), count[start:stop])
        within = np.arange(len(rows)) - np.repeat(total[start:stop] - total[start], count[start:stop])
        pairs = np.stack([rows, order[first[rows] + within]], axis=1)
        met.append(pairs[meets(reference, predicted, pairs, criterion)])
        start = stop
    met_in_order: Pairs = np.concatenate(met)
    return met_in_order[np.lexsort((met_in_order[:, 1], met_in_order[:, 0]))]


def match(reference: ArrayLike, predicted: ArrayLike, criterion: Criterion) -> Pairs:
    """Match predicted with reference events of one label in one recording.

    Parameters
    ----------
    reference, predicted
        float64, shapes (n, 2) and (m, 2), start and end in seconds, in any order; lists are accepted.
    criterion
        Which pairs may match.

    Returns
    -------
    ndarray
        The matched pairs (index of reference, index of prediction): int64, shape (k, 2), sorted by reference.

    Raises
    ------
    ValueError
        A time is not finite, or an event ends before it starts.

    Examples
    --------
    >>> match([[0.0, 1.0], [2.0, 3.0]], [[2.1, 3.0], [5.0, 6.0]], IouMatch(threshold=0.5)).tolist()
    [[1, 0]]
    """
    reference, predicted = as_intervals(reference), as_intervals(predicted)
    pairs = candidates(reference, predicted, criterion)
    return best_matching(pairs, pair_iou(reference, predicted, pairs))


def match_brute_force(reference: Intervals, predicted: Intervals, criterion: Criterion) -> Pairs:
    """Try every matching of up to ten events; :func:`match` must equal the result in number of pairs and total IoU."""
    every = np.stack(np.meshgrid(np.arange(len(reference)), np.arange(len(predicted)), indexing="ij"), axis=-1)
    every = every.reshape(-1, 2)
    allowed = meets(reference, predicted, every, criterion).reshape(len(reference), len(predicted))
    gain = pair_iou(reference, predicted, every).reshape(len(reference), len(predicted))

    def best(row: int, free: frozenset[int]) -> tuple[int, float, list[tuple[int, int]]]:
        if row == len(reference):
            return 0, 0.0, []
        options = [best(row + 1, free)]
        for col in sorted(free):
            if allowed[row, col]:
                number, total, pairs = best(row + 1, free - {col})
                options.append((number + 1, total + float(gain[row, col]), [(row, col), *pairs]))
        return max(options, key=lambda option: option[:2])

    return np.array(best(0, frozenset(range(len(predicted))))[2], dtype=np.int64).reshape(-1, 2)


def _offset_collar(reference: Intervals, criterion: CollarMatch) -> NDArray[np.float64]:
    return np.maximum(criterion.collar_s, criterion.percentage_of_length * (reference[:, 1] - reference[:, 0]))


def search_windows(reference: Intervals, criterion: Criterion) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return the column by which to sort predictions, and per reference the range in which that time must lie.

    With length L and threshold t, IoU >= t requires of a predicted start s: s >= end - L / t (the union reaches at
    least from s to the end, the intersection is at most L) and s <= end - t * L (the intersection reaches from s to the
    end).
    """
    length = reference[:, 1] - reference[:, 0]
    if isinstance(criterion, IouMatch):
        margin = _SEARCH_MARGIN * (1 + length / criterion.threshold)
        low, high = reference[:, 1] - length / criterion.threshold, reference[:, 1] - criterion.threshold * length
        return 0, low - margin, high + margin
    if criterion.evaluate_onset:
        reach = criterion.collar_s + _SEARCH_MARGIN
        return 0, reference[:, 0] - reach, reference[:, 0] + reach
    span = _offset_collar(reference, criterion) + _SEARCH_MARGIN
    return 1, reference[:, 1] - span, reference[:, 1] + span
