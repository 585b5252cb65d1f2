"""What counts as found, from ``[evaluation] criterion``: the same for the decision, the headline and the report."""

from ossicle.core.pooling import MAX
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.matching import IouMatch, RecordingMatch

RECORDING = "recording"

Rule = IouMatch | RecordingMatch


def rule_of(evaluation: EvaluationSettings) -> Rule:
    """The criterion by which events are counted."""
    return RecordingMatch() if evaluation.criterion == RECORDING else IouMatch(threshold=evaluation.iou)


def pool_of(evaluation: EvaluationSettings) -> str:
    """How decisions see a recording: frame by frame (``max``), or under criterion ``recording`` as asked for."""
    return evaluation.pool if evaluation.criterion == RECORDING else MAX


def rule_in_words(evaluation: EvaluationSettings) -> str:
    """The criterion for a page and for ``metrics.json``."""
    if evaluation.criterion != RECORDING:
        return f"optimal matching at IoU >= {evaluation.iou:g}"
    found = "any event of it" if evaluation.pool == MAX else "its mean score over the recording"
    return f"by recording: a label is in it or not, and is found by {found}"
