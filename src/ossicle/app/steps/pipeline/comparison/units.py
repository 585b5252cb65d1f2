"""What the leaderboard reads of a project for acoustic units: figures, and differences in agreement with words."""

from collections.abc import Mapping
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.pipeline import Artefacts, Comparison, LeaderboardFigures
from ossicle.artefacts.typed.units.quality import QualityFolder
from ossicle.artefacts.typed.units.resynthesis import ResynthesisFolder
from ossicle.metrics.reports.event_report import plain

# What two projects must have in common in every fold to be judged on the same speech.
_JUDGED_ON = ("recordings", "frames", "labels", "boundaries")


def _metrics(artefacts: Artefacts) -> Mapping[str, Any] | None:
    if ResynthesisFolder.step in artefacts:
        return ResynthesisFolder.among(artefacts).metrics
    return QualityFolder.among(artefacts).metrics if QualityFolder.step in artefacts else None


def against(best: Project, best_artefacts: Artefacts) -> Comparison:
    """Return a function that computes the mean AMI over folds of another project minus that of ``best``.

    It returns None without words, or if the two were not judged on the same speech. There is no interval: the folds
    are too few for one, and each has its own in ``metrics.json``.

    Parameters
    ----------
    best
        The project to compare others with.
    best_artefacts
        Its artefacts by step.
    """
    best_folds = _judged_folds(QualityFolder.among(best_artefacts).metrics)

    def compare(other: Project, artefacts: Artefacts) -> Mapping[str, float | None] | None:
        others = _judged_folds(QualityFolder.among(artefacts).metrics)
        if not best_folds or {fold: fold_values[1:] for fold, fold_values in others.items()} != {
            fold: fold_values[1:] for fold, fold_values in best_folds.items()
        }:
            return None
        gains = [others[fold][0] - best_folds[fold][0] for fold in best_folds]
        return {"value": plain(sum(gains) / len(gains)), "low": None, "high": None}

    return compare


def _judged_folds(metrics: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return AMI and what it was judged on, by fold; empty without words."""
    folds = metrics["units"]["folds"] or {"all speech": metrics["in_sample"]["units"]}
    return {
        name: (fold["ami"]["value"], *(fold[key] for key in _JUDGED_ON))
        for name, fold in folds.items()
        if fold.get("ami", {}).get("value") is not None
    }


FIGURES = LeaderboardFigures(metrics=_metrics, training_s=lambda artefacts: None, against=against)
"""Seconds of training are not recorded."""
