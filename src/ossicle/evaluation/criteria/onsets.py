"""Onsets: the starts of annotations in whole recordings, found within a short distance, whatever their ends."""

from typing import Any

from ossicle.evaluation.criteria.criterion import ExampleRequest, JudgedRun, PageParts
from ossicle.evaluation.criteria.kinds import ONSETS
from ossicle.evaluation.criteria.timed import TimedCriterion
from ossicle.evaluation.figures.events import average_precision, event_curves, recall_by_quality
from ossicle.evaluation.figures.onsets import onset_figures
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.inference.decisions.onset_grid import OnsetGrid
from ossicle.metrics.matching.rules import CollarMatch


class OnsetCriterion(TimedCriterion):
    """An onset is found where one of its label is predicted at most ``[evaluation] onset_s`` away."""

    kind = ONSETS

    @property
    def rule(self) -> CollarMatch:
        """Optimal matching of starts within the distance of the settings, as ``mir_eval.onset``."""
        return CollarMatch(collar_s=self.settings.onset_s, evaluate_offset=False)

    @property
    def in_words(self) -> str:
        """The rule with its distance."""
        return f"optimal matching of onsets at most {1000 * self.settings.onset_s:g} ms apart"

    def grid(self, settings: DecisionGrid) -> OnsetGrid:
        """Return the peaks of score tracks by the thresholds, smoothings and distances of ``settings``."""
        return OnsetGrid(settings)

    def figures(self, run: JudgedRun) -> dict[str, Any]:
        """Return ``onsets``, with those of simultaneous onsets, and the ranking by score and by quality."""
        return {
            "onsets": onset_figures(run.truth, run.events, self.rule, self.settings),
            "average_precision": average_precision(run.truth, run.events, self.rule),
            "recall_by_quality": recall_by_quality(run.truth, run.events, self.rule),
        }

    def page_parts(self, run: JudgedRun, request: ExampleRequest, drawn: frozenset[str]) -> PageParts:
        """Return curves of all labels by the score of onsets, and matched onsets to hear."""
        return PageParts(
            curves=list(event_curves(run.truth, run.events, run.truth.labels, self.rule).items()),
            examples=self.matched_examples(run, request),
        )
