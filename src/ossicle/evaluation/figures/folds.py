"""Results of one fold: the events in the recordings that it holds out."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ossicle.core.tracks import Event
from ossicle.evaluation.criteria.criterion import Counting
from ossicle.evaluation.ground_truth import Truth, event_times
from ossicle.metrics.events import count_events
from ossicle.metrics.matching import RecordingMatch


def fold_counts(truth: Truth, events: Mapping[str, list[Event]], fold: int, rule: Counting) -> NDArray[np.int64]:
    """Return true positives, false positives and false negatives over all labels of one fold, (3,).

    Where recordings are counted instead of events, true negatives are the fourth.
    """
    predicted, references = event_times(dict(events)), truth.references
    nothing = np.zeros((0, 2))
    counts, n_known = np.zeros(3, dtype=np.int64), 0
    for key in truth.ids:
        if truth.folds[key] != fold:
            continue
        for label in truth.labels:
            counts += count_events(references[key].get(label, nothing), predicted[key].get(label, nothing), rule)
            n_known += (key, label) not in truth.unknown
    return np.append(counts, n_known - counts.sum()) if isinstance(rule, RecordingMatch) else counts
