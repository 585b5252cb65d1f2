"""The variants of a project side by side: figures, intervals, seconds of training, and differences to the best.

The leaderboard runs nothing. A variant without figures under its present settings is listed as such.
Differences are paired: both variants are evaluated on the same resampled recordings and groups, and only if
recordings, annotations, labels and groups are the same for both.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from ossicle.app.project.load import Project, load_project
from ossicle.app.project.settings import ProjectSettings
from ossicle.app.project.tables.ensemble import ITSELF
from ossicle.app.steps.compare.ensemble import ensemble_done
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipeline import LeaderboardFigures
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.app.steps.pipeline.project_status import differing_settings, no_effect_in_words, outdated_results
from ossicle.artefacts.typed.results.published import METRICS
from ossicle.core.errors import ProjectError, UsageError
from ossicle.evaluation.criteria.kinds import kind_in
from ossicle.evaluation.leaderboard import (
    FIGURES,
    NO_FIGURE,
    Board,
    Figure,
    OverSeeds,
    Row,
    mean_and_deviation,
    place,
)
from ossicle.metrics.noise.gate_exceptions import gate_exceptions


@dataclass(frozen=True, slots=True)
class Judged:
    """What a row is made of: the metrics, and the artefacts that hold events and truth.

    ``trained`` is False for an ensemble, which has no seed.
    """

    name: str
    project: Project
    metrics: Mapping[str, Any]
    artefacts: Mapping[str, Path]
    training_s: float | None
    trained: bool = True


def leaderboard(project: Project, overrides: Sequence[str] = (), names: Sequence[str] = ()) -> Board:
    """Return the leaderboard of a project, its variants, and its ensemble if that was evaluated.

    Parameters
    ----------
    project
        The project; it need not have been run.
    overrides
        The ``--set`` options that the project was loaded with.
    names
        Rank the project and these variants only; empty: all variants.
    """
    rows: list[Judged] = []
    empty: list[Row] = []
    for name in ("", *(names or project.variants)):
        try:
            variant = load_project(project.file, tuple(overrides), project.data_root, name)
        except ProjectError as problem:
            if not name or name not in project.variants:
                raise
            note = f"does not go together with these --set options: {problem}"
            empty.append(Row(name, {}, None, "", "", note=note))
            continue
        judged = judged_of(variant)
        if judged is None:
            reason = _figures_of(variant).missing(variant) or _no_figures(variant)
            empty.append(
                Row(name or ITSELF, {}, None, "", "", differs=differing_settings(variant, project), note=reason)
            )
        else:
            rows.append(judged)
    combination = project.settings.ensemble.combination
    if (ensemble := ensemble_done(project, overrides, combination)) is not None:
        rows.append(
            Judged(
                f"ensemble: {combination.rule}",
                ensemble.project,
                ensemble.metrics,
                ensemble.artefacts,
                None,
                trained=False,
            )
        )
    board = board_of(rows, empty)
    projects = {result.name: result.project for result in rows if result.trained}
    return replace(
        board,
        rows=tuple(_compared(row, projects[row.name], project) if row.name in projects else row for row in board.rows),
    )


def _no_figures(project: Project) -> str:
    variant = f" --variant {project.variant}" if project.variant else ""
    run = f"ossicle run -p {quote(str(project.file))}{variant}"
    if outdated := outdated_results(project, {}, (METRICS,)):
        return f"no figures for these settings: {outdated}; or run {run}"
    return f"no figures yet: {run}"


def _compared(row: Row, variant: Project, project: Project) -> Row:
    """Return a row with the settings that differ from the project itself, and a note on those without effect."""
    notes = filter(None, [row.note, no_effect_in_words(variant, project)])
    return replace(row, differs=differing_settings(variant, project), note="; ".join(notes))


def judged_of(project: Project) -> Judged | None:
    """Return a project's figures under its present settings, or None if it has none."""
    artefacts = {name: path for name, path in find_steps(steps_of(project), project).items() if path is not None}
    figures = _figures_of(project)
    metrics = figures.metrics(artefacts)
    if metrics is None:
        return None
    return Judged(project.variant or ITSELF, project, metrics, artefacts, figures.training_s(artefacts))


