"""States of windows and files: overall status and F1 of each label, with intervals over recordings.

A window is on for a label if its score is at least the threshold. A file is on if the median of its windows' scores is.
The status is that of ``core.decisions.states.overall_status``: the first label of the priority that is on. F1 of a
label that others hide is given over all windows and over those in which none of them is on (unmasked). It is undefined
unless windows with the label on and windows with it off are counted; such resamples are left out of its interval.
Intervals resample recordings (``metrics.resampling.bootstrap``), because windows of one recording resemble each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import masking_order
from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import bootstrap_interval

UNKNOWN_TRUTH = -1
"""Truth of a label that is not known; 1 is on and 0 is off."""

Truth = NDArray[np.int8]
_COUNTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class StateWindows:
    """The windows of several recordings.

    Parameters
    ----------
    scores
        Out-of-fold scores, shape (n, n_labels).
    truth
        int8 of the same shape: 1 on, 0 off, -1 unknown.
    recording
        Index of the recording of each window, from 0, shape (n,).
    groups
        Group of each recording.
    thresholds
        Shape (n_recordings, n_labels): fitted without the recording, or the figures are in-sample.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """

    scores: NDArray[np.float32]
    truth: Truth
    recording: NDArray[np.int64]
    groups: tuple[str, ...]
    thresholds: NDArray[np.float64]

    def __post_init__(self) -> None:
        n, n_labels = self.scores.shape
        if self.truth.shape != (n, n_labels) or self.recording.shape != (n,):
            raise ValueError(
                f"scores {self.scores.shape}, truth {self.truth.shape} and recording {self.recording.shape} do not fit"
            )
        if self.thresholds.shape != (len(self.groups), n_labels):
            raise ValueError(
                f"thresholds have the shape {self.thresholds.shape}; {len(self.groups)} recordings and {n_labels} "
                "labels need one each"
            )
        if n and not 0 <= self.recording.min() <= self.recording.max() < len(self.groups):
            raise ValueError(f"recording has values outside 0 to {len(self.groups) - 1}, the indices of groups")

    def as_files(self) -> "StateWindows":
        """Return one row for each recording that has windows: the median score of each label, and the truth where it
        does not change.
        """
        recordings = np.unique(self.recording)
        parts = [self.recording == recording for recording in recordings]
        medians = [np.median(self.scores[part].astype(np.float64), axis=0) for part in parts]
        truths = [
            np.where((rows := self.truth[part]).min(axis=0) == rows.max(axis=0), rows[0], UNKNOWN_TRUTH)
            for part in parts
        ]
        n_labels = self.scores.shape[1]
        return StateWindows(
            np.array(medians, dtype=np.float32).reshape(-1, n_labels),
            np.array(truths, dtype=np.int8).reshape(-1, n_labels),
            recordings,
            self.groups,
            self.thresholds,
        )

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Whether each score reaches its threshold, shape (n, n_labels)."""
        on: NDArray[np.bool_] = self.scores >= self.thresholds[self.recording]
        return on


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """Figures of windows or of files; undefined ones are NaN.

    ``n``: rows with a known status. ``f1_unmasked`` has the labels that others hide.
    """

    n: int
    state_accuracy: Estimate
    f1: Mapping[str, Estimate]
    f1_unmasked: Mapping[str, Estimate]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            "n": self.n,
            "state_accuracy": self.state_accuracy.to_json(),
            "f1": {label: estimate.to_json() for label, estimate in self.f1.items()},
            "f1_unmasked": {label: estimate.to_json() for label, estimate in self.f1_unmasked.items()},
        }


