"""Decisions chosen from counts and cross-fitted: no recording evaluates a decision that was fitted on it (invariant 2).

For each fold and label, the decision is the one with the best F1 on the recordings of the *other* folds. The headline
figure is over all recordings, each under the decision of its own fold. ``final`` is fitted on all recordings and stored
in the bundle; its figure is ``in-sample``. The counts must come from out-of-fold scores.

Plateaus. The highest F1 of hundreds of decisions on a few hundred events is mostly luck. Decisions within one standard
error of it, at most 0.02, count as equally good (the rule of Breiman et al., "Classification and Regression Trees",
1984, 3.4.3). They form runs along the grid's ``on`` axis. The middle of the longest run is chosen, because the middle
of a plateau is the threshold least likely to fail elsewhere. Of equally long runs the one with the higher middle wins
(another place has sounds that were not in the training), then the simpler settings. Without references, the decisions
with the fewest false positives count as equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import SplitError
from ossicle.inference.decisions.grid import Counts, DecisionGrid
from ossicle.inference.decisions.onset_grid import OnsetGrid
from ossicle.inference.decisions.regions import runs
from ossicle.metrics.events import precision_recall_f1

PLATEAU_F1 = 0.02
"""The plateau of a decision: the neighbouring ``on`` thresholds whose F1 is at most this much lower."""
_NARROW_STEPS = 3
_ROUNDING = 1e-9

Indices = NDArray[np.int64]
Grid = DecisionGrid | OnsetGrid


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Decisions of every fold and label, and those fitted on all recordings.

    ``per_fold``: fold to label to decision, for the recordings held out in that fold. ``fold_settings``: int64,
    (n_folds, n_labels), and ``final_settings``, (n_labels,), are their indices in ``grid.decisions()``; ``folds`` are
    the rows. ``held_out``: int64, (n_recordings, n_labels, 3), counts of each recording under its own fold's decision.
    ``in_sample``: the same under ``final``. ``notes`` are warnings in words.
    """

    per_fold: Mapping[int, Mapping[str, Decision]]
    final: Mapping[str, Decision]
    folds: tuple[int, ...]
    fold_settings: Indices
    final_settings: Indices
    held_out: NDArray[np.int64]
    in_sample: NDArray[np.int64]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """Precision, recall and F1 of one label against the ``on`` threshold, with the other settings fixed; all
    (n_on,).
    """

    label: str
    on: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    chosen: int


def cross_fit(counts: Counts, folds: Sequence[int], labels: Sequence[str], grid: Grid) -> CrossFit:
    """Choose the decisions of every fold, and the final ones.

    Parameters
    ----------
    counts
        Shape (n_settings, n_recordings, n_labels, 3), from :func:`~.grid.count_grid`.
    folds
        For each recording the fold in which it is held out; the decision of that fold is not fitted on it.
    labels
        Names of the labels.
    grid
        The decisions to choose from.

    Raises
    ------
    SplitError
        With fewer than two folds.
    ValueError
        If shapes disagree.
    """
    fold_of_recording = np.asarray(folds, dtype=np.int64)
    decisions = grid.decisions()
    if counts.shape != (len(decisions), len(fold_of_recording), len(labels), 3):
        expected = (len(decisions), len(fold_of_recording), len(labels), 3)
        raise ValueError(f"counts of shape {counts.shape} do not fit the grid, folds and labels: {expected}")
    names = np.unique(fold_of_recording)
    if len(names) < 2:
        raise SplitError(f"cross-fitting needs recordings in at least two folds, not {len(names)}: add groups")
    notes: list[str] = []
    fold_settings = np.zeros((len(names), len(labels)), dtype=np.int64)
    held_out = np.zeros(counts.shape[1:], dtype=np.int64)
    for row, fold in enumerate(names):
        pooled = counts[:, fold_of_recording != fold].sum(axis=1, dtype=np.int64)
        fold_settings[row] = [choose(pooled[:, column], grid) for column in range(len(labels))]
        for column in range(len(labels)):
            held_out[fold_of_recording == fold, column] = counts[
                fold_settings[row, column], fold_of_recording == fold, column
            ]
    pooled = counts.sum(axis=1, dtype=np.int64)
    final_settings = np.array([choose(pooled[:, column], grid) for column in range(len(labels))], dtype=np.int64)
    in_sample = np.stack([counts[final_settings[c], :, c] for c in range(len(labels))], axis=1).astype(np.int64)
    for column, label in enumerate(labels):
        notes += _notes(label, pooled[:, column], int(final_settings[column]), grid)
        notes += _fitted_on_nothing(label, counts[0, :, column], fold_of_recording)
        notes += _disagreement(label, [decisions[index].on for index in fold_settings[:, column]])
    return CrossFit(
        per_fold={
            int(fold): {label: decisions[index] for label, index in zip(labels, fold_settings[row], strict=True)}
            for row, fold in enumerate(names)
        },
        final={label: decisions[index] for label, index in zip(labels, final_settings, strict=True)},
        folds=tuple(int(fold) for fold in names),
        fold_settings=fold_settings,
        final_settings=final_settings,
        held_out=held_out,
        in_sample=in_sample,
        notes=tuple(notes),
    )


