"""Changes of the counts of one class in one recording as the threshold falls from high to low.

Counts follow the intersection criteria of Bilen et al. (2020) and are stored as steps at scores. Summed over
recordings, sorted and accumulated, the steps give the counts at every threshold (Ebbers et al. 2022). Each run of
frames that some threshold turns into a detection is evaluated once (``metrics.score_runs``); nothing is quantised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.metrics.psds.intersections import Layer, covered_before, layers
from ossicle.metrics.psds.score_runs import Runs, score_runs
from ossicle.metrics.psds.settings import PsdsSettings

# Seconds by which a criterion may be missed and still count as met. Times come from decimal text of six places, and
# sed_scores_eval rounds to six places before it compares.
TOLERANCE_S = 5e-7


@dataclass(frozen=True, slots=True)
class Steps:
    """A count that changes by ``by`` (k,) as the threshold falls to each of ``scores`` (k,)."""

    scores: NDArray[np.floating]
    by: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Changes:
    """References found, false detections beyond (or, negative, within) all detections, and weighted cross triggers."""

    found_steps: Steps
    false: Steps
    crossed: Steps


class ReferenceFrames:
    """The references of one recording relative to the boundaries of its frames.

    Parameters
    ----------
    edges_s
        float64, shape (n_frames + 1,), seconds.
    references
        Label to events, shape (n, 2), seconds; they may overlap.
    weights
        Weight of a cross trigger of each label.
    """

    def __init__(
        self, edges_s: NDArray[np.float64], references: Mapping[str, Intervals], weights: Mapping[str, float]
    ) -> None:
        self.edges_s = edges_s
        self.weights = weights
        self.references = {label: events for label, events in references.items() if len(events)}
        self.covered = {label: covered_before(events, edges_s) for label, events in self.references.items()}

    def changes(self, label: str, scores: NDArray[np.floating], criteria: Sequence[PsdsSettings]) -> list[Changes]:
        """Return the changes of one label, one entry per criterion; every detection already counts as false.

        ``scores``: finite, shape (n_frames,). Cross triggers are counted only if a criterion weights them.
        """
        others = [other for other in self.references if other != label]
        nothing = joined([Steps(scores[:0], np.zeros(0))])
        crossing = bool(others) and any(criterion.alpha_ct > 0 for criterion in criteria)
        if len(scores) == 0 or not (label in self.references or crossing):
            return [Changes(nothing, nothing, nothing)] * len(criteria)
        runs = score_runs(scores)
        reference_layers = layers(self.references[label], self.edges_s) if label in self.references else []
        per_criterion = []
        for criterion in criteria:
            meets = self._relevant(label, runs, criterion.dtc)
            relevant = _taken(runs, np.flatnonzero(meets))
            crossed = nothing
            if criterion.alpha_ct > 0:
                crossed = self._crossed(others, _taken(runs, np.flatnonzero(~meets)), criterion.cttc)
            found_steps = [
                step
                for layer in reference_layers
                for step in _found_steps(relevant, layer, self.edges_s, criterion.gtc)
            ]
            false = joined([_alive(relevant, np.full(len(relevant.start), -1.0))])
            per_criterion.append(Changes(joined([nothing, *found_steps]), false, crossed))
        return per_criterion

    def _relevant(self, label: str, runs: Runs, dtc: float) -> NDArray[np.bool_]:
        """Return whether references of the label cover enough of each run."""
        if label not in self.covered:
            return np.zeros(len(runs.start), dtype=np.bool_)
        inside = _between(self.covered[label], runs)
        met: NDArray[np.bool_] = inside >= dtc * _between(self.edges_s, runs) - TOLERANCE_S
        return met

    def _crossed(self, others: Sequence[str], runs: Runs, cttc: float) -> Steps:
        """Return the weight of the other labels that false runs triggered."""
        need = cttc * _between(self.edges_s, runs) - TOLERANCE_S
        weight = np.zeros(len(need))
        for other in others:
            weight += self.weights[other] * (_between(self.covered[other], runs) >= need)
        some = np.flatnonzero(weight)
        return joined([_alive(_taken(runs, some), weight[some])])


def detection_changes(scores: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the scores at which the number of detections rises by one (peaks) and falls by one (valleys between them).

    ``scores``: shape (n_frames,). A plateau is one peak or valley.

    >>> [part.tolist() for part in detection_changes(np.array([0.1, 0.9, 0.9, 0.4, 0.8]))]
    [[0.9, 0.8], [0.4]]
    """
    plain = scores[np.append(True, scores[1:] != scores[:-1])[: len(scores)]]
    rises = np.concatenate([[True], plain[1:] > plain[:-1], [False]])[: len(plain) + 1]
    return plain[rises[:-1] & ~rises[1:]], plain[~rises[:-1] & rises[1:]]