def state_figures(
    windows: StateWindows,
    labels: Sequence[str],
    masks: Mapping[str, Sequence[str]],
    priority: Sequence[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> LevelFigures:
    """Return the figures of windows; give ``windows.as_files()`` for those of files.

    Parameters
    ----------
    windows
        Scores, truth and thresholds.
    labels
        Names of the columns.
    masks
        Label to the labels that it hides.
    priority
        Labels of the status, the most important first; without it the accuracy is NaN.
    n_bootstrap, seed
        Number of resamples, and their seed.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.8], [0.1, 0.7], [0.2, 0.6]], dtype=np.float32)
    >>> truth = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.int8)
    >>> windows = StateWindows(scores, truth, np.array([0, 1, 2]), ("a", "b", "c"), np.full((3, 2), 0.5))
    >>> found = state_figures(windows, ["ac", "fridge"], {"ac": ["fridge"]}, ["ac", "fridge"], n_bootstrap=0)
    >>> round(found.state_accuracy.value, 3), found.f1["fridge"].value, round(found.f1_unmasked["fridge"].value, 3)
    (0.667, 0.5, 0.667)
    """
    on, known = windows.decided, windows.truth != UNKNOWN_TRUTH
    truly_on = windows.truth == 1
    hidden = hidden_windows(windows.truth, labels, masks)
    hideable = [label for label in labels if any(label in masked for masked in masks.values())]
    columns = [*_status_counts(on, windows.truth, [labels.index(label) for label in priority])]
    for label, counted in [(label, known) for label in labels] + [(label, known & ~hidden) for label in hideable]:
        c = labels.index(label)
        reported, is_truly_on = on[:, c] & counted[:, c], truly_on[:, c] & counted[:, c]
        columns += [
            reported & is_truly_on,
            reported & ~is_truly_on,
            is_truly_on & ~reported,
            counted[:, c] & ~is_truly_on,
        ]
    counts = np.zeros((len(windows.groups), len(columns)), dtype=np.int64)
    np.add.at(counts, windows.recording, np.stack(columns, axis=1).astype(np.int64))
    # Recordings without windows are no draws.
    recordings = np.unique(windows.recording)
    boot = bootstrap_interval(
        counts[recordings], [windows.groups[recording] for recording in recordings], _figures, n_bootstrap, seed
    )
    estimates = [Estimate(*map(float, bounds)) for bounds in zip(boot.value, boot.low, boot.high, strict=True)]
    return LevelFigures(
        n=int(counts[:, 1].sum()),
        state_accuracy=estimates[0],
        f1=dict(zip(labels, estimates[1 : 1 + len(labels)], strict=True)),
        f1_unmasked=dict(zip(hideable, estimates[1 + len(labels) :], strict=True)),
    )


def hidden_windows(truth: Truth, labels: Sequence[str], masks: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
    """Return which labels are hidden in which windows: bool, the shape of ``truth``, (n, n_labels).

    A label is hidden where one that hides it, and is not hidden itself, is on or unknown.
    """
    hidden = np.zeros(truth.shape, dtype=np.bool_)
    for hider in masking_order(masks):
        if hider not in labels:
            continue
        c = labels.index(hider)
        hides = (truth[:, c] != 0) & ~hidden[:, c]
        for label in masks[hider]:
            hidden[:, labels.index(label)] |= hides
    return hidden


def _status_counts(
    on: NDArray[np.bool_], truth: Truth, priority: Sequence[int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where the status is right, and where it is known, shape (n,)."""
    if not priority:
        nowhere = np.zeros(len(on), dtype=np.bool_)
        return nowhere, nowhere
    is_on, is_truly_on = on[:, priority], truth[:, priority] != 0
    first = is_truly_on.argmax(axis=1)
    # Unknown truth counts as on above, so the first such label is either on, or makes the status unknown.
    at_first = np.take_along_axis(truth[:, priority], first[:, None], axis=1)[:, 0]
    known = at_first != UNKNOWN_TRUTH
    statuses = [np.where(rows.any(axis=1), rows.argmax(axis=1), len(priority)) for rows in (is_on, is_truly_on)]
    return (statuses[0] == statuses[1]) & known, known


def _figures(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return accuracy and F1 values, (b, 1 + n), from sums (b, 2 + 4 n)."""
    right, known = sums[:, :1], sums[:, 1:2]
    accuracy = np.divide(right, known, out=np.full(right.shape, np.nan), where=known > 0)
    each = sums[:, 2:].reshape(len(sums), -1, _COUNTS)
    f1 = precision_recall_f1(each[..., 0], each[..., 1], each[..., 2])[2]
    on, off = each[..., 0] + each[..., 2], each[..., 3]
    f1 = np.where((on > 0) & (off > 0), f1, np.nan)
    return np.concatenate([accuracy, f1], axis=1)
