"""Figures of clips with several labels: exact match, F1 of each label, and a confusion of each label, with intervals.

A label is predicted where its score reaches the threshold with the best F1 on the clips of the other folds; a label
without one (no positives or no negatives there) has the threshold 0.5 and is listed. A figure that has nothing to count
is undefined (NaN). Means over labels are over the labels that have a clip.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.metrics.clips import best_f1_threshold
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import Bootstrap, bootstrap_interval

WITHOUT = 0.5
"""The threshold of a label for which none can be fitted."""
_OVERALL = ("exact_match", "macro_f1", "micro_f1")


@dataclass(frozen=True, slots=True, eq=False)
class MultiLabelItems:
    """Clips with several labels each.

    Attributes
    ----------
    scores, targets, known
        Floating, bool and bool (n, n_labels); an unknown target counts nowhere.
    folds, recording
        int64 (n,): the fold that held out the clip, and its recording.
    """

    scores: NDArray[np.floating]
    targets: NDArray[np.bool_]
    known: NDArray[np.bool_]
    folds: NDArray[np.int64]
    recording: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MultiLabelReport:
    """Figures of clips with several labels.

    ``exact_match``: share of clips whose predicted labels are exactly their labels. ``confusion``: int64 (n_labels, 2,
    2), for each label [[true negatives, false positives], [false negatives, true positives]]. ``n_simultaneous``: clips
    with more than one label.
    """

    labels: tuple[str, ...]
    n: int
    n_simultaneous: int
    exact_match: Estimate
    macro_f1: Estimate
    micro_f1: Estimate
    f1: Mapping[str, Estimate]
    precision: Mapping[str, Estimate]
    recall: Mapping[str, Estimate]
    confusion: NDArray[np.int64]
    without_threshold: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; an undefined figure is None."""
        return {
            "n": self.n,
            "n_simultaneous": self.n_simultaneous,
            **{name: getattr(self, name).to_json() for name in _OVERALL},
            **{
                name: {label: estimate.to_json() for label, estimate in getattr(self, name).items()}
                for name in ("f1", "precision", "recall")
            },
            "confusion": dict(zip(self.labels, self.confusion.tolist(), strict=True)),
            "without_threshold": list(self.without_threshold),
        }


def multi_label_report(
    items: MultiLabelItems,
    labels: Sequence[str],
    judged: Collection[int],
    groups: Sequence[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> MultiLabelReport:
    """Return the figures of the clips in the folds ``judged``, each fold under thresholds from the other folds.

    Parameters
    ----------
    items
        All held-out clips, also those that only choose thresholds.
    labels
        Names of the columns.
    judged
        The folds to evaluate.
    groups
        The group of each recording.
    n_bootstrap, seed
        Number of resamples, and their seed.
    """
    names = tuple(labels)
    limits, missing = _thresholds(items, judged)
    rows = np.isin(items.folds, list(judged))
    targets, known = items.targets[rows], items.known[rows]
    predicted = items.scores[rows] >= np.array([limits[int(fold)] for fold in items.folds[rows]]).reshape(targets.shape)
    cells = np.stack([predicted & targets, predicted & ~targets, ~predicted & targets, ~predicted & ~targets], axis=-1)
    cells &= known[..., None]
    exact = ((predicted == targets) | ~known).all(axis=1)
    used, row = np.unique(items.recording[rows], return_inverse=True)
    counts = np.zeros((len(used), 3 * len(names) + 2), dtype=np.int64)
    flat = np.concatenate([*(cells[..., kind] for kind in range(3)), exact[:, None], np.ones((len(exact), 1))], axis=1)
    np.add.at(counts, row, flat.astype(np.int64))
    group_of_recording = [groups[recording_index] for recording_index in used.tolist()]
    statistic = partial(_figures, n_labels=len(names))
    bootstrap = bootstrap_interval(
        counts, group_of_recording, statistic, n_bootstrap, seed_of("multi-label clips", seed)
    )
    sums = cells.sum(axis=0)
    precision, recall, f1 = (
        {label: _estimate(bootstrap, len(_OVERALL) + kind * len(names) + c) for c, label in enumerate(names)}
        for kind in range(3)
    )
    return MultiLabelReport(
        labels=names,
        n=int(rows.sum()),
        n_simultaneous=int((targets.sum(axis=1) > 1).sum()),
        exact_match=_estimate(bootstrap, 0),
        macro_f1=_estimate(bootstrap, 1),
        micro_f1=_estimate(bootstrap, 2),
        f1=f1,
        precision=precision,
        recall=recall,
        confusion=sums[:, [3, 1, 2, 0]].reshape(len(names), 2, 2).astype(np.int64),
        without_threshold=tuple(label for label, lacks in zip(names, missing, strict=True) if lacks),
    )


def _thresholds(
    items: MultiLabelItems, judged: Collection[int]
) -> tuple[dict[int, NDArray[np.float64]], NDArray[np.bool_]]:
    """Return the thresholds of each judged fold (n_labels,), and which labels lack one for some fold."""
    thresholds, missing = {}, np.zeros(items.targets.shape[1], dtype=np.bool_)
    for fold in sorted(judged):
        limits = np.full(items.targets.shape[1], WITHOUT)
        for column in range(len(limits)):
            others = (items.folds != fold) & items.known[:, column]
            limit = best_f1_threshold(items.scores[others, column], items.targets[others, column])
            missing[column] |= np.isnan(limit)
            limits[column] = WITHOUT if np.isnan(limit) else limit
        thresholds[fold] = limits
    return thresholds, missing


def _figures(sums: NDArray[np.int64], n_labels: int) -> NDArray[np.float64]:
    """Return the overall figures and precision, recall and F1 of the labels, from sums (b, 3 n_labels + 2)."""
    tp, fp, fn = (sums[:, block * n_labels : (block + 1) * n_labels].astype(np.float64) for block in range(3))
    exact, n = sums[:, -2].astype(np.float64), sums[:, -1].astype(np.float64)
    precision, recall, f1 = _ratio(tp, tp + fp), _ratio(tp, tp + fn), _ratio(2 * tp, 2 * tp + fp + fn)
    has_reference = tp + fn > 0
    micro = _ratio(2 * tp.sum(axis=1), (2 * tp + fp + fn).sum(axis=1))
    macro = _ratio(
        np.where(has_reference, np.nan_to_num(f1), 0.0).sum(axis=1), has_reference.sum(axis=1).astype(np.float64)
    )
    overall = np.stack([_ratio(exact, n), macro, micro], axis=1)
    return np.concatenate([overall, precision, recall, f1], axis=1)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio


def _estimate(bootstrap: Bootstrap, column: int) -> Estimate:
    return Estimate(float(bootstrap.value[column]), float(bootstrap.low[column]), float(bootstrap.high[column]))
