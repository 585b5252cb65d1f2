"""Event-based precision, recall and F1: of one list, of a sweep, and of many recordings and labels with intervals.

Conventions. A figure that has nothing to count is undefined (NaN), never 0 or 1. F1 is ``2 tp / (2 tp + fp + fn)``: it
is defined as soon as there is a reference or a prediction. Precision is undefined without predictions, recall without
references. Where true negatives can be counted (recordings, segments), precision and F1 are also undefined without
negatives: nothing could be reported wrongly there, so always reporting the label would score 1. A macro average is the
mean over the labels that have references and a defined figure; false positives of the other labels count only in the
pooled figures.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals
from ossicle.metrics.columns.event_lists import EventLists, EventSet
from ossicle.metrics.columns.matching import match_lists
from ossicle.metrics.matching.assignment import Pairs
from ossicle.metrics.matching.rules import (
    CollarMatch,
    Criterion,
    RecordingMatch,
    match,
    recording_counts,
)
from ossicle.metrics.ranking import false_alarms_per_hour
from ossicle.metrics.reports.event_report import (
    BOUNDARY_QUANTILES,
    BoundaryErrors,
    Estimate,
    EventReport,
    EventScores,
    Rates,
    macro_json,
)
from ossicle.metrics.resampling.bootstrap import Bootstrap, bootstrap_interval

_LEVEL = 0.95


def count_events(
    reference: Intervals, predicted: Intervals, criterion: Criterion | RecordingMatch
) -> tuple[int, int, int]:
    """Return true positives, false positives and false negatives of one label in one recording.

    >>> from ossicle.metrics.matching.rules import IouMatch
    >>> count_events(np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[0.1, 1.0]]), IouMatch(threshold=0.5))
    (1, 0, 1)
    """
    if isinstance(criterion, RecordingMatch):
        has_reference, has_prediction = min(len(reference), 1), min(len(predicted), 1)
        return (
            has_reference * has_prediction,
            has_prediction * (1 - has_reference),
            has_reference * (1 - has_prediction),
        )
    tp = len(match(reference, predicted, criterion))
    return tp, len(predicted) - tp, len(reference) - tp


def precision_recall_f1(
    tp: NDArray[np.int64] | int,
    fp: NDArray[np.int64] | int,
    fn: NDArray[np.int64] | int,
    tn: NDArray[np.int64] | int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision, recall and F1 of counts that share one shape; NaN by the module's conventions.

    ``tn``: true negatives, if they can be counted.

    >>> [float(value) for value in precision_recall_f1(0, 0, 4)]
    [nan, 0.0, 0.0]
    >>> [float(value) for value in precision_recall_f1(4, 0, 0, tn=0)]
    [nan, 1.0, nan]
    """
    tp, fp, fn = np.asarray(tp), np.asarray(fp), np.asarray(fn)
    undefined = np.full(tp.shape, np.nan)
    tellable = np.ones(tp.shape, dtype=np.bool_) if tn is None else fp + np.asarray(tn) > 0
    precision = np.divide(tp, tp + fp, out=undefined.copy(), where=(tp + fp > 0) & tellable)
    recall = np.divide(tp, tp + fn, out=undefined.copy(), where=tp + fn > 0)
    f1 = np.divide(2 * tp, 2 * tp + fp + fn, out=undefined, where=(tp + fp + fn > 0) & tellable)
    return precision, recall, f1


