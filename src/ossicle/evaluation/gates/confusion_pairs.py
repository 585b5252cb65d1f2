"""Named confusions of clips: true label > predicted label, each with ``*`` for any text."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ConfusionPair:
    """Patterns of the true and of the predicted label."""

    true: str
    predicted: str

    def __str__(self) -> str:
        return f"{self.true} > {self.predicted}"

    def share(self, labels: Sequence[str], confusion: NDArray[np.int64]) -> float | None:
        """Return the share of the clips of the true labels that were given one of the predicted labels.

        Parameters
        ----------
        labels
            Labels of the rows and columns.
        confusion
            Counts (n_labels, n_labels), rows are true labels. The diagonal is no confusion and does not count.

        Returns
        -------
        float or None
            The share in [0, 1]; None if there is no clip of the true labels.
        """
        rows = [row for row, label in enumerate(labels) if fnmatchcase(label, self.true)]
        columns = [column for column, label in enumerate(labels) if fnmatchcase(label, self.predicted)]
        total = int(confusion[rows].sum()) if rows else 0
        if total == 0:
            return None
        wrong = sum(int(confusion[row, column]) for row in rows for column in columns if row != column)
        return wrong / total

    def unknown(self, labels: Sequence[str]) -> str:
        """Return the pattern that no label matches; empty if both match."""
        missing = [
            pattern
            for pattern in (self.true, self.predicted)
            if not any(fnmatchcase(label, pattern) for label in labels)
        ]
        return missing[0] if missing else ""


def parse_pair(text: str) -> ConfusionPair:
    """Return the patterns of ``true > predicted``.

    Raises
    ------
    ValueError
        The text is not two patterns with ``>`` between them.

    Examples
    --------
    >>> parse_pair("kick > ride*")
    ConfusionPair(true='kick', predicted='ride*')
    """
    true, sign, predicted = (part.strip() for part in text.partition(">"))
    if not sign or not true or not predicted or ">" in predicted:
        raise ValueError(f"{text!r} is not a confusion: write true label > predicted label, as in 'kick > ride*'")
    return ConfusionPair(true, predicted)
