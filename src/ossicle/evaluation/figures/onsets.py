"""Figures of onsets in whole recordings: of all labels together, of each, and of simultaneous ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.core.tracks import Event
from ossicle.evaluation.figures.event_reports import event_report
from ossicle.evaluation.ground_truth import Truth, event_times
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import CollarMatch
from ossicle.metrics.matching.simultaneous import of_simultaneous
from ossicle.metrics.reports.event_report import EventReport

_RATES = ("f1", "precision", "recall")
_OF_ESTIMATES = frozenset({"value", "low", "high"})


def onset_figures(
    truth: Truth, events: Mapping[str, Sequence[Event]], rule: CollarMatch, settings: EvaluationSettings
) -> dict[str, Any]:
    """Return the block ``onsets`` of ``metrics.json``.

    Parameters
    ----------
    truth
        The evaluated recordings; onsets are the starts of their annotations.
    events
        Found onsets by recording.
    rule
        How far apart onsets may be that match.
    settings
        Resampling of the intervals.

    Returns
    -------
    ``f1``, ``precision`` and ``recall``: each the estimate (``value``, ``low``, ``high``) over all onsets of all
    labels (micro), and the estimate of each label under its name; ``macro``; ``per_label``, which also has the labels
    that are named like a key of an estimate; ``simultaneous``: the same of onsets with one of another label at most
    ``window_s`` away.
    """
    predicted = event_times(events)
    simultaneous = {
        key: of_simultaneous(truth.references[key], predicted.get(key, {}), rule.collar_s) for key in truth.ids
    }
    together = evaluate_events(
        {key: references for key, (references, _) in simultaneous.items()},
        {key: predictions for key, (_, predictions) in simultaneous.items()},
        truth.durations_s,
        truth.labels,
        rule,
        truth.groups,
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
        unknown=truth.unknown,
    )
    whole = event_report(truth, predicted, rule, settings)
    return {"window_s": rule.collar_s, **_figures(whole), "simultaneous": _figures(together)}


def _figures(report: EventReport) -> dict[str, Any]:
    """Return the estimates of a report, by rate and then by label."""
    report_json = report.to_json()
    per_label = {
        label: {key: figures[key] for key in (*_RATES, "n_reference", "n_predicted", "tp", "fp", "fn")}
        for label, figures in report_json["per_label"].items()
    }
    named = {
        rate: {
            **report_json["events"][rate],
            **{label: figures[rate] for label, figures in per_label.items() if label not in _OF_ESTIMATES},
        }
        for rate in _RATES
    }
    counts = {key: report_json[key] for key in ("n_reference", "n_predicted")}
    return {**named, **counts, "macro": {rate: report_json["macro"][rate] for rate in _RATES}, "per_label": per_label}
