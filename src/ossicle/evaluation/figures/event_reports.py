"""Reports of events against annotations, with the resampling of ``[evaluation]``."""

from typing import Any

from ossicle.evaluation.ground_truth import Times, Truth
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, RecordingMatch
from ossicle.metrics.reports.event_report import EventReport
from ossicle.metrics.segments import evaluate_segments

SEGMENT_S = 1.0


def event_report(
    truth: Truth, predicted: Times, rule: IouMatch | CollarMatch | RecordingMatch, settings: EvaluationSettings
) -> EventReport:
    """Return the report of predicted times (s) by recording and label, counted by ``rule``."""
    return evaluate_events(
        truth.references,
        predicted,
        truth.durations_s,
        truth.labels,
        rule,
        truth.groups,
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
        unknown=truth.unknown,
    )


def segment_figures(truth: Truth, predicted: Times, settings: EvaluationSettings) -> dict[str, Any]:
    """Return figures by segments of one second: how much of the time is right, however it is divided into events."""
    report = evaluate_segments(
        truth.references,
        predicted,
        truth.durations_s,
        truth.labels,
        truth.groups,
        SEGMENT_S,
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
    )
    return {"segment_s": SEGMENT_S, **report.to_json()}
