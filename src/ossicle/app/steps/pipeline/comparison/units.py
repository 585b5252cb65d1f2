"""What the leaderboard reads of a project for acoustic units: figures of the worst fold, without differences."""

from collections.abc import Mapping
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.pipeline import Artefacts, Comparison, LeaderboardFigures
from ossicle.artefacts.typed.units.quality import QualityFolder


def _metrics(artefacts: Artefacts) -> Mapping[str, Any] | None:
    if QualityFolder.step not in artefacts:
        return None
    return QualityFolder.among(artefacts).metrics


def _missing(project: Project) -> str:
    """Return that a project without words has no agreement with words; empty if it has words."""
    return "" if project.settings.corpus.annotations else "no words: nothing says how good its units are"


def against(best: Project, best_artefacts: Artefacts) -> Comparison:
    """Return a function that compares nothing: units of two projects are not paired.

    Parameters
    ----------
    best, best_artefacts
        The first project of the board, and its artefacts by step.
    """
    return lambda other, artefacts: None


FIGURES = LeaderboardFigures(metrics=_metrics, training_s=lambda artefacts: None, against=against, missing=_missing)
