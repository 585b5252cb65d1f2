"""What the criteria that judge times have in common: frames are calibrated, and matched events can be heard."""

from abc import abstractmethod
from collections.abc import Sequence

from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.scores.postprocess import Postprocess
from ossicle.evaluation.criteria.criterion import Criterion, ExampleRequest, JudgedRun
from ossicle.evaluation.examples.events import choose_examples
from ossicle.evaluation.examples.example import Example
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.score_items import frame_items
from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.matching.rules import CollarMatch, IouMatch


class TimedCriterion(Criterion):
    """A criterion by which events are matched with annotations by their times."""

    @property
    @abstractmethod
    def rule(self) -> IouMatch | CollarMatch:
        """The rule by which the headline counts events."""

    @property
    def calibrated_on(self) -> str:
        """Frames."""
        return "frames"

    @property
    def weight(self) -> str:
        """A frame weighs its seconds."""
        return "seconds"

    def items(self, truth: Truth, scores: TracksFolder, postprocess: Postprocess) -> Items:
        """Return an item for each frame."""
        return frame_items(truth, scores, postprocess)

    def matched_examples(self, run: JudgedRun, request: ExampleRequest) -> Sequence[Example]:
        """Return events to hear: found, missed and false ones by the rule."""
        return choose_examples(
            run.truth,
            run.events,
            self.rule,
            request.roots,
            request.rate,
            request.count,
            request.margin_s,
            request.channel,
        )