def macro(values: NDArray[np.float64], n_reference: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of the defined ``values`` (..., n_labels) over the labels with ``n_reference`` (..., n_labels)
    > 0; NaN if there are none.
    """
    is_defined = (n_reference > 0) & np.isfinite(values)
    total = np.where(is_defined, values, 0.0).sum(axis=-1)
    number = is_defined.sum(axis=-1)
    mean: NDArray[np.float64] = np.divide(total, number, out=np.full(np.shape(total), np.nan), where=number > 0)
    return mean


def boundary_errors(
    reference: Intervals, predicted: Intervals, pairs: Pairs
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return predicted minus reference start and end of each matched pair, in seconds, shape (k,); negative means
    early.
    """
    error = predicted[pairs[:, 1]] - reference[pairs[:, 0]]
    return error[:, 0], error[:, 1]


def evaluate_events(
    references: EventSet,
    predictions: EventSet,
    durations_s: Mapping[str, float],
    labels: Sequence[str],
    criterion: Criterion | RecordingMatch,
    groups: Mapping[str, str] | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    unknown: Collection[tuple[str, str]] = (),
) -> EventReport:
    """Compare predicted with reference events over recordings and labels, with bootstrap intervals.

    Parameters
    ----------
    references, predictions
        Recording id to label to events, float64 of shape (n, 2) in seconds.
    durations_s
        Length in seconds of every recording to evaluate; one without references counts as reviewed empty.
    labels
        Labels to evaluate, each once.
    criterion
        Which pairs may match. Under :class:`~.matching.RecordingMatch` a recording counts once for each label: there
        are no boundary errors and no false alarms per hour.
    groups
        Group of each recording; without it each recording is its own group.
    n_bootstrap, seed
        Number of resamples, and their seed.
    unknown
        Recordings and labels whose presence is unknown: under :class:`~.matching.RecordingMatch` they are no negatives.

    Returns
    -------
    EventReport
        Pooled, macro, per-label and per-group figures, each with a 95 % interval; boundary errors in seconds (predicted
        minus reference).

    Raises
    ------
    UsageError
        If events lie in a recording without a duration or have a label that is not in ``labels``, if a recording has no
        group, or if ``labels`` holds a label twice.

    Examples
    --------
    >>> from ossicle.metrics.matching.rules import IouMatch
    >>> truth = {"tape": {"call": np.array([[1.0, 2.0], [5.0, 6.0]])}}
    >>> found = {"tape": {"call": np.array([[1.1, 2.0]])}}
    >>> report = evaluate_events(truth, found, {"tape": 60.0}, ["call"], IouMatch(threshold=0.5), n_bootstrap=10)
    >>> report.pooled.rates.precision.value, report.pooled.rates.recall.value
    (1.0, 0.5)
    """
    recordings, timed = sorted(durations_s), not isinstance(criterion, RecordingMatch)
    group_of = {recording: recording for recording in recordings} if groups is None else groups
    check_names(references, predictions, durations_s, labels, group_of)
    reference, predicted = (EventLists.gather(events, recordings, labels) for events in (references, predictions))
    if isinstance(criterion, RecordingMatch):
        known = np.array(
            [[(recording, label) not in unknown for label in labels] for recording in recordings], dtype=np.bool_
        )
        counts, pairs = _presence_counts(reference, predicted, known.ravel()), np.empty((0, 2), dtype=np.int64)
    else:
        counts, pairs = event_counts(reference, predicted, criterion)
    counts = counts.reshape(len(recordings), len(labels), counts.shape[-1])
    names = [group_of[recording] for recording in recordings]
    durations = np.array([durations_s[recording] for recording in recordings], dtype=np.float64)
    counted = count_report(counts, names, durations if timed else durations * np.nan, labels, n_bootstrap, seed)
    return EventReport(
        pooled=counted.pooled,
        macro=counted.macro,
        per_label=counted.per_label,
        per_group=counted.per_group,
        boundaries=_boundary_quantiles(np.stack(boundary_errors(reference.times, predicted.times, pairs), axis=1)),
        n_recordings=len(recordings),
        duration_s=float(durations.sum()),
        few_groups=counted.bootstrap.few_groups,
        method=counted.bootstrap.method,
        n_bootstrap=n_bootstrap,
        n_groups=counted.bootstrap.n_groups,
        level=_LEVEL,
        timed=timed,
        ends_judged=not isinstance(criterion, CollarMatch) or criterion.evaluate_offset,
    )


@dataclass(frozen=True, slots=True)
class CountReport:
    """Rates of counts: pooled, mean over labels with references, per label and per group."""

    pooled: EventScores
    macro: Rates
    per_label: Mapping[str, EventScores]
    per_group: Mapping[str, EventScores]
    bootstrap: Bootstrap

    def to_json(self) -> dict[str, Any]:
        """Return pooled rates and counts at the top level, then ``macro``, ``per_label`` and ``per_group``."""
        return {
            **self.pooled.to_json(),
            "macro": macro_json(self.macro, self.per_label),
            "per_label": {label: label_scores.to_json() for label, label_scores in self.per_label.items()},
            "per_group": {group: group_scores.to_json() for group, group_scores in self.per_group.items()},
        }


def count_report(
    counts: NDArray[np.int64],
    groups: Sequence[str],
    durations_s: NDArray[np.float64],
    labels: Sequence[str],
    n_bootstrap: int,
    seed: int,
) -> CountReport:
    """Return rates with intervals of ``counts``: tp, fp, fn of events, or tp, fp, fn, tn of recordings or segments;
    int64, shape (n_recordings, n_labels, 3 or 4).

    ``groups`` and ``durations_s`` (seconds) belong to the recordings, in the same order.
    """
    result = bootstrap_interval(counts, groups, all_rates, n_bootstrap, seed, _LEVEL)
    duration_s = float(durations_s.sum())
    rates = [_rates(result, row) for row in range(len(labels) + 2)]
    of_label = counts.sum(axis=0)
    return CountReport(
        pooled=_scores(rates[0], of_label.sum(axis=0), duration_s),
        macro=rates[1],
        per_label={
            label: _scores(rates[2 + column], of_label[column], duration_s) for column, label in enumerate(labels)
        },
        per_group=_per_group(counts, groups, durations_s, n_bootstrap, seed),
        bootstrap=result,
    )


def check_names(
    references: EventSet,
    predictions: EventSet,
    durations_s: Mapping[str, float],
    labels: Sequence[str],
    groups: Mapping[str, str],
) -> None:
    """Raise UsageError if references, predictions, durations, labels and groups do not fit together."""
    judged = set(labels)
    if len(judged) < len(labels):
        raise UsageError(f"a label occurs twice among the evaluated ones ({', '.join(labels)}): list each once")
    for recording in durations_s:
        if recording not in groups:
            raise UsageError(f"recording {recording} has no group: give every evaluated recording one")
    for kind, events in (("references", references), ("predictions", predictions)):
        for recording, by_label in events.items():
            if recording not in durations_s:
                raise UsageError(f"recording {recording} has {kind} but no duration: add it or leave its events out")
            for label in by_label:
                if label not in judged:
                    raise UsageError(
                        f"recording {recording}: the {kind} have the label {label!r}, which is not among the "
                        f"evaluated ones ({', '.join(labels)}): add it or leave its events out"
                    )


def event_counts(reference: EventLists, predicted: EventLists, criterion: Criterion) -> tuple[NDArray[np.int64], Pairs]:
    """Return true positives, false positives and false negatives of each list, int64 (n_lists, 3), and the matched
    pairs.

    The same as :func:`count_events` of each list, in time linear in the events.
    """
    pairs = match_lists(reference, predicted, criterion)
    tp = np.bincount(reference.owner[pairs[:, 0]], minlength=len(reference))
    return np.stack([tp, predicted.sizes - tp, reference.sizes - tp], axis=1), pairs


def list_counts(
    reference: EventLists, predicted: EventLists, criterion: Criterion | RecordingMatch
) -> NDArray[np.int64]:
    """Return :func:`count_events` of each list, int64 (n_lists, 3)."""
    if isinstance(criterion, RecordingMatch):
        return np.stack(recording_counts(reference.sizes, predicted.sizes), axis=1).astype(np.int64)
    return event_counts(reference, predicted, criterion)[0]


def _presence_counts(reference: EventLists, predicted: EventLists, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return tp, fp, fn and tn of each list as a whole, int64 (n_lists, 4); unknown ones are no negatives."""
    counts = list_counts(reference, predicted, RecordingMatch())
    return np.concatenate([counts, (known & ~counts.any(axis=1))[:, None]], axis=1)


def all_rates(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn sums (b, n_labels, 3 or 4) into rates (b, 2 + n_labels, 3): pooled, macro, each label; precision, recall,
    F1.
    """
    of_label = _label_rates(sums)
    n_reference = sums[..., 0] + sums[..., 2]
    mean = np.stack([macro(of_label[..., rate], n_reference) for rate in range(3)], axis=-1)
    return np.concatenate([_label_rates(sums.sum(axis=1))[:, None], mean[:, None], of_label], axis=1)


def _label_rates(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn sums (..., 3 or 4) of tp, fp, fn and tn into precision, recall and F1 (..., 3)."""
    return np.stack(precision_recall_f1(*np.moveaxis(sums, -1, 0)), axis=-1)


def _rates(result: Bootstrap, row: int) -> Rates:
    precision, recall, f1 = (
        Estimate(float(result.value[row, rate]), float(result.low[row, rate]), float(result.high[row, rate]))
        for rate in range(3)
    )
    return Rates(f1=f1, precision=precision, recall=recall)


def _scores(rates: Rates, counts: NDArray[np.int64], duration_s: float) -> EventScores:
    tp, fp, fn = (int(count) for count in counts[:3])
    return EventScores(rates, tp, fp, fn, false_alarms_per_hour(fp, duration_s))


def _per_group(
    counts: NDArray[np.int64], names: Sequence[str], durations: NDArray[np.float64], n: int, seed: int
) -> dict[str, EventScores]:
    """Return the scores of each group, pooled over labels; intervals come from its own recordings (none for a
    single one).
    """
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows_of.setdefault(name, []).append(row)
    per_group = {}
    for group, rows in sorted(rows_of.items()):
        group_counts = counts[rows].sum(axis=1, keepdims=True)
        result = bootstrap_interval(
            group_counts, [group] * len(rows), _label_rates, n, seed_of("group", group, seed), _LEVEL
        )
        per_group[group] = _scores(_rates(result, 0), group_counts.sum(axis=(0, 1)), float(durations[rows].sum()))
    return per_group


def _boundary_quantiles(errors: NDArray[np.float64]) -> BoundaryErrors:
    if len(errors) == 0:
        return BoundaryErrors(*((float("nan"),) * len(BOUNDARY_QUANTILES) for _ in range(2)))
    start, end = np.quantile(errors, BOUNDARY_QUANTILES, axis=0).T
    return BoundaryErrors(tuple(start.tolist()), tuple(end.tolist()))
