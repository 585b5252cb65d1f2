"""Recordings as a whole: a label is in one or not, whatever the times."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.scores.pooling import MAX
from ossicle.core.scores.postprocess import Postprocess
from ossicle.evaluation.criteria.criterion import Criterion, ExampleRequest, JudgedRun, PageParts
from ossicle.evaluation.criteria.kinds import RECORDINGS
from ossicle.evaluation.examples.recordings import recording_examples
from ossicle.evaluation.figures.recordings import recording_figures
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.score_items import recording_items
from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.matching.rules import RecordingMatch
from ossicle.metrics.ranking import pr_curve
from ossicle.metrics.reports.recording_report import top_labels


class RecordingCriterion(Criterion):
    """A label is found where any event of it lies in the recording, or its pooled score reaches the threshold."""

    kind = RECORDINGS

    @property
    def rule(self) -> RecordingMatch:
        """One count for each recording and label."""
        return RecordingMatch()

    @property
    def in_words(self) -> str:
        """The rule with its pooling."""
        evidence = "any event of it" if self.pool == MAX else "its mean score over the recording"
        return f"by recording: a label is in it or not, and is found by {evidence}"

    @property
    def pool(self) -> str:
        """The pooling of the settings."""
        return self.settings.pool

    @property
    def calibrated_on(self) -> str:
        """Recordings with their pooled scores."""
        return f"recordings, {self.pool} of their frames"

    @property
    def weight(self) -> str:
        """All recordings weigh the same."""
        return "items"

    def items(self, truth: Truth, scores: TracksFolder, postprocess: Postprocess) -> Items:
        """Return an item for each recording."""
        return recording_items(truth, scores, self.pool, postprocess)

    def answers(self, items: Items, scores: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Return the answers where every recording has exactly one label."""
        return top_labels(items, scores)

    def figures(self, run: JudgedRun) -> dict[str, Any]:
        """Return nothing: annotations of whole recordings have no times, and figures by recording are always there."""
        return {}

    def page_parts(self, run: JudgedRun, request: ExampleRequest, drawn: frozenset[str]) -> PageParts:
        """Return figures by recording, curves of the labels drawn that some recording has, and recordings to hear."""
        items = self.items(run.truth, run.scores, run.postprocess)
        labels = drawn or run.truth.labels
        return PageParts(
            recordings=recording_figures(run.truth, run.scores, run.postprocess, self.settings),
            curves=[
                (label, pr_curve(items.scores[known, column], items.positive[known, column]))
                for column, (label, known) in enumerate(zip(run.truth.labels, items.is_known.T, strict=True))
                if label in labels and items.positive[known, column].any()
            ],
            examples=recording_examples(
                run.truth, items, run.events, run.scores, request.roots, request.rate, request.count, request.channel
            ),
        )