def _figures_of(project: Project) -> LeaderboardFigures:
    """Return what to read of a project; raises UsageError if its pipeline has no figures to compare."""
    pipeline = pipeline_of(project)
    if pipeline.leaderboard is None:
        raise UsageError(f"the pipeline {pipeline.name!r} has no figures to compare")
    return pipeline.leaderboard


def board_of(results: Sequence[Judged], empty: Sequence[Row] = ()) -> Board:
    """Return the leaderboard of evaluated variants.

    Parameters
    ----------
    results
        The evaluated variants.
    empty
        Rows of variants without figures.
    """
    pairs = sorted(((_row(result), result) for result in results), key=lambda pair: place(pair[0]))
    if pairs:
        best = pairs[0][1]
        compare = against(best)
        pairs = [(replace(row, to_best=None if result is best else compare(result)), result) for row, result in pairs]
    return Board(
        (*(row for row, _ in pairs), *empty), tuple(_over_seeds([result for _, result in pairs if result.trained]))
    )


def against(best: Judged) -> Callable[[Judged], Figure | None]:
    """Return a function that gives the headline of another variant minus that of ``best``, with its paired interval.

    It gives None if the two are not comparable. What it needs of ``best`` is read once.
    """
    compare = _figures_of(best.project).against(best.project, best.artefacts)
    return lambda other: compare(other.project, other.artefacts)


CLIPS_KEY = "clips"
"""Key of ``metrics.json`` with the figures of hits; where they lead, those of whole recordings are left out."""


def _row(result: Judged) -> Row:
    figures: dict[str, Figure] = {}
    clips_lead = kind_in(result.metrics).clips_lead
    for name, (_, path) in FIGURES.items():
        if clips_lead and path[0] != CLIPS_KEY:
            continue
        value: Any = result.metrics
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and "value" in value:
            figures[name] = {key: value.get(key) for key in ("value", "low", "high")}
    gate, criterion = result.metrics.get("gate"), str(result.metrics["protocol"].get("criterion", ""))
    row = Row(result.name, figures, result.training_s, _verdict(gate) if gate else "", criterion)
    undefined = f"{FIGURES[row.headline_name][0]} is undefined: see the notes of its page"
    return row if row.headline is not None else replace(row, note=undefined)


def _verdict(gate: Mapping[str, Any]) -> str:
    """Return the verdict of the noise gate, with the number of sounds that could not refuse."""
    if not gate["passed"]:
        return "refused"
    exceptions = gate_exceptions(gate)
    return f"passed, {len(exceptions)} exception{'s' * (len(exceptions) > 1)}" if exceptions else "passed"


def _over_seeds(rows: Iterable[Judged]) -> list[OverSeeds]:
    alike: list[tuple[ProjectSettings, list[Judged]]] = []
    for result in rows:
        settings = without_seed(result.project.settings)
        same = next((group for known, group in alike if known == settings), None)
        if same is None:
            alike.append((settings, [result]))
        else:
            same.append(result)
    return [
        _spread(group) for _, group in alike if len({result.project.settings.training.seed for result in group}) > 1
    ]


def without_seed(settings: ProjectSettings) -> ProjectSettings:
    """Return the settings without what differs between seeds of one experiment: the seed, and the bundle's name."""
    return replace(
        settings,
        project=replace(settings.project, name="detector"),
        training=replace(settings.training, seed=0),
    )


def _spread(results: Sequence[Judged]) -> OverSeeds:
    ordered = sorted(results, key=lambda result: (result.project.settings.training.seed, result.name))
    rows = [_row(result) for result in ordered]
    figures = {}
    for name in FIGURES:
        values = [row.figures.get(name, NO_FIGURE)["value"] for row in rows]
        if None not in values:
            figures[name] = mean_and_deviation(np.array(values, dtype=np.float64))
    names = tuple(result.name for result in ordered)
    return OverSeeds(names, tuple(result.project.settings.training.seed for result in ordered), figures)
