"""Figures of an epoch on held-out crops: accuracy, F1 and recall of each label, and what is taken for what."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.metrics.events import precision_recall_f1

_CERTAIN = 0.5


class HeldOutCounts:
    """Counts of the positions (windows or frames) of one epoch, batch by batch.

    Where every position has exactly one label, the label with the highest score is the answer, and answers are counted
    by true label (confusion matrix). Elsewhere each label is decided by itself, at a score of 0.5.

    Parameters
    ----------
    n_labels
        Number of labels.
    exclusive
        Whether the scores of the labels exclude each other (softmax). Positions without exactly one label then do not
        count.
    """

    def __init__(self, n_labels: int, exclusive: bool = False) -> None:
        self._n_labels, self._exclusive = n_labels, exclusive
        self._confusion = np.zeros((n_labels, n_labels), dtype=np.int64)
        self._tp, self._fp, self._fn, self._tn = np.zeros((4, n_labels), dtype=np.int64)
        self._others = 0

    def add(self, scores: ArrayLike, targets: ArrayLike, known: ArrayLike) -> None:
        """Count a batch.

        Parameters
        ----------
        scores, targets
            Shape (..., n_labels), in [0, 1].
        known
            The same shape: 0 where the target is not known.
        """
        n_labels = self._n_labels
        score = np.asarray(scores).reshape(-1, n_labels)
        is_known = np.asarray(known).reshape(-1, n_labels) > 0
        truth = (np.asarray(targets).reshape(-1, n_labels) >= _CERTAIN) & is_known
        decided_on = score >= _CERTAIN
        self._tp += (truth & decided_on).sum(axis=0)
        self._fn += (truth & ~decided_on).sum(axis=0)
        self._fp += (~truth & decided_on & is_known).sum(axis=0)
        self._tn += (~truth & ~decided_on & is_known).sum(axis=0)
        single = is_known.all(axis=1) & (truth.sum(axis=1) == 1)
        self._others += int((is_known.any(axis=1) & ~single).sum())
        np.add.at(self._confusion, (truth[single].argmax(axis=1), score[single].argmax(axis=1)), 1)

    def figures(self, labels: Sequence[str]) -> dict[str, Any]:
        """Return plain values by the names of the labels, None where there is nothing to count; empty without known
        targets.

        ``val_accuracy`` is the share of positions with the right answer, or of known targets on the right side of 0.5.
        ``labels`` holds ``f1`` and ``recall`` of each label. ``confusion`` lists (true label, answer, number) of what
        occurred; where labels are decided by themselves, ``counts`` holds ``tp``, ``fp``, ``fn`` and ``tn`` of each
        instead.
        """
        n_single = int(self._confusion.sum())
        if n_single and (self._exclusive or self._others == 0) and self._n_labels > 1:
            tp = self._confusion.diagonal()
            fn, fp = self._confusion.sum(axis=1) - tp, self._confusion.sum(axis=0) - tp
            rows = [
                [labels[true], labels[answer], int(self._confusion[true, answer])]
                for true, answer in np.argwhere(self._confusion).tolist()
            ]
            accuracy = float(tp.sum() / n_single)
            return {
                "val_accuracy": accuracy,
                "confusion": rows,
                **_by_label(labels, tp, fp, fn, n_single - tp - fp - fn),
            }
        counts = np.stack([self._tp, self._fp, self._fn, self._tn])
        if counts.sum() == 0 or self._exclusive:
            return {}
        names = ("tp", "fp", "fn", "tn")
        table = {
            label: dict(zip(names, counts[:, column].tolist(), strict=True)) for column, label in enumerate(labels)
        }
        accuracy = float((self._tp + self._tn).sum() / counts.sum())
        return {"val_accuracy": accuracy, "counts": table, **_by_label(labels, *counts)}


def _by_label(
    labels: Sequence[str],
    tp: NDArray[np.int64],
    fp: NDArray[np.int64],
    fn: NDArray[np.int64],
    tn: NDArray[np.int64],
) -> dict[str, Any]:
    _, recall, f1 = precision_recall_f1(tp, fp, fn, tn)
    figures = {
        label: {"f1": _plain_figure(f1[column]), "recall": _plain_figure(recall[column])}
        for column, label in enumerate(labels)
    }
    return {"labels": figures}


def _plain_figure(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
