"""Presence of each label in each recording, from the out-of-fold scores pooled over it."""

from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.scores.postprocess import Postprocess
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.score_items import recording_items
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.reports.recording_report import RecordingReport, recording_report


def recording_figures(
    truth: Truth, scores: TracksFolder, postprocess: Postprocess, settings: EvaluationSettings
) -> RecordingReport:
    """Return the report by recording; ``scores`` is the folder of tracks, ``postprocess`` their post-processing."""
    items = recording_items(truth, scores, settings.pool, postprocess)
    groups = [truth.groups[key] for key in truth.ids]
    return recording_report(items, truth.labels, groups, settings.pool, settings.bootstrap, settings.seed)
