"""Onsets: the starts of annotations in whole recordings, found within a short distance, whatever their ends."""

from typing import Any

from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.scores.postprocess import Postprocess
from ossicle.evaluation.criteria.criterion import Criterion, ExampleRequest, JudgedRun, PageParts
from ossicle.evaluation.criteria.kinds import ONSETS
from ossicle.evaluation.examples.events import choose_examples
from ossicle.evaluation.figures.events import average_precision, event_curves, recall_by_quality
from ossicle.evaluation.figures.onsets import onset_figures
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.score_items import frame_items
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.inference.decisions.onset_grid import OnsetGrid
from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.matching.rules import CollarMatch


class OnsetCriterion(Criterion):
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

    @property
    def calibrated_on(self) -> str:
        """Frames."""
        return "frames"

    @property
    def weight(self) -> str:
        """A frame weighs its seconds."""
        return "seconds"

    def items(self, truth: Truth, scores: TracksFolder, how: Postprocess) -> Items:
        """Return an item for each frame."""
        return frame_items(truth, scores, how)

    def figures(self, run: JudgedRun) -> dict[str, Any]:
        """Return ``onsets``, with those of simultaneous onsets, and the ranking by score and by quality."""
        return {
            "onsets": onset_figures(run.truth, run.events, self.rule, self.settings),
            "average_precision": average_precision(run.truth, run.events, self.rule),
            "recall_by_quality": recall_by_quality(run.truth, run.events, self.rule),
        }

    def page_parts(self, run: JudgedRun, wanted: ExampleRequest, drawn: frozenset[str]) -> PageParts:
        """Return curves of all labels by the score of onsets, and matched onsets to hear."""
        return PageParts(
            curves=list(event_curves(run.truth, run.events, run.truth.labels, self.rule).items()),
            examples=choose_examples(
                run.truth,
                run.events,
                self.rule,
                wanted.roots,
                wanted.rate,
                wanted.count,
                wanted.margin_s,
                wanted.channel,
            ),
        )
