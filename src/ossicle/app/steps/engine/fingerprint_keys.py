"""Keys that several steps add to their fingerprints."""

from typing import Any

from ossicle.app.project.load import Project
from ossicle.core.settings import digestible


def postprocess_key(project: Project) -> dict[str, Any]:
    """Return what post-processing adds to the settings of a step that reads tracks; empty without post-processing."""
    postprocess = project.settings.postprocess
    return {} if postprocess.does_nothing else {"postprocess": digestible(postprocess)}


def slice_key(project: Project) -> dict[str, Any]:
    """Return which fraction of the held-out clips is scored; empty for all of them."""
    evaluation = project.settings.evaluation
    return {} if evaluation.fraction >= 1 else {"slice": [evaluation.fraction, evaluation.floor, evaluation.seed]}
