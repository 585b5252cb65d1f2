"""The gain of one detector over another on the same recordings, with its paired interval."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.tracks import Event
from ossicle.evaluation.figures.folds import counts_by_recording
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.matching.rules import Criterion, RecordingMatch
from ossicle.metrics.resampling.bootstrap import Bootstrap, bootstrap_interval


def gain(
    truth: Truth,
    first: Mapping[str, Sequence[Event]],
    second: Mapping[str, Sequence[Event]],
    criterion: Criterion | RecordingMatch,
    n: int,
    seed: int,
) -> Bootstrap:
    """Return the event F1 of the second list minus that of the first, of the first, and of the second: shape (3,).

    Paired: both lists are evaluated on the same resampled recordings, and groups if there are enough.
    """
    counts = np.stack([counts_by_recording(truth, event_list, criterion) for event_list in (first, second)], axis=1)
    return bootstrap_interval(counts, [truth.groups[key] for key in truth.ids], _gain, n, seed)


def _gain(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn sums (b, 2, 3 or 4) of first and second stage into gain, first F1 and second F1 (b, 3)."""
    f1 = precision_recall_f1(*np.moveaxis(sums, -1, 0))[2]
    return np.stack([f1[:, 1] - f1[:, 0], f1[:, 0], f1[:, 1]], axis=1)
