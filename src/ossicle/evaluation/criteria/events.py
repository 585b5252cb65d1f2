"""Events, matched with annotations by their times."""

from typing import Any

from ossicle.evaluation.criteria.criterion import ExampleRequest, JudgedRun, PageParts
from ossicle.evaluation.criteria.kinds import EVENTS
from ossicle.evaluation.criteria.timed import TimedCriterion
from ossicle.evaluation.figures.event_reports import event_report, segment_figures
from ossicle.evaluation.figures.events import average_precision, event_curves, recall_by_quality, sweep
from ossicle.evaluation.figures.frame_grid_ceiling import grid_ceiling
from ossicle.evaluation.ground_truth import event_times
from ossicle.metrics.matching.rules import CollarMatch, IouMatch
from ossicle.metrics.reports.event_report import EventReport


class EventCriterion(TimedCriterion):
    """An event is found where its intersection over union with an annotation reaches a limit."""

    kind = EVENTS

    @property
    def rule(self) -> IouMatch:
        """Optimal matching at the least IoU of the settings."""
        return IouMatch(threshold=self.settings.iou)

    @property
    def in_words(self) -> str:
        """The rule with its limit."""
        return f"optimal matching at IoU >= {self.settings.iou:g}"

    def figures(self, run: JudgedRun) -> dict[str, Any]:
        """Return the figures of events by their times: collar, sweep, ranking, segments, qualities, frame grid."""
        truth, predicted = run.truth, event_times(run.events)
        return {
            "at_collar": {"collar_s": self.settings.collar_s, **self._at_collar(run).to_json()},
            "iou_sweep": sweep(truth, run.events),
            "average_precision": average_precision(truth, run.events, self.rule),
            "segments": segment_figures(truth, predicted, self.settings),
            "recall_by_quality": recall_by_quality(truth, run.events, self.rule),
            "frame_grid": grid_ceiling(truth, run.hop_s, self.rule, run.apart_frames),
        }

    def page_parts(self, run: JudgedRun, request: ExampleRequest, drawn: frozenset[str]) -> PageParts:
        """Return matches at a collar, curves of all labels by event score, the IoU sweep, and matched events."""
        return PageParts(
            collar=self._at_collar(run),
            curves=list(event_curves(run.truth, run.events, run.truth.labels, self.rule).items()),
            iou_sweep=sweep(run.truth, run.events),
            examples=self.matched_examples(run, request),
        )

    def _at_collar(self, run: JudgedRun) -> EventReport:
        rule = CollarMatch(collar_s=self.settings.collar_s)
        return event_report(run.truth, event_times(run.events), rule, self.settings)
