"""Measure how much a split flatters: its own held-out clips against the same clips held out with their group.

Model, training, targets and, if noise is mined next to targets, noise are the same. Only the held-out data differ.
"""

from dataclasses import dataclass, replace

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.engine.step import Progress, run_steps
from ossicle.app.steps.judge.clip_figures import step_for
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.judged import ClipFiguresFolder
from ossicle.corpus.splits.folds import GROUPED
from ossicle.evaluation.figures.clips import columns, figures_of
from ossicle.metrics.clips import ClipFigures, judge_clips


@dataclass(frozen=True, slots=True)
class SplitFigures:
    """The figures of one split by label; ``clips`` says which clips they cover, ``leaky`` what the split divides."""

    strategy: str
    clips: str
    leaky: str
    labels: dict[str, ClipFigures]


def optimism(project: Project, progress: Progress) -> list[SplitFigures]:
    """Compare the figures of the project's split with those of the grouped split on the same clips and on all clips.

    Missing results are computed first: the grouped figure needs one training for each group.

    Parameters
    ----------
    project
        The project; one with a grouped split has only the last of the three figures.
    progress
        Where the steps report how far they are.
    """
    split = project.settings.split
    if not split.kind.holds_out_once:
        return [_figures(project, progress, "all, out of fold")[0]]
    own_figures, table = _figures(project, progress, "its test clips")
    settings = replace(project.settings, split=replace(split, strategy=GROUPED))
    grouped, all_clips = _figures(replace(project, settings=settings), progress, "all, out of fold")
    test = (
        table.filter(pl.col("fold").is_in(split.kind.judged_folds(table["fold"])))
        .select(ClipFiguresFolder.CLIP_KEY)
        .unique()
    )
    # The threshold is still fitted on all clips of the other folds.
    same = all_clips.join(test, on=list(ClipFiguresFolder.CLIP_KEY), how="semi")
    labels = {}
    for label, clip_figures in grouped.labels.items():
        labels[label] = judge_clips(*columns(same.filter(pl.col("label") == label)), clip_figures.thresholds)
    return [own_figures, SplitFigures(GROUPED, "the same clips, out of fold", grouped.leaky, labels), grouped]


def _figures(project: Project, progress: Progress, clips: str) -> tuple[SplitFigures, pl.DataFrame]:
    split = project.settings.split
    step = step_for(split)
    run_project(project, progress, names=step.needs)
    with writing(project.data_root):
        artefacts = run_steps((*chosen_steps(project, step.needs), step), project, progress).artefacts
    table, dataset = ClipFiguresFolder.among(artefacts).clips, DatasetFolder.among(artefacts)
    figures = figures_of(table, dataset.labels, split.kind.judged_folds(table["fold"]))
    return SplitFigures(split.strategy, clips, dataset.split["leaky"], figures), table
