"""An ensemble evaluated as a detector: its scores in place of those of the step ``scores``, and then the usual steps.

Decisions of a rule that needs a fit are nested: neither the weights nor the thresholds behind the decision of a fold
use that fold. Other rules need only the cross-fitting that every decision has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.compare.ensemble_members import Member, members_done
from ossicle.app.steps.compare.ensemble_scores import FITTED, read_fits, scores_step, write_combined
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Context, Progress, Step, find_steps, run_steps
from ossicle.app.steps.judge import decision, evaluation
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.score import scores
from ossicle.artefacts.filesystem.changes import make_folder, remove_folder
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder, Decisions, write_event_table
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import EvaluationFolder
from ossicle.artefacts.typed.scores import EnsembleScoresFolder, ScoresFolder
from ossicle.core.scores.combination import Combination
from ossicle.evaluation.ground_truth import read_truth
from ossicle.training.second_stage.settings import SecondStageSettings

STEP_VERSION = 1


@dataclass(frozen=True, slots=True)
class Ensembled:
    """An evaluated ensemble: the project it was evaluated as, its artefacts by step, and its figures."""

    project: Project
    combination: Combination
    artefacts: Mapping[str, Path]
    metrics: dict[str, Any]


def judge_ensemble(
    project: Project, members: Sequence[Member], combination: Combination, progress: Progress
) -> Ensembled:
    """Combine the members' scores, decide and evaluate, reusing finished artefacts.

    Parameters
    ----------
    project
        The project with the ensemble.
    members
        The members with their artefacts.
    combination
        The rule of combination.
    progress
        Where the steps report how far they are.

    Raises
    ------
    LockedError
        Another run writes to the same data root.
    """
    judged_project = judged_as(project, members[0])
    steps = ensemble_steps(members, combination, project.settings.ensemble.seed)
    with writing(project.data_root):
        done = run_steps(steps, judged_project, progress)
    return Ensembled(judged_project, combination, done.artefacts, EvaluationFolder.among(done.artefacts).metrics)


def ensemble_done(project: Project, overrides: Sequence[str], combination: Combination) -> Ensembled | None:
    """Return the ensemble as :func:`judge_ensemble` left it under the present settings, or None if unfinished."""
    members = members_done(project, overrides)
    if not members:
        return None
    judged_project = judged_as(project, members[0])
    artefacts_found = find_steps(ensemble_steps(members, combination, project.settings.ensemble.seed), judged_project)
    artefacts = {name: path for name, path in artefacts_found.items() if path is not None}
    if evaluation.STEP.name not in artefacts:
        return None
    return Ensembled(judged_project, combination, artefacts, EvaluationFolder.among(artefacts).metrics)


def judged_as(project: Project, first: Member) -> Project:
    """Return the project with the frame grid of the first member, and without a second stage, which no ensemble has."""
    member_settings = first.project.settings
    settings = replace(
        project.settings,
        frontend=member_settings.frontend,
        chunks=member_settings.chunks,
        model=member_settings.model,
        augment=member_settings.augment,
        second_stage=SecondStageSettings(),
    )
    return replace(project, settings=settings)


def ensemble_steps(members: Sequence[Member], combination: Combination, seed: int) -> tuple[Step, ...]:
    """Return the steps from the corpus to the evaluation; the steps after the scores are those of the pipeline."""
    steps = pipeline_of(members[0].project).steps
    names = [step.name for step in steps]
    after = steps[names.index(scores.STEP.name) + 1 : names.index(evaluation.STEP.name) + 1]
    decision_steps = decision_step(members) if combination.rule in FITTED else decision.STEP
    return (
        corpus.STEP,
        dataset.STEP,
        scores_step(members, combination, seed),
        *(decision_steps if step.name == decision.STEP.name else step for step in after),
    )


def decision_step(members: Sequence[Member]) -> Step:
    """Return the step ``decision`` of a rule that needs a fit: it decides once for each fold, and for the bundle."""
    return replace(
        decision.STEP,
        settings=lambda project: {**decision.STEP.settings(project), "nested": STEP_VERSION},
        run=lambda context: _decide(context, members),
    )


def _decide(context: Context, members: Sequence[Member]) -> None:
    """Write what the step ``decision`` writes; the events and decision of a fold come from the run without it."""
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    output, work = context.own(DecisionFolder), context.folder / "nested"
    events: list[pl.DataFrame] = []
    per_fold: dict[int, Decisions] = {}
    for fold, fit in read_fits(context.read(EnsembleScoresFolder)).items():
        remove_folder(work)
        combined = ScoresFolder(work / "scores")
        for key in truth.ids:
            write_combined(combined, members, key, fit)
        into = output if fold is None else DecisionFolder(work / "decision")
        make_folder(into.path)
        decision.decide_scores(context.project, truth, combined, into)
        if fold is None:
            continue
        per_fold[fold] = into.decisions[fold]
        held_out_ids = [key for key in truth.ids if truth.folds[key] == fold]
        events.append(into.event_table.filter(pl.col("recording_id").is_in(held_out_ids)))
    remove_folder(work)
    final = context.own(DecisionFolder)
    final.write_decisions(per_fold, final.decisions[None], final.notes)
    write_event_table(final.events_file, pl.concat(events))
