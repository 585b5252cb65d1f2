"""What the leaderboard reads of a project for states: figures, seconds of fitting, and paired differences."""

from collections.abc import Mapping
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.pipeline import Artefacts, Comparison, LeaderboardFigures
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import StateDecisionFolder, StateEvaluationFolder, StateScoresFolder
from ossicle.core.digest import digest
from ossicle.evaluation.ground_truth import read_truth
from ossicle.evaluation.states.judging_rule import judging_rule
from ossicle.evaluation.states.out_of_fold import scored_states
from ossicle.evaluation.states.paired_gain import paired_gain, state_counts
from ossicle.evaluation.states.recordings import LabelledWindows, labelled_windows


def _metrics(artefacts: Artefacts) -> Mapping[str, Any] | None:
    if StateEvaluationFolder.step not in artefacts:
        return None
    return StateEvaluationFolder.among(artefacts).metrics


def _windows(artefacts: Artefacts) -> LabelledWindows:
    truth = read_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts))
    return labelled_windows(truth, FeaturesFolder.among(artefacts))


def _counts(artefacts: Artefacts, windows: LabelledWindows) -> dict[str, tuple[int, int]]:
    written = StateDecisionFolder.among(artefacts).written["folds"]
    rules = {int(fold): judging_rule(rule) for fold, rule in written.items()}
    return state_counts(scored_states(windows, StateScoresFolder.among(artefacts)), windows.labels, rules)


def _judged_on(project: Project, windows: LabelledWindows) -> str:
    """Return the digest of what the figures are computed on: recordings, groups, labels, masks and priority.

    Windows may differ in length: shares of windows of the same recordings are compared.
    """
    decision = project.settings.states.decision(windows.labels)
    steady = {key: windows.steady(key).tolist() for key in windows.ids}
    folds = [[key, windows.groups[key], windows.folds[key]] for key in windows.ids]
    return digest([folds, list(windows.labels), steady, sorted(decision.masks.items()), list(decision.priority)])


def against(best: Project, best_artefacts: Artefacts) -> Comparison:
    """Return a function that computes the state accuracy of another project in its worst fold minus that of ``best``.

    It returns None if the two were not evaluated on the same recordings, folds, labels, masks and priority.

    Parameters
    ----------
    best
        The project to compare others with.
    best_artefacts
        Its artefacts by step.
    """
    windows = _windows(best_artefacts)
    judged_on, counts, evaluation = (
        _judged_on(best, windows),
        _counts(best_artefacts, windows),
        best.settings.evaluation,
    )

    def compare(other: Project, artefacts: Artefacts) -> Mapping[str, float | None] | None:
        others = _windows(artefacts)
        if _judged_on(other, others) != judged_on:
            return None
        gain = paired_gain(
            counts, _counts(artefacts, others), windows.folds, windows.groups, evaluation.bootstrap, evaluation.seed
        )
        return gain.to_json()

    return compare


FIGURES = LeaderboardFigures(metrics=_metrics, training_s=lambda artefacts: None, against=against)
"""Heads take seconds, which are not recorded."""
