"""What changes at which score when the threshold of one class in one recording falls from high to low.

Counts by the intersection criteria of Bilen et al. (2020), as steps at scores: summed over recordings, sorted and
accumulated, they are the counts at every threshold there is (Ebbers et al. 2022). Each run of frames that some
threshold turns into a detection is judged once (``metrics.score_runs``); nothing is quantised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.metrics.intersections import Layer, covered_before, layers
from ossicle.metrics.psds_settings import PsdsSettings
from ossicle.metrics.score_runs import Runs, score_runs

# Seconds by which a criterion may be missed and still count as met. Times come from decimal text of six places, and
# sed_scores_eval rounds what it compares to as many.
TOLERANCE_S = 5e-7


@dataclass(frozen=True, slots=True)
class Steps:
    """A count that changes by ``by`` (k,) as the threshold comes down to each of ``scores`` (k,)."""

    scores: NDArray[np.floating]
    by: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Changes:
    """References found, false detections beyond (or, negative, within) all of them, and weighted cross triggers."""

    found: Steps
    false: Steps
    crossed: Steps


class Sight:
    """The references of one recording as seen from the boundaries of its frames.

    ``edges_s``: float64, shape (n_frames + 1,), seconds; ``references``: label to (n, 2) seconds, which may overlap;
    ``weights``: what a cross trigger of each label counts.
    """

    def __init__(
        self, edges_s: NDArray[np.float64], references: Mapping[str, Intervals], weights: Mapping[str, float]
    ) -> None:
        self.edges_s = edges_s
        self.weights = weights
        self.references = {label: events for label, events in references.items() if len(events)}
        self.covered = {label: covered_before(events, edges_s) for label, events in self.references.items()}

    def changes(self, label: str, scores: NDArray[np.floating], criteria: Sequence[PsdsSettings]) -> list[Changes]:
        """The changes of one label, one entry a criterion, where every detection counts as false already.

        ``scores``: finite, shape (n_frames,). Cross triggers are counted where a criterion weighs them.
        """
        others = [other for other in self.references if other != label]
        nothing = joined([Steps(scores[:0], np.zeros(0))])
        crossing = bool(others) and any(criterion.alpha_ct > 0 for criterion in criteria)
        if len(scores) == 0 or not (label in self.references or crossing):
            return [Changes(nothing, nothing, nothing)] * len(criteria)
        runs = score_runs(scores)
        seen = layers(self.references[label], self.edges_s) if label in self.references else []
        out = []
        for criterion in criteria:
            meets = self._relevant(label, runs, criterion.dtc)
            relevant = _taken(runs, np.flatnonzero(meets))
            crossed = nothing
            if criterion.alpha_ct > 0:
                crossed = self._crossed(others, _taken(runs, np.flatnonzero(~meets)), criterion.cttc)
            found = [step for layer in seen for step in _found(relevant, layer, self.edges_s, criterion.gtc)]
            false = joined([_alive(relevant, np.full(len(relevant.start), -1.0))])
            out.append(Changes(joined([nothing, *found]), false, crossed))
        return out

    def _relevant(self, label: str, runs: Runs, dtc: float) -> NDArray[np.bool_]:
        """Whether references of the label cover enough of each run."""
        if label not in self.covered:
            return np.zeros(len(runs.start), dtype=np.bool_)
        inside = _between(self.covered[label], runs)
        met: NDArray[np.bool_] = inside >= dtc * _between(self.edges_s, runs) - TOLERANCE_S
        return met

    def _crossed(self, others: Sequence[str], runs: Runs, cttc: float) -> Steps:
        """The weight of the other labels that false runs triggered."""
        need = cttc * _between(self.edges_s, runs) - TOLERANCE_S
        weight = np.zeros(len(need))
        for other in others:
            weight += self.weights[other] * (_between(self.covered[other], runs) >= need)
        some = np.flatnonzero(weight)
        return joined([_alive(_taken(runs, some), weight[some])])


def detection_changes(scores: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Scores at which there is one detection more (peaks) and one less (valleys between them).

    ``scores``: shape (n_frames,). A plateau is one peak or valley.

    >>> [part.tolist() for part in detection_changes(np.array([0.1, 0.9, 0.9, 0.4, 0.8]))]
    [[0.9, 0.8], [0.4]]
    """
    plain = scores[np.append(True, scores[1:] != scores[:-1])[: len(scores)]]
    rises = np.concatenate([[True], plain[1:] > plain[:-1], [False]])[: len(plain) + 1]
    return plain[rises[:-1] & ~rises[1:]], plain[~rises[:-1] & rises[1:]]


def joined(steps: Sequence[Steps]) -> Steps:
    """All steps, summed where their scores are equal, scores falling; those that cancel out are gone."""
    scores = np.concatenate([one.scores for one in steps])
    by = np.concatenate([one.by for one in steps])
    if len(scores) == 0:
        return Steps(scores, by)
    order = np.argsort(-scores)
    scores = scores[order]
    first = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
    sums = np.add.reduceat(by[order], first)
    kept = np.flatnonzero(sums)
    return Steps(scores[first[kept]], sums[kept])


def _found(runs: Runs, layer: Layer, edges_s: NDArray[np.float64], gtc: float) -> tuple[Steps, Steps]:
    """References covered: by one relevant run that holds them whole, and by the parts of several.

    While a run holds a reference whole no other run meets it, so the two never count the same one twice.
    """
    whole = np.maximum(layer.over[runs.stop] - layer.begun[runs.start], 0)
    some = np.flatnonzero(whole)
    held = _alive(_taken(runs, some), whole[some].astype(np.float64))
    event, pieces, seconds = _pieces(runs, layer, edges_s)
    need = np.maximum(gtc * (layer.events[:, 1] - layer.events[:, 0]) - TOLERANCE_S, TOLERANCE_S)
    # Every piece comes at its run's level and goes at its death; the sum over an event's pieces is what is covered.
    event, at = np.tile(event, 2), np.concatenate([pieces.level, pieces.death])
    order = np.lexsort((-at, event))
    event, at = event[order], at[order]
    covered = np.cumsum(np.concatenate([seconds, -seconds])[order])
    last = np.flatnonzero(np.append((event[1:] != event[:-1]) | (at[1:] != at[:-1]), True)[: len(at)])
    event, at, found = event[last], at[last], (covered[last] >= need[event[last]]).astype(np.float64)
    earlier = np.append(0.0, found[:-1])[: len(found)]
    earlier[np.diff(event, prepend=-1) != 0] = 0.0
    changed = np.flatnonzero((found != earlier) & np.isfinite(at))
    return held, Steps(at[changed], (found - earlier)[changed])


def _pieces(
    runs: Runs, layer: Layer, edges_s: NDArray[np.float64]
) -> tuple[NDArray[np.int32], Runs, NDArray[np.float64]]:
    """The references that runs meet in part: which, the run, and the seconds they share; each of shape (k,)."""
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
    """What lies within each run, of what lies before each boundary."""
    inside: NDArray[np.float64] = before[runs.stop] - before[runs.start]
    return inside


def _taken(runs: Runs, which: NDArray[np.int64]) -> Runs:
    return Runs(runs.start[which], runs.stop[which], runs.level[which], runs.death[which])


def _alive(runs: Runs, amount: NDArray[np.float64]) -> Steps:
    """A count that rises by ``amount`` (n_runs,) where a run appears and falls by it where the run is gone."""
    dies = np.flatnonzero(np.isfinite(runs.death))
    return Steps(np.concatenate([runs.level, runs.death[dies]]), np.concatenate([amount, -amount[dies]]))
