"""Polyphonic sound detection score (PSDS), exact over all thresholds of unquantised scores.

At a threshold, detections are maximal runs of frames at or above it. A detection is *relevant* if references of its
class cover at least ``dtc`` of it, otherwise it is a false positive. A reference is *found* if relevant detections
cover at least ``gtc`` of it. A false positive is a *cross trigger* of every other class whose references cover at least
``cttc`` of it. For each class

    effective false positive rate = false positives per hour
                                    + alpha_ct * mean over other classes of (cross triggers per hour of that class)

and its curve is the greatest share of references found at any threshold with at most that rate. The PSDS is the area
under ``mean - alpha_st * standard deviation`` of the curves over the classes (at least 0) up to ``max_efpr``, divided
by the largest possible area.

Conventions. Only classes with references count; the others have no curve (NaN), trigger nothing and are triggered by
nothing. Overlapping references of one class count one by one, and a shared stretch covers a detection once for each of
them (as in ``sed_scores_eval``). A criterion that is met to within half a microsecond counts as met. A reference of
zero length is never found.

References
----------
C. Bilen et al., "A framework for the robust evaluation of sound event detection", ICASSP 2020 (the score).
J. Ebbers, R. Serizel, R. Haeb-Umbach, "Threshold-independent evaluation of sound event detection scores", ICASSP 2022
(all thresholds at once).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.metrics.frames import FrameScores
from ossicle.metrics.psds.settings import PsdsSettings
from ossicle.metrics.psds.threshold_changes import Changes, ReferenceFrames, Steps, detection_changes, joined
from ossicle.metrics.ranking import SECONDS_PER_HOUR
from ossicle.metrics.reports.event_report import plain

References = Mapping[str, Mapping[str, Intervals]]


@dataclass(frozen=True, slots=True)
class PsdRoc:
    """The curve of one class: the points at which it finds more as the effective false positive rate rises; flat
    between.

    ``efpr``: effective false positives per hour, rising, at most ``max_efpr``. ``tpr``: the share of references found
    from that rate on, rising. ``thresholds``: the score threshold at each point. All of shape (k,); before the first
    point nothing is found.
    """

    efpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    thresholds: NDArray[np.float64]

    def at(self, efpr: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest share of references found at each of these rates."""
        share_found: NDArray[np.float64] = np.append(0.0, self.tpr)[np.searchsorted(self.efpr, efpr, side="right")]
        return share_found


