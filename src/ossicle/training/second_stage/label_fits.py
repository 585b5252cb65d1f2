"""Fit the second stage such that no candidate is scored by a model fitted on its group (invariant 2).

:func:`fit_label` sees only the candidates of the given recordings. It divides their groups into a few parts; the trees
that score a part are fitted on the other parts, and these out-of-sample probabilities give the calibration and the
threshold. The final trees are fitted on all parts. To evaluate a held-out fold, call it with the candidates of the
other folds, found under the decision fitted on the other folds: then trees, calibration, threshold and candidates are
all independent of the annotations of that fold.

The threshold is chosen like the first stage's, in the middle of a plateau of event F1
(``inference.decisions.fit.choose``). Annotations without a candidate count as missed at any threshold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from ossicle.core.digest import seed_of
from ossicle.core.intervals import Intervals
from ossicle.inference.decisions.fit import choose
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES, PEAK
from ossicle.inference.second_stage.stage import LEAST_PROBABILITY, Calibration, LabelStage
from ossicle.inference.second_stage.trees import checked_features, logit, sigmoid
from ossicle.metrics.columns.event_lists import EventLists, lists_by
from ossicle.metrics.columns.matching import match_lists
from ossicle.metrics.matching.rules import Criterion
from ossicle.training.second_stage.settings import SecondStageSettings
from ossicle.training.second_stage.tree_fits import fit_trees

LEAST_EACH = 10
"""With fewer true or false candidates of a label nothing can be learned, and its events stay unchanged."""

THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(50))
_NO_LINE = np.zeros((0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Candidates of one label: the recording of each (n,), times (n, 2) in seconds, features (n, n_features).

    ``true`` (n,) marks the true ones; ``references`` are the annotated times of every checked recording, with or
    without candidates, and ``groups`` their groups.
    """

    recordings: NDArray[np.str_]
    times: Intervals
    features: NDArray[np.float64]
    true: NDArray[np.bool_]
    references: Mapping[str, Intervals]
    groups: Mapping[str, str]

    def of(self, keep: Sequence[str]) -> "Material":
        """Return the candidates and references of the recordings in ``keep``."""
        rows = np.isin(self.recordings, list(keep))
        return Material(
            self.recordings[rows],
            self.times[rows],
            self.features[rows],
            self.true[rows],
            {key: self.references[key] for key in keep},
            {key: self.groups[key] for key in keep},
        )


def matched(
    recordings: NDArray[np.str_], times: Intervals, references: Mapping[str, Intervals], criterion: Criterion
) -> NDArray[np.bool_]:
    """Return whether each candidate matches an annotation of its recording, shape (n,)."""
    true = np.zeros(len(times), dtype=np.bool_)
    owner, rows = _by_recording(recordings, list(references))
    pairs = match_lists(
        EventLists.of(list(references.values())), lists_by(owner, times[rows], len(references)), criterion
    )
    true[rows[pairs[:, 1]]] = True
    return true


