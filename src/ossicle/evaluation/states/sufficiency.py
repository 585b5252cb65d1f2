"""Whether there are enough recordings for a figure to mean something for new recordings."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.reports.event_report import Estimate

FEWEST_RECORDINGS = 5
"""Independent recordings that each side of a label (on, off) needs, in the training part and the judged part."""
WIDEST_INTERVAL = 0.2
INSUFFICIENT = "insufficient"
"""The word that stands beside such figures, wherever they are shown."""


def thin_sides(
    truth: NDArray[np.int8], folds: NDArray[np.int64], labels: Iterable[str], names: Mapping[int, str]
) -> list[str]:
    """Return in words where a fold has too few recordings with a label on, or off, to judge or to train with.

    Parameters
    ----------
    truth
        State of each label in each recording: 1 on, 0 off, -1 unknown or changing; shape (n_recordings, n_labels).
        A recording in which a label changes counts for both sides.
    folds
        The fold that holds each recording out, shape (n_recordings,).
    labels
        The labels.
    names
        Name of each fold.

    Returns
    -------
    list of str
        One line for each fold and part, with the labels that have too few recordings; empty if there are enough.
    """
    notes = []
    for fold, name in names.items():
        inside = folds == fold
        for part, rows in ((f"held out in {name}", inside), (f"trained on for {name}", ~inside)):
            counts = [
                (label, int((truth[rows, column] == 1).sum()), int((truth[rows, column] == 0).sum()))
                for column, label in enumerate(labels)
            ]
            few = [f"{label} {on} on and {off} off" for label, on, off in counts if min(on, off) < FEWEST_RECORDINGS]
            if few:
                notes.append(f"recordings {part}: {', '.join(few)}")
    return notes


def wide(estimate: Estimate) -> bool:
    """Return whether the interval of a figure is wider than :data:`WIDEST_INTERVAL`, or unknown.

    >>> wide(Estimate(0.9, 0.8, 0.95)), wide(Estimate(0.9, 0.6, 1.0))
    (False, True)
    """
    return not estimate.high - estimate.low <= WIDEST_INTERVAL