def choose(pooled: NDArray[np.int64], grid: Grid) -> int:
    """Return the index in ``grid.decisions()`` of the best decision by counts ``pooled`` (n_settings, 3); ties as
    above.
    """
    f1 = _f1(pooled)
    best = f1 >= f1.max() - _equal_within(pooled[int(np.argmax(f1))])
    if f1.max() <= 0:
        best = pooled[:, 1] == pooled[:, 1].min()
    longest, middle, chosen = 0, 0, 0
    for row, tied in enumerate(best.reshape(-1, grid.n_on)):
        for start, end in zip(*(edges.tolist() for edges in runs(tied)), strict=True):
            # For an even number of thresholds take the upper middle one, which gives fewer false positives.
            candidate = start + (end - start) // 2
            if (end - start, candidate) > (longest, middle):
                longest, middle, chosen = end - start, candidate, row * grid.n_on + candidate
    return chosen


def _equal_within(counts: NDArray[np.int64]) -> float:
    """Return one standard error of the F1 of ``counts`` (3,), at most ``PLATEAU_F1``.

    F1 is treated as a share of (references + predictions) / 2 draws, the mean of its denominator: a rough estimate that
    separates skill from luck well enough.
    """
    tp, fp, fn = (float(value) for value in counts)
    if tp == 0:
        return _ROUNDING
    draws = tp + (fp + fn) / 2
    f1 = tp / draws
    return min(PLATEAU_F1, float(np.sqrt(f1 * (1 - f1) / draws))) + _ROUNDING


def plateau(pooled: NDArray[np.int64], chosen: int, grid: Grid) -> tuple[float, float]:
    """Return the lowest and highest ``on`` around setting ``chosen`` at which F1 is at most ``PLATEAU_F1`` lower."""
    row, on_index = divmod(chosen, grid.n_on)
    f1 = _f1(pooled).reshape(-1, grid.n_on)[row]
    starts, ends = runs(f1 >= f1[on_index] - PLATEAU_F1)
    run_index = int(np.searchsorted(starts, on_index, side="right")) - 1
    return grid.on[int(starts[run_index])], grid.on[int(ends[run_index]) - 1]


def threshold_curve(
    counts: Counts, setting: int, column: int, label: str, grid: Grid, n_items: int | None = None
) -> ThresholdCurve:
    """Return rates against ``on`` with the other settings of decision ``setting``, pooled over the recordings of
    ``counts``.

    ``column`` is the index of the label in ``counts``. If the decision was fitted on these recordings, the curve is
    in-sample too. ``n_items``: the number of recordings, where recordings are counted instead of events; without
    negatives there is then no precision and no F1.
    """
    row, chosen = divmod(setting, grid.n_on)
    tp, fp, fn = counts[row * grid.n_on : (row + 1) * grid.n_on, :, column].sum(axis=1, dtype=np.int64).T
    tn = None if n_items is None else n_items - tp - fp - fn
    return ThresholdCurve(label, np.array(grid.on), *precision_recall_f1(tp, fp, fn, tn), chosen)


def _f1(pooled: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the F1 of counts (n, 3); 0 without references and detections."""
    f1: NDArray[np.float64] = np.nan_to_num(precision_recall_f1(pooled[:, 0], pooled[:, 1], pooled[:, 2])[2], nan=0.0)
    return f1


def _notes(label: str, pooled: NDArray[np.int64], chosen: int, grid: Grid) -> list[str]:
    if pooled[chosen, 0] + pooled[chosen, 2] == 0:
        return [f"{label}: no references at all, so its decision only avoids false positives"]
    if pooled[chosen, 0] == 0:
        return [f"{label}: no decision of the grid finds any reference"]
    low, high = plateau(pooled, chosen, grid)
    n_on = sum(low <= on <= high for on in grid.on)
    notes = []
    if n_on < min(_NARROW_STEPS, grid.n_on):
        only = f"at the threshold on = {low:g}" if low == high else f"for thresholds on from {low:g} to {high:g}"
        notes.append(
            f"{label}: narrow plateau: F1 stays within {PLATEAU_F1:g} of its best only {only}, so recordings with "
            "slightly other scores may need another threshold"
        )
    if grid.n_on > 1 and chosen % grid.n_on in (0, grid.n_on - 1):
        notes.append(f"{label}: the best on = {grid.on[chosen % grid.n_on]:g} lies at the edge of the grid: widen it")
    return notes


def _fitted_on_nothing(label: str, counts: Counts, folds: Indices) -> list[str]:
    """Return that one fold holds all references of a label, by the counts (n_recordings, 3) of any decision."""
    holding = np.unique(folds[counts[:, 0] + counts[:, 2] > 0])
    if len(holding) != 1:
        return []
    return [f"{label}: fold {holding[0]} holds all references, so the decision used there was fitted without any"]


def _disagreement(label: str, on: Sequence[float]) -> list[str]:
    if max(on) - min(on) < 0.3:
        return []
    return [
        f"{label}: the folds disagree about the threshold on, from {min(on):g} to {max(on):g}, so the best one for new "
        "recordings is uncertain"
    ]