def _by_recording(recordings: NDArray[np.str_], keys: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the candidates of the recordings ``keys``, recording after recording: the place of the recording in
    ``keys``, and the row of the candidate.
    """
    index = {key: number for number, key in enumerate(keys)}
    owner = np.array([index.get(key, -1) for key in recordings.tolist()], dtype=np.int64)
    order = np.argsort(owner, kind="stable")
    rows = order[owner[order] >= 0]
    return owner[rows], rows


def fit_label(
    material: Material, criterion: Criterion, chosen: SecondStageSettings, name: str, workers: int = 1
) -> LabelStage | None:
    """Fit the second stage of one label; None if there are too few candidates to fit and evaluate one.

    ``name`` is part of the seeds. Raises ValueError for missing features.
    """
    checked_features(material.features, len(CANDIDATE_FEATURES))
    if not _enough(material.true):
        return None
    second = np.full(len(material.times), np.nan)
    parts = group_parts(material, chosen.inner_parts)
    for part, members in enumerate(parts):
        inside = np.isin(material.recordings, members)
        if len(parts) < 2 or not _enough(material.true[~inside]):
            return None
        seed = seed_of("second stage", chosen.seed, name, part) % (1 << 32)
        trees = fit_trees(material.features[~inside], material.true[~inside], chosen, seed, workers)
        second[inside] = trees.predict(material.features[inside])
    first = material.features[:, CANDIDATE_FEATURES.index(PEAK)]
    calibration = fit_calibration(second, first, material.true, chosen.calibration)
    threshold = fit_threshold(material, calibration(second, first), criterion)
    seed = seed_of("second stage", chosen.seed, name, "all") % (1 << 32)
    return LabelStage(fit_trees(material.features, material.true, chosen, seed, workers), calibration, threshold)


def group_parts(material: Material, most: int) -> list[list[str]]:
    """Divide the recordings into at most ``most`` parts with similar numbers of true candidates, without dividing
    a group.
    """
    members: dict[str, list[str]] = {}
    for key in sorted(material.groups):
        members.setdefault(material.groups[key], []).append(key)
    weight = {
        group: (int(material.true[np.isin(material.recordings, keys)].sum()), len(keys))
        for group, keys in members.items()
    }
    parts: list[list[str]] = [[] for _ in range(min(most, len(members)))]
    load = [(0, 0)] * len(parts)
    for group in sorted(members, key=lambda member: (-weight[member][0], -weight[member][1], member)):
        least = load.index(min(load))
        parts[least] += members[group]
        load[least] = (load[least][0] + weight[group][0], load[least][1] + weight[group][1])
    return parts


def fit_calibration(
    second: NDArray[np.float64], first_logit: NDArray[np.float64], true: NDArray[np.bool_], kind: str
) -> Calibration:
    """Fit the combination of the trees' probabilities and the first stage's log odds, arrays (n,), into one
    probability.

    Platt's targets, (N+ + 1) / (N+ + 2) and 1 / (N- + 2), keep probabilities from few candidates away from 0 and 1.
    """
    positive = int(true.sum())
    target = np.where(true, (positive + 1) / (positive + 2), 1 / (len(true) - positive + 2))
    columns = np.stack([np.ones(len(true)), logit(second, LEAST_PROBABILITY), first_logit], axis=1)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = columns @ weights
        value = float((np.logaddexp(0, logits) - target * logits).mean())
        return value, columns.T @ (sigmoid(logits) - target) / len(target)

    bounds = [(None, None), (0, None), (0, None)]
    weights = scipy.optimize.minimize(loss, np.array([0.0, 0.5, 0.5]), jac=True, method="L-BFGS-B", bounds=bounds).x
    platt = Calibration(np.asarray(weights, dtype=np.float64), _NO_LINE)
    if kind == "platt":
        return platt
    line = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(platt(second, first_logit), true)
    return Calibration(platt.weights, np.stack([line.X_thresholds_, line.y_thresholds_], axis=1).astype(np.float64))


def fit_threshold(material: Material, scores: NDArray[np.float64], criterion: Criterion) -> float:
    """Return the threshold on ``scores`` (n,) with the best event F1, in the middle of its plateau."""
    grid = DecisionGrid(on=THRESHOLDS, off_ratio=(1.0,), min_length_s=(0.0,), min_gap_s=(0.0,))
    counts = np.zeros((len(THRESHOLDS), 3), dtype=np.int64)
    references = EventLists.of(list(material.references.values()))
    owner, rows = _by_recording(material.recordings, list(material.references))
    times, true_scores, n_kept, tp = material.times[rows], scores[rows], -1, 0
    for row, threshold in enumerate(THRESHOLDS):
        is_kept = true_scores >= threshold
        if int(is_kept.sum()) != n_kept:
            n_kept = int(is_kept.sum())
            tp = len(match_lists(references, lists_by(owner[is_kept], times[is_kept], len(references)), criterion))
        counts[row] = tp, n_kept - tp, len(references.times) - tp
    return THRESHOLDS[choose(counts, grid)]


def _enough(true: NDArray[np.bool_]) -> bool:
    positive = int(true.sum())
    return min(positive, len(true) - positive) >= LEAST_EACH
