"""Held-out clips: each annotated hit is a clip with one label, and the label with the highest score is the answer."""

from dataclasses import replace

from ossicle.evaluation.criteria.criterion import ExampleRequest, JudgedRun, PageParts
from ossicle.evaluation.criteria.kinds import CLIPS
from ossicle.evaluation.criteria.recordings import RecordingCriterion


class ClipCriterion(RecordingCriterion):
    """The answer to each annotated hit, in a window at its onset.

    Thresholds and events are those of whole recordings: a label is in a recording or not.
    """

    kind = CLIPS

    @property
    def in_words(self) -> str:
        """The protocol of the clips, and the rule of the events."""
        return f"one answer for each annotated hit, the label with the highest score; events {super().in_words}"

    def page_parts(self, run: JudgedRun, request: ExampleRequest, drawn: frozenset[str]) -> PageParts:
        """Return figures and curves by recording; the examples of a page are clips, not recordings."""
        return super().page_parts(run, replace(request, count=0), drawn)
