"""Counts of active segments of many lists at once: as :func:`ossicle.metrics.segments.count_segments` of each."""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.time import first_frames_at_or_after
from ossicle.metrics.columns.event_lists import EventLists

Counts = NDArray[np.int64]


def segment_counts(reference: EventLists, predicted: EventLists, n_segments: Counts, segment_s: float) -> Counts:
    """Return true positive, false positive, false negative and true negative segments of each list.

    Memory depends on the number of events, not on that of segments.

    Parameters
    ----------
    reference, predicted
        The same lists of reference and predicted events.
    n_segments
        Segments of the recording of each list, int64 (n_lists,).
    segment_s
        Length of a segment in seconds.

    Returns
    -------
    ndarray
        int64, shape (n_lists, 4).
    """
    parts = [_changes(event_lists, n_segments, segment_s) for event_lists in (reference, predicted)]
    owner, segment = (np.concatenate([part[column] for part in parts]) for column in range(2))
    change = np.zeros((len(owner), 2), dtype=np.int64)
    change[: len(parts[0][0]), 0], change[len(parts[0][0]) :, 1] = parts[0][2], parts[1][2]
    order = np.lexsort((segment, owner))
    owner, segment = owner[order], segment[order]
    in_reference, in_prediction = (np.cumsum(change[order], axis=0) > 0).T
    # After the last change of a list nothing is active, so the step into the next list counts nowhere.
    length = np.diff(segment, append=segment[-1:])
    active = [
        np.bincount(owner, weights=length * category, minlength=len(reference)).astype(np.int64)
        for category in (in_reference & in_prediction, in_prediction & ~in_reference, in_reference & ~in_prediction)
    ]
    return np.stack([*active, n_segments - sum(active)], axis=1)


def _changes(lists: EventLists, n_segments: Counts, segment_s: float) -> tuple[Counts, Counts, Counts]:
    """Return list, segment and change (+1, -1) where the events of the lists begin and end to be active."""
    most = n_segments[lists.owner]
    # floor(t) is -ceil(-t).
    first = np.clip(-first_frames_at_or_after(-lists.times[:, 0], segment_s), 0, most)
    beyond = np.clip(first_frames_at_or_after(lists.times[:, 1], segment_s), first, most)
    steps = np.ones(len(first), dtype=np.int64)
    return np.tile(lists.owner, 2), np.concatenate([first, beyond]), np.concatenate([steps, -steps])
