"""Which labels are on in the windows of a recording, from its annotations."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import OFF, ON, UNKNOWN
from ossicle.core.intervals import as_intervals, union
from ossicle.core.records import Annotation

ON_TRUTH, OFF_TRUTH, UNKNOWN_TRUTH = 1, 0, -1
# Times of annotations and windows come from counts at different rates.
_TOLERANCE_S = 1e-3
_WORDS = {ON_TRUTH: ON, OFF_TRUTH: OFF, UNKNOWN_TRUTH: UNKNOWN}


def window_truth(
    starts_s: NDArray[np.float64],
    window_s: float,
    annotations: Sequence[Annotation],
    labels: Sequence[str],
    unknown: Collection[str] = (),
) -> NDArray[np.int8]:
    """Return the state of each label in each window of a reviewed recording.

    Parameters
    ----------
    starts_s
        Start of each window in seconds, shape (n,).
    window_s
        Length of a window in seconds.
    annotations
        The annotations of the recording: the stretches in which a label is on.
    labels
        The labels, in the order of the columns.
    unknown
        Labels that may or may not be present.

    Returns
    -------
    ndarray
        int8, shape (n, n_labels): 1 on (the label covers the whole window), 0 off (no part of it), -1 unknown: the
        label is in ``unknown``, or it changes within the window.

    Examples
    --------
    >>> hum = Annotation("a", 0.0, 3.0, "hum")
    >>> window_truth(np.array([0.0, 2.0, 4.0]), 2.0, [hum], ["hum", "fan"], ["fan"]).tolist()
    [[1, -1], [-1, -1], [0, -1]]
    """
    truth = np.full((len(starts_s), len(labels)), OFF_TRUTH, dtype=np.int8)
    ends_s = starts_s + window_s
    for column, label in enumerate(labels):
        if label in unknown:
            truth[:, column] = UNKNOWN_TRUTH
            continue
        for start_s, end_s in union(
            as_intervals(
                [(annotation.start_s, annotation.end_s) for annotation in annotations if annotation.label == label]
            )
        ):
            within = (starts_s >= start_s - _TOLERANCE_S) & (ends_s <= end_s + _TOLERANCE_S)
            touched = (starts_s < end_s - _TOLERANCE_S) & (ends_s > start_s + _TOLERANCE_S)
            truth[touched & ~within, column] = UNKNOWN_TRUTH
            truth[within, column] = ON_TRUTH
    return truth


def recording_states(
    duration_s: float, annotations: Sequence[Annotation], labels: Sequence[str], unknown: Collection[str] = ()
) -> dict[str, str]:
    """Return the state of each label in a whole recording: ``on``, ``off``, or ``unknown`` if it changes.

    >>> recording_states(2.0, [Annotation("a", 0.0, 2.0, "hum")], ["fan", "hum"])
    {'fan': 'off', 'hum': 'on'}
    """
    truth = window_truth(np.zeros(1), duration_s, annotations, labels, unknown)[0]
    return {label: _WORDS[int(value)] for label, value in zip(labels, truth, strict=True)}
