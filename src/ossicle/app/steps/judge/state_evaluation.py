"""Step ``state_evaluation``: figures of states for each fold and over folds, and whether the data support them."""

from typing import Any

import numpy as np

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.state_decision import held_out_states
from ossicle.app.steps.score.state_plan import state_plan
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import StateDecisionFolder, StateEvaluationFolder
from ossicle.core.settings import digestible
from ossicle.evaluation.states.contradictions import contradictions
from ossicle.evaluation.states.fold_figures import (
    CROSS_FITTED,
    IN_SAMPLE,
    FoldFigures,
    ResampleSettings,
    fold_figures,
    over_folds,
    wide_figures,
)
from ossicle.evaluation.states.judging_rule import judging_rule
from ossicle.evaluation.states.sufficiency import INSUFFICIENT, thin_sides

STEP_VERSION = 3


def run(context: Context) -> None:
    """Write ``metrics.json`` and the recordings whose scores contradict their labels."""
    settings, dataset, output = (
        context.project.settings,
        context.read(DatasetFolder),
        context.own(StateEvaluationFolder),
    )
    windows, recordings = held_out_states(context)
    features = context.read(FeaturesFolder)
    plan, written = state_plan(context.project, features.spec), context.read(StateDecisionFolder).written
    labels, names = list(dataset.labels), {int(fold): fold_json["name"] for fold, fold_json in written["folds"].items()}
    resampling = ResampleSettings(
        settings.evaluation.bootstrap, settings.evaluation.seed, settings.state_decision.within_s
    )
    rules = {int(fold): judging_rule(rule) for fold, rule in written["folds"].items()}
    folds = [
        fold_figures(
            names[fold],
            written["folds"][str(fold)]["basis"],
            {key: recording for key, recording in recordings.items() if recording.fold == fold},
            labels,
            rule,
            plan,
            resampling,
        )
        for fold, rule in rules.items()
    ]
    in_sample = fold_figures(IN_SAMPLE, IN_SAMPLE, recordings, labels, judging_rule(written), plan, resampling)
    steady = np.array([windows.steady(key) for key in windows.ids])
    thin = thin_sides(steady, np.array([windows.folds[key] for key in windows.ids]), labels, names)
    reasons = [*thin, *wide_figures(folds)]
    output.write_metrics(
        {
            "states": {**over_folds(folds), "folds": {fold.name: fold.to_json() for fold in folds}},
            INSUFFICIENT: bool(reasons),
            **({f"{INSUFFICIENT}_because": reasons} if reasons else {}),
            "in_sample": {"states": in_sample.to_json()},
            "warnings": written["warnings"],
            "protocol": _protocol(context.project, features, folds),
        }
    )
    contradicting = contradictions(recordings, labels, rules)
    output.write_contradictions(
        [
            {
                "path": windows.paths[contradiction.recording_id],
                "group": windows.groups[contradiction.recording_id],
                "start_s": contradiction.worst_window * features.hop_s,
                "end_s": contradiction.worst_window * features.hop_s + features.window_s,
                **contradiction.to_json(),
            }
            for contradiction in contradicting
        ]
    )
    if reasons:
        context.progress.say(f"{INSUFFICIENT}: {reasons[0]}{f' and {len(reasons) - 1} more' * (len(reasons) > 1)}")


def _protocol(project: Project, features: FeaturesFolder, folds: list[FoldFigures]) -> dict[str, Any]:
    settings = project.settings
    bases = {fold.basis for fold in folds}
    return {
        "criterion": "states of windows",
        "group": settings.split.group,
        "held_out": [fold.name for fold in folds],
        "decision": CROSS_FITTED if bases == {CROSS_FITTED} else f"{IN_SAMPLE} in some folds",
        "headline": "the worst fold",
        "window_s": features.window_s,
        "hop_s": features.hop_s,
        "encoder": features.spec.name,
        "masks": {label: list(hidden) for label, hidden in settings.states.masks.items()},
        "intervals": "95 %, over recordings",
    }


STEP = Step(
    name=StateEvaluationFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "features", "state_scores", "state_decision"),
    settings=lambda project: {
        "bootstrap": project.settings.evaluation.bootstrap,
        "seed": project.settings.evaluation.seed,
        "within_s": project.settings.state_decision.within_s,
        "states": digestible(project.settings.states),
        "group": project.settings.split.group,
    },
    run=run,
)
