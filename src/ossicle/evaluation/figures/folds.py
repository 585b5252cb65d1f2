"""Results of folds and recordings: counts over all labels."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.tracks import Event
from ossicle.evaluation.criteria.criterion import Counting
from ossicle.evaluation.event_lists import event_lists
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.events import list_counts
from ossicle.metrics.matching.rules import CollarMatch, RecordingMatch


def counts_by_fold(truth: Truth, events: Mapping[str, Sequence[Event]], rule: Counting) -> dict[int, NDArray[np.int64]]:
    """Return true positives, false positives and false negatives of each fold over all labels, (3,) each.

    Where recordings are counted instead of events, true negatives are the fourth.
    """
    counts = counts_by_recording(truth, events, rule)
    folds = np.array([truth.folds[key] for key in truth.ids], dtype=np.int64)
    return {int(fold): counts[folds == fold].sum(axis=0) for fold in np.unique(folds)}


def counts_by_recording(
    truth: Truth, events: Mapping[str, Sequence[Event]], rule: Counting | CollarMatch
) -> NDArray[np.int64]:
    """Return true positives, false positives and false negatives of each recording over all labels, int64
    (n_recordings, 3).

    Where recordings are counted instead of events, true negatives are the fourth.
    """
    predicted, _ = event_lists(events, truth.ids, truth.labels)
    of_lists = list_counts(truth.reference_lists, predicted, rule)
    counts: NDArray[np.int64] = of_lists.reshape(len(truth.ids), len(truth.labels), 3).sum(axis=1)
    if not isinstance(rule, RecordingMatch):
        return counts
    silent = truth.known.sum(axis=1) - counts.sum(axis=1)
    return np.concatenate([counts, silent[:, None]], axis=1)
