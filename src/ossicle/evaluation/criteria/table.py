"""The table of criteria: name in ``[evaluation] criterion`` to class."""

from collections.abc import Mapping

from ossicle.evaluation.criteria.clips import ClipCriterion
from ossicle.evaluation.criteria.criterion import Criterion
from ossicle.evaluation.criteria.events import EventCriterion
from ossicle.evaluation.criteria.onsets import OnsetCriterion
from ossicle.evaluation.criteria.recordings import RecordingCriterion
from ossicle.evaluation.settings import EvaluationSettings

CRITERIA: Mapping[str, type[Criterion]] = {
    "iou": EventCriterion,
    "recording": RecordingCriterion,
    "onsets": OnsetCriterion,
    "clips": ClipCriterion,
}


def criterion_of(settings: EvaluationSettings) -> Criterion:
    """Return the criterion that ``[evaluation]`` names."""
    return CRITERIA[settings.criterion](settings)