@dataclass(frozen=True, slots=True)
class Psds:
    """A PSDS in [0, 1], the PSDS of each label alone (without ``alpha_st``), and the labels' curves.

    NaN without references; such labels have no curve.
    """

    settings: PsdsSettings
    value: float
    per_label: Mapping[str, float]
    rocs: Mapping[str, PsdRoc]

    def without(self, labels: Collection[str]) -> "Psds":
        """Return the PSDS without some labels: they have no curve and are not in the mean, as without references.

        Parameters
        ----------
        labels
            Labels of which no detection can be false, because their references are everywhere: any detector would
            reach 1. Other names have no effect.
        """
        rocs = {label: roc for label, roc in self.rocs.items() if label not in labels}
        if len(rocs) == len(self.rocs):
            return self
        per_label = {label: np.nan if label in labels else value for label, value in self.per_label.items()}
        value = _area(list(rocs.values()), self.settings.alpha_st, self.settings.max_efpr) if rocs else np.nan
        return Psds(self.settings, value, per_label, rocs)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"value", "per_label", "settings"}`` as plain values."""
        per_label = {label: plain(value) for label, value in self.per_label.items()}
        return {"value": plain(self.value), "per_label": per_label, "settings": asdict(self.settings)}


def psds(
    tracks: Iterable[tuple[str, FrameScores]],
    references: References,
    durations_s: Mapping[str, float],
    labels: Sequence[str],
    criteria: Sequence[PsdsSettings],
) -> list[Psds]:
    """Return the PSDS of scores under each criterion; the scores are read once for all criteria.

    Parameters
    ----------
    tracks
        (recording id, scores whose columns are ``labels``), each recording once, in any order. They are released one by
        one, so memory depends on the longest recording and the number of peaks.
    references
        Recording id to label to events, shape (n, 2), seconds.
    durations_s
        Length in seconds of every recording to evaluate.
    labels
        Names of the columns of the scores.
    criteria
        The variants of the PSDS to compute.

    Raises
    ------
    UsageError
        If a recording has scores or references but no duration, no scores, or scores twice, or if references have a
        label that is not in ``labels``.
    """
    _check_names(references, durations_s, labels)
    seconds = {label: _seconds(references, label) for label in labels}
    n_reference = {label: sum(len(labelled.get(label, ())) for labelled in references.values()) for label in labels}
    evaluated = [label for label in labels if n_reference[label]]
    weight = {label: 1 / seconds[label] if seconds[label] > 0 else 0.0 for label in evaluated}
    counts = {label: _Counts([[] for _ in criteria]) for label in evaluated}
    missing = set(durations_s)
    for recording, track in tracks:
        if recording not in missing:
            problem = "twice" if recording in durations_s else "but no duration"
            raise UsageError(f"recording {recording} has scores {problem}: give each evaluated recording once")
        missing.remove(recording)
        if track.scores.shape[1] != len(labels):
            raise ValueError(f"recording {recording}: {track.scores.shape[1]} columns of scores, {len(labels)} labels")
        labelled = {label: as_intervals(references.get(recording, {}).get(label, ())) for label in evaluated}
        reference_frames = ReferenceFrames(track.edges_s, labelled, weight)
        for label in evaluated:
            scores = np.ascontiguousarray(track.scores[:, labels.index(label)])
            counts[label].add(scores, reference_frames.changes(label, scores, criteria))
    if missing:
        raise UsageError(f"no scores of {', '.join(sorted(missing))}: score every evaluated recording, or leave it out")
    hours = sum(durations_s.values()) / SECONDS_PER_HOUR
    if evaluated and not hours > 0:
        raise UsageError(
            "the total duration of the evaluated recordings is 0 s, so there is no false positive rate: correct the "
            "durations"
        )
    results = []
    for index, criterion in enumerate(criteria):
        rocs = {
            label: _roc(*counts[label].total(index), n_reference[label], hours, len(evaluated) - 1, criterion)
            for label in evaluated
        }
        areas = {label: _area([rocs[label]], 0.0, criterion.max_efpr) if label in rocs else np.nan for label in labels}
        value = _area(list(rocs.values()), criterion.alpha_st, criterion.max_efpr) if rocs else np.nan
        results.append(Psds(criterion, float(value), areas, rocs))
    return results


@dataclass(slots=True)
class _Counts:
    """The changes of one label over recordings: those shared by all criteria, and those of each criterion."""

    per_criterion: list[list[Changes]]
    peaks: list[NDArray[np.floating]] = field(default_factory=list)
    valleys: list[NDArray[np.floating]] = field(default_factory=list)

    def add(self, scores: NDArray[np.floating], changes: Sequence[Changes]) -> None:
        """Add one recording."""
        peaks, valleys = detection_changes(scores)
        self.peaks.append(peaks)
        self.valleys.append(valleys)
        for changes_of_criterion, change in zip(self.per_criterion, changes, strict=True):
            changes_of_criterion.append(change)

    def total(self, criterion_index: int) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """Return every score at which a count changes under one criterion, falling (k,), and the counts from there on
        (k, 3).

        The counts are references found, false detections and weighted cross triggers.
        """
        changes_of_recordings = self.per_criterion[criterion_index]
        detections = [Steps(part, np.full(len(part), sign)) for sign, rows in self._turns() for part in rows]
        columns = [
            joined([changes.found_steps for changes in changes_of_recordings]),
            joined([*detections, *(changes.false for changes in changes_of_recordings)]),
            joined([changes.crossed for changes in changes_of_recordings]),
        ]
        scores, where = np.unique(-np.concatenate([column.scores for column in columns]), return_inverse=True)
        counts = np.zeros((len(scores), len(columns)))
        for column, turn_scores in enumerate(
            np.split(where, np.cumsum([len(column.scores) for column in columns])[:-1])
        ):
            counts[turn_scores, column] = columns[column].by
        return -scores, np.cumsum(counts, axis=0)

    def _turns(self) -> tuple[tuple[float, list[NDArray[np.floating]]], ...]:
        return (1.0, self.peaks), (-1.0, self.valleys)


def _roc(
    scores: NDArray[np.floating],
    counts: NDArray[np.float64],
    n_reference: int,
    hours: float,
    n_others: int,
    settings: PsdsSettings,
) -> PsdRoc:
    tpr = counts[:, 0] / n_reference
    efpr = counts[:, 1] / hours
    if n_others:
        # Fractions are added and subtracted: rounding may leave the sum slightly below 0.
        efpr = efpr + settings.alpha_ct * SECONDS_PER_HOUR * np.maximum(counts[:, 2], 0.0) / n_others
    reached = np.flatnonzero(efpr <= settings.max_efpr)
    order = reached[np.lexsort((-tpr[reached], efpr[reached]))]
    best = np.maximum.accumulate(np.append(0.0, tpr[order]))
    rising = order[best[1:] > best[:-1]]
    return PsdRoc(efpr[rising], tpr[rising], scores[rising].astype(np.float64))


def _area(rocs: Sequence[PsdRoc], alpha_st: float, max_efpr: float) -> float:
    corners = np.unique(np.concatenate([[0.0], *(roc.efpr for roc in rocs)]))
    shares = np.stack([roc.at(corners) for roc in rocs])
    effective = np.maximum(shares.mean(axis=0) - alpha_st * shares.std(axis=0), 0.0)
    return float(np.sum(effective * np.diff(np.append(corners, max_efpr))) / max_efpr)


def _seconds(references: References, label: str) -> float:
    return float(sum(np.diff(as_intervals(labelled.get(label, ())), axis=1).sum() for labelled in references.values()))


def _check_names(references: References, durations_s: Mapping[str, float], labels: Sequence[str]) -> None:
    if len(set(labels)) < len(labels):
        raise UsageError(f"a label occurs twice among the evaluated ones ({', '.join(labels)}): list each once")
    for recording, labelled in references.items():
        if recording not in durations_s:
            raise UsageError(f"recording {recording} has references but no duration: add it or leave its events out")
        for label in labelled:
            if label not in labels:
                raise UsageError(
                    f"recording {recording}: the references have the label {label!r}, which is not among the scored "
                    f"ones ({', '.join(labels)}): score it or leave its events out"
                )