def joined(steps: Sequence[Steps]) -> Steps:
    """Return all steps in order of falling scores, summed where scores are equal; steps that cancel out are dropped."""
    scores = np.concatenate([step.scores for step in steps])
    by = np.concatenate([step.by for step in steps])
    if len(scores) == 0:
        return Steps(scores, by)
    order = np.argsort(-scores)
    scores = scores[order]
    first = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
    sums = np.add.reduceat(by[order], first)
    changing = np.flatnonzero(sums)
    return Steps(scores[first[changing]], sums[changing])


def _found_steps(runs: Runs, layer: Layer, edges_s: NDArray[np.float64], gtc: float) -> tuple[Steps, Steps]:
    """Return steps of references covered by one relevant run that contains them, and by parts of several runs.

    While a run contains a reference, no other run overlaps it, so the two never count the same reference twice.
    """
    whole = np.maximum(layer.over[runs.stop] - layer.begun[runs.start], 0)
    some = np.flatnonzero(whole)
    held = _alive(_taken(runs, some), whole[some].astype(np.float64))
    event, pieces, seconds = _pieces(runs, layer, edges_s)
    need = np.maximum(gtc * (layer.events[:, 1] - layer.events[:, 0]) - TOLERANCE_S, TOLERANCE_S)
    # Every piece appears at its run's level and ends at its death; the sum over an event's pieces is the covered
    # length.
    event, score = np.tile(event, 2), np.concatenate([pieces.level, pieces.death])
    order = np.lexsort((-score, event))
    event, score = event[order], score[order]
    covered = np.cumsum(np.concatenate([seconds, -seconds])[order])
    last = np.flatnonzero(np.append((event[1:] != event[:-1]) | (score[1:] != score[:-1]), True)[: len(score)])
    event, score, is_found = event[last], score[last], (covered[last] >= need[event[last]]).astype(np.float64)
    earlier = np.append(0.0, is_found[:-1])[: len(is_found)]
    earlier[np.diff(event, prepend=-1) != 0] = 0.0
    changed = np.flatnonzero((is_found != earlier) & np.isfinite(score))
    return held, Steps(score[changed], (is_found - earlier)[changed])


def _pieces(
    runs: Runs, layer: Layer, edges_s: NDArray[np.float64]
) -> tuple[NDArray[np.int32], Runs, NDArray[np.float64]]:
    """Return the references that runs overlap in part: which one, the run, and the shared seconds; each of shape
    (k,).
    """
    first, last = layer.begun[runs.start] - 1, layer.begun[runs.stop] - 1
    at_start = first >= layer.over[runs.start]
    at_stop = last >= layer.over[runs.stop]
    left = np.flatnonzero(at_start)
    right = np.flatnonzero(at_stop & ~(at_start & (first == last)))
    ends = np.minimum(layer.events[first[left], 1], edges_s[runs.stop[left]])
    seconds = [ends - edges_s[runs.start[left]], edges_s[runs.stop[right]] - layer.events[last[right], 0]]
    both = np.concatenate([left, right])
    return np.concatenate([first[left], last[right]]), _taken(runs, both), np.concatenate(seconds)


def _between(before: NDArray[np.float64], runs: Runs) -> NDArray[np.float64]:
    """Return the length within each run, from the length before each boundary."""
    inside: NDArray[np.float64] = before[runs.stop] - before[runs.start]
    return inside


def _taken(runs: Runs, which: NDArray[np.int64]) -> Runs:
    return Runs(runs.start[which], runs.stop[which], runs.level[which], runs.death[which])


def _alive(runs: Runs, amount: NDArray[np.float64]) -> Steps:
    """Return a count that rises by ``amount`` (n_runs,) where a run appears and falls by it where the run ends."""
    dies = np.flatnonzero(np.isfinite(runs.death))
    return Steps(np.concatenate([runs.level, runs.death[dies]]), np.concatenate([amount, -amount[dies]]))
