"""Figures of one answer per clip: accuracy, F1 of each label and their means, loss, confusion, with intervals.

A figure that has nothing to count is undefined (NaN). F1 is ``2 tp / (2 tp + fp + fn)``. Means over labels are over the
labels that have a clip: a label without one has no recall, and its false positives count in the precision of no mean.
Intervals resample recordings within groups (:mod:`ossicle.metrics.resampling.bootstrap`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.metrics.clip_answers.answers import Answers, confusion_matrix
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import Bootstrap, bootstrap_interval

_MICRO = 1_000_000
_OVERALL = ("accuracy", "macro_f1", "weighted_f1", "macro_recall", "loss")


@dataclass(frozen=True, slots=True)
class SingleLabelReport:
    """Figures of clips with one label each.

    Attributes
    ----------
    labels
        The labels, in the order of ``confusion``.
    n, n_recordings, n_groups
        Number of clips, of their recordings, and of the groups of these.
    few_groups
        Whether the intervals say nothing about new groups.
    accuracy, macro_f1, weighted_f1, macro_recall, loss
        Over all clips; ``weighted_f1`` weights each label by its clips, ``macro_recall`` is the balanced accuracy.
    f1, precision, recall
        By label.
    support
        Number of clips by label.
    confusion
        int64 (n_labels, n_labels): truth in rows, answers in columns.
    """

    labels: tuple[str, ...]
    n: int
    n_recordings: int
    n_groups: int
    few_groups: bool
    accuracy: Estimate
    macro_f1: Estimate
    weighted_f1: Estimate
    macro_recall: Estimate
    loss: Estimate
    f1: Mapping[str, Estimate]
    precision: Mapping[str, Estimate]
    recall: Mapping[str, Estimate]
    support: Mapping[str, int]
    confusion: NDArray[np.int64]

    @property
    def never_named(self) -> tuple[str, ...]:
        """The labels that have clips and a recall of zero."""
        return tuple(label for label in self.labels if self.support[label] and self.recall[label].value == 0)

    @property
    def absent(self) -> tuple[str, ...]:
        """The labels without a clip."""
        return tuple(label for label in self.labels if not self.support[label])

    def to_json(self) -> dict[str, Any]:
        """Return plain values; an undefined figure is None."""
        return {
            "n": self.n,
            "n_recordings": self.n_recordings,
            "n_groups": self.n_groups,
            "few_groups": self.few_groups,
            **{name: getattr(self, name).to_json() for name in _OVERALL},
            **{
                name: {label: estimate.to_json() for label, estimate in getattr(self, name).items()}
                for name in ("f1", "precision", "recall")
            },
            "support": dict(self.support),
            "never_named": list(self.never_named),
            "absent": list(self.absent),
            "confusion": {"labels": list(self.labels), "counts": self.confusion.tolist()},
        }


def single_label_report(
    answers: Answers,
    labels: Sequence[str],
    recording: NDArray[np.int64],
    groups: Sequence[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> SingleLabelReport:
    """Return the figures of answers.

    Parameters
    ----------
    answers
        The answers to the clips.
    labels
        Names of the columns.
    recording
        int64 (n,): the place of each clip's recording in ``groups``.
    groups
        The group of each recording, (n_recordings,). A recording without a clip is left out.
    n_bootstrap, seed
        Number of resamples, and their seed.

    Returns
    -------
    SingleLabelReport
        Without clips, all figures are undefined.
    """
    names = tuple(labels)
    counts, used = answer_counts(answers, len(names), recording)
    group_of_recording = [groups[row] for row in used.tolist()]
    bootstrap = bootstrap_interval(
        counts, group_of_recording, partial(answer_figures, n_labels=len(names)), n_bootstrap, seed_of("clips", seed)
    )
    confusion = confusion_matrix(answers.truth, answers.answer, len(names))
    overall = [_estimate(bootstrap, column) for column in range(len(_OVERALL))]
    precision, recall, f1 = (
        {label: _estimate(bootstrap, len(_OVERALL) + kind * len(names) + c) for c, label in enumerate(names)}
        for kind in range(3)
    )
    accuracy, macro_f1, weighted_f1, macro_recall, loss = overall
    return SingleLabelReport(
        labels=names,
        n=len(answers),
        n_recordings=len(group_of_recording),
        n_groups=bootstrap.n_groups,
        few_groups=bootstrap.few_groups,
        accuracy=accuracy,
        macro_f1=macro_f1,
        weighted_f1=weighted_f1,
        macro_recall=macro_recall,
        loss=loss,
        f1=f1,
        precision=precision,
        recall=recall,
        support=dict(zip(names, confusion.sum(axis=1).tolist(), strict=True)),
        confusion=confusion,
    )


def answer_counts(
    answers: Answers, n_labels: int, recording: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the figures need of each recording with a clip, and the places of these recordings.

    Returns
    -------
    counts
        int64 (n_recordings, 3 n_labels + 2): true positives, false positives and false negatives of the labels, the
        loss in millionths, and the number of clips.
    recordings
        int64 (n_recordings,), rising.
    """
    used, row = np.unique(recording, return_inverse=True)
    right = answers.truth == answers.answer
    shape = (len(used), n_labels)

    def counted(column: NDArray[np.int64], which: NDArray[np.bool_]) -> NDArray[np.int64]:
        cells = row[which] * n_labels + column[which]
        return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64)

    loss = np.zeros(len(used), dtype=np.int64)
    np.add.at(loss, row, np.rint(answers.loss * _MICRO).astype(np.int64))
    n = np.bincount(row, minlength=len(used)).astype(np.int64)
    parts = (counted(answers.answer, right), counted(answers.answer, ~right), counted(answers.truth, ~right))
    return np.concatenate([*parts, loss[:, None], n[:, None]], axis=1), used


def answer_figures(sums: NDArray[np.int64], n_labels: int) -> NDArray[np.float64]:
    """Return figures of summed :func:`answer_counts` (b, 3 n_labels + 2): float64 (b, 5 + 3 n_labels).

    Accuracy, macro F1, weighted F1, macro recall and loss; then precision, recall and F1 of the labels.
    """
    tp, fp, fn = (sums[:, block * n_labels : (block + 1) * n_labels].astype(np.float64) for block in range(3))
    loss, n = sums[:, -2] / _MICRO, sums[:, -1].astype(np.float64)
    precision, recall, f1 = _ratio(tp, tp + fp), _ratio(tp, tp + fn), _ratio(2 * tp, 2 * tp + fp + fn)
    support = tp + fn
    overall = [
        _ratio(tp.sum(axis=1), n),
        _mean(f1, support > 0),
        _ratio((np.where(support > 0, f1, 0.0) * support).sum(axis=1), support.sum(axis=1)),
        _mean(recall, support > 0),
        _ratio(loss, n),
    ]
    return np.concatenate([np.stack(overall, axis=1), precision, recall, f1], axis=1)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio


def _mean(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean of each row over the places of ``where``, NaN without any."""
    return _ratio(np.where(where, np.nan_to_num(values), 0.0).sum(axis=1), where.sum(axis=1).astype(np.float64))


def _estimate(bootstrap: Bootstrap, column: int) -> Estimate:
    return Estimate(float(bootstrap.value[column]), float(bootstrap.low[column]), float(bootstrap.high[column]))
