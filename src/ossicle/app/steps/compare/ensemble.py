"""An ensemble judged as a detector: its scores in the place of ``scores``, and the chain's own steps after them.

Decisions of a rule that fits something are nested: those of a fold are chosen on scores which that fold had no part in
making, neither through the weights nor through the thresholds. Other rules need nothing beside the cross-fitting that
every decision has.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.steps.compare.ensemble_members import Member, members_done
from ossicle.app.steps.compare.ensemble_scores import FITTED, read_fits, scores_step, write_combined
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Context, Progress, Step, find_steps, run_steps
from ossicle.app.steps.judge import decision, evaluation
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.score import scores
from ossicle.artefacts.lock import project_lock
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder, Decisions, write_event_table
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import EvaluationFolder
from ossicle.artefacts.typed.scores import EnsembleScoresFolder, ScoresFolder
from ossicle.core.combination import Combination
from ossicle.evaluation.ground_truth import read_truth
from ossicle.training.second_stage_settings import SecondStageSettings

STEP_VERSION = 1


@dataclass(frozen=True, slots=True)
class Ensembled:
    """An ensemble that was judged: the project it was judged as, its artefacts by step, and its figures."""

    project: Project
    how: Combination
    artefacts: Mapping[str, Path]
    metrics: dict[str, Any]


def judge_ensemble(project: Project, members: Sequence[Member], how: Combination, progress: Progress) -> Ensembled:
    """Combine, decide and evaluate; what is on the shelf is reused. LockedError while another run writes there."""
    own = judged_as(project, members[0])
    steps = ensemble_steps(members, how, project.settings.ensemble.seed)
    with project_lock(project.data_root):
        done = run_steps(steps, own, progress)
    return Ensembled(own, how, done.artefacts, EvaluationFolder.among(done.artefacts).metrics)


def ensemble_done(project: Project, overrides: Sequence[str], how: Combination) -> Ensembled | None:
    """The project's ensemble as :func:`judge_ensemble` left it under its present settings; None where it did not."""
    members = members_done(project, overrides)
    if not members:
        return None
    own = judged_as(project, members[0])
    found = find_steps(ensemble_steps(members, how, project.settings.ensemble.seed), own)
    artefacts = {name: path for name, path in found.items() if path is not None}
    if evaluation.STEP.name not in artefacts:
        return None
    return Ensembled(own, how, artefacts, EvaluationFolder.among(artefacts).metrics)


def judged_as(project: Project, first: Member) -> Project:
    """The project with the frame grid of the first member, and without a second stage, which no ensemble has."""
    of = first.project.settings
    settings = replace(
        project.settings,
        frontend=of.frontend,
        chunks=of.chunks,
        model=of.model,
        augment=of.augment,
        second_stage=SecondStageSettings(),
    )
    return replace(project, settings=settings)


def ensemble_steps(members: Sequence[Member], how: Combination, seed: int) -> tuple[Step, ...]:
    """The steps from the corpus to the evaluation; those after the scores are the pipeline's."""
    steps = pipeline_of(members[0].project).steps
    names = [step.name for step in steps]
    after = steps[names.index(scores.STEP.name) + 1 : names.index(evaluation.STEP.name) + 1]
    own = decision_step(members) if how.rule in FITTED else decision.STEP
    return (
        corpus.STEP,
        dataset.STEP,
        scores_step(members, how, seed),
        *(own if step.name == decision.STEP.name else step for step in after),
    )


def decision_step(members: Sequence[Member]) -> Step:
    """The step ``decision`` under a rule that fits something: once for each fold, and once for the bundle."""
    return replace(
        decision.STEP,
        settings=lambda project: {**decision.STEP.settings(project), "nested": STEP_VERSION},
        run=lambda context: _decide(context, members),
    )


def _decide(context: Context, members: Sequence[Member]) -> None:
    """Write what the step ``decision`` writes; events and decision of a fold are those of the run without it."""
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    own, work = context.own(DecisionFolder), context.out / "nested"
    events: list[pl.DataFrame] = []
    per_fold: dict[int, Decisions] = {}
    for fold, one in read_fits(context.read(EnsembleScoresFolder)).items():
        shutil.rmtree(work, ignore_errors=True)
        combined = ScoresFolder(work / "scores")
        for key in truth.ids:
            write_combined(combined, members, key, one)
        into = own if fold is None else DecisionFolder(work / "decision")
        into.path.mkdir(parents=True, exist_ok=True)
        decision.decide_scores(context.project, truth, combined, into)
        if fold is None:
            continue
        per_fold[fold] = into.decisions[fold]
        mine = [key for key in truth.ids if truth.folds[key] == fold]
        events.append(into.event_table.filter(pl.col("recording_id").is_in(mine)))
    shutil.rmtree(work, ignore_errors=True)
    final = context.own(DecisionFolder)
    final.write_decisions(per_fold, final.decisions[None], final.notes)
    write_event_table(final.events_file, pl.concat(events))
