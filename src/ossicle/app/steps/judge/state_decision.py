"""Step ``state_decision``: fit the rules for states to out-of-fold scores, and those of each fold to other folds."""

from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.score.state_plan import state_plan
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import StateDecisionFolder, StateScoresFolder
from ossicle.bundle.entries.state_decisions import states_to_json
from ossicle.core.errors import SplitError, UsageError
from ossicle.core.settings import digestible
from ossicle.evaluation.ground_truth import read_truth
from ossicle.evaluation.states.fold_figures import IN_SAMPLE
from ossicle.evaluation.states.out_of_fold import StateDecisions, fit_decisions, scored_states
from ossicle.evaluation.states.recordings import LabelledWindows, labelled_windows
from ossicle.inference.states.fit import FittedStates, ScoredStates

STEP_VERSION = 1


def run(context: Context) -> None:
    """Write the decision of the bundle and that of each fold, with curves and warnings."""
    settings, dataset = context.project.settings, context.read(DatasetFolder)
    _, recordings = held_out_states(context)
    plan = state_plan(context.project, context.read(FeaturesFolder).spec)
    try:
        decisions = fit_decisions(
            recordings, dataset.labels, plan, settings.states.decision(dataset.labels), settings.state_decision
        )
    except UsageError as problem:
        raise SplitError(str(problem)) from problem
    for line in decisions.final.warnings:
        context.progress.say(line)
    for fold, fold_decision in decisions.folds.items():
        if fold_decision.basis == IN_SAMPLE:
            context.progress.say(f"{dataset.fold_name(fold)}: the decision is in-sample: {fold_decision.reason}")
    context.own(StateDecisionFolder).write(_to_json(decisions, dataset))


def held_out_states(context: Context) -> tuple[LabelledWindows, dict[str, ScoredStates]]:
    """Return the windows with their labels, and scores and truth of every recording out of fold.

    The context is that of a step that needs ``corpus``, ``dataset``, ``features`` and ``state_scores``.
    """
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    windows = labelled_windows(truth, context.read(FeaturesFolder))
    return windows, scored_states(windows, context.read(StateScoresFolder))


def _to_json(decisions: StateDecisions, dataset: DatasetFolder) -> dict[str, Any]:
    return {
        **_fit_json(decisions.final),
        "warnings": list(decisions.final.warnings),
        "folds": {
            str(fold): {
                "name": dataset.fold_name(fold),
                "basis": fold_decision.basis,
                **({"reason": fold_decision.reason} if fold_decision.reason else {}),
                **_fit_json(fold_decision.fitted),
            }
            for fold, fold_decision in decisions.folds.items()
        },
    }


def _fit_json(fitted: FittedStates) -> dict[str, Any]:
    return {
        "decision": states_to_json(fitted.decision),
        "labels": {label: label_fit.to_json() for label, label_fit in fitted.labels.items()},
    }


def _settings(project: Project) -> dict[str, object]:
    settings = project.settings
    return {
        "states": digestible(settings.states),
        "state_decision": digestible(settings.state_decision),
        "features": [settings.features.window_s, settings.features.hop_s],
    }


STEP = Step(
    name=StateDecisionFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "features", "state_scores"),
    settings=_settings,
    run=run,
)
