"""Segment-based counts and rates: is a label active anywhere in each segment of fixed length (Mesaros et al. 2016)?

As in ``sed_eval``, an event activates every segment that it overlaps by a positive length, and the last segment may be
partial. Boundaries within a millionth of a segment of the grid count as on it (``core.time``), so that decimal noise
does not activate a neighbour.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.time import first_frame_at_or_after
from ossicle.metrics.columns.event_lists import EventLists, EventSet
from ossicle.metrics.columns.segments import segment_counts
from ossicle.metrics.events import CountReport, check_names, count_report


def active_segments(intervals: Intervals, duration_s: float, segment_s: float = 1.0) -> NDArray[np.bool_]:
    """Return whether each segment [k * segment_s, (k + 1) * segment_s) of the recording is active, shape (n_segments,).

    Parameters
    ----------
    intervals
        Shape (n, 2), seconds; they may overlap. Parts outside [0, duration_s] are ignored.
    duration_s, segment_s
        Length of the recording and of a segment in seconds.

    Raises
    ------
    ValueError
        If the length of a segment or the duration is not valid.

    Examples
    --------
    >>> active_segments(np.array([[0.5, 2.0]]), 4.0).tolist()
    [True, True, False, False]
    """
    if not segment_s > 0 or not duration_s >= 0:
        raise ValueError(f"segment_s = {segment_s:g} s must be positive and duration_s = {duration_s:g} s at least 0")
    n_segments = first_frame_at_or_after(duration_s, segment_s)
    change = np.zeros(n_segments + 1, dtype=np.int64)
    for start_s, end_s in as_intervals(intervals):
        # floor(t) is -ceil(-t).
        first = min(max(-first_frame_at_or_after(-start_s, segment_s), 0), n_segments)
        beyond = min(max(first_frame_at_or_after(end_s, segment_s), first), n_segments)
        change[first] += 1
        change[beyond] -= 1
    active: NDArray[np.bool_] = np.cumsum(change[:-1]) > 0
    return active


def count_segments(
    reference: Intervals, predicted: Intervals, duration_s: float, segment_s: float = 1.0
) -> tuple[int, int, int, int]:
    """Return true positive, false positive, false negative and true negative segments of one label in one recording.

    >>> count_segments(np.array([[0.0, 2.0]]), np.array([[1.5, 2.5]]), 4.0)
    (1, 1, 1, 1)
    """
    truth = active_segments(reference, duration_s, segment_s)
    in_prediction = active_segments(predicted, duration_s, segment_s)
    parts = truth & in_prediction, in_prediction & ~truth, truth & ~in_prediction, ~truth & ~in_prediction
    tp, fp, fn, tn = (int(part.sum()) for part in parts)
    return tp, fp, fn, tn


def evaluate_segments(
    references: EventSet,
    predictions: EventSet,
    durations_s: Mapping[str, float],
    labels: Sequence[str],
    groups: Mapping[str, str] | None = None,
    segment_s: float = 1.0,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> CountReport:
    """Return segment-based rates over recordings and labels, with bootstrap intervals; counts are segments.

    Parameters and errors are those of :func:`ossicle.metrics.events.evaluate_events`, and ``segment_s`` is the length
    of a segment in seconds. The pooled F1 is the segment-based micro average of ``sed_eval``; the macro F1 is its
    class-wise average over the labels that have references. A label that is active in every segment has
    no precision and no F1 (``metrics.events``), where ``sed_eval`` gives 1.
    """
    recordings = sorted(durations_s)
    group_of = {recording: recording for recording in recordings} if groups is None else groups
    check_names(references, predictions, durations_s, labels, group_of)
    reference, predicted = (EventLists.gather(events, recordings, labels) for events in (references, predictions))
    n_segments = [first_frame_at_or_after(durations_s[recording], segment_s) for recording in recordings]
    counts = segment_counts(reference, predicted, np.repeat(n_segments, len(labels)), segment_s)
    counts = counts.reshape(len(recordings), len(labels), 4)
    names = [group_of[recording] for recording in recordings]
    durations = np.array([durations_s[recording] for recording in recordings], dtype=np.float64)
    return count_report(counts, names, durations, labels, n_bootstrap, seed)
