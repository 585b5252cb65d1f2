"""Step ``benchmark-results``: the tables of all readings as one, the page and the notebook over them."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.steps.benchmark.decisions import EVENTS
from ossicle.app.steps.benchmark.index import NAME as INDEX
from ossicle.app.steps.benchmark.index import OVERLAPS, UNCHECKED, read_benchmark
from ossicle.app.steps.benchmark.models import Reading
from ossicle.app.steps.benchmark.scores import left_out_of
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import read_json, whole_folder, write_json
from ossicle.artefacts.shelf import JOURNAL, MANIFEST, RUN_LOG
from ossicle.artefacts.tables import read_table, write_csv
from ossicle.corpus.health.corpus_overlap import Overlap
from ossicle.evaluation.benchmark_figures import SCHEMAS, in_order
from ossicle.report.notebook import missing

STEP_VERSION = 1
NAME = "benchmark-results"
FOLDER = "benchmark"
ABOUT, PAGE, NOTEBOOK = "benchmark.json", "report.html", "analysis.ipynb"
MODELS = "models"
_OWN = frozenset({MANIFEST, JOURNAL, RUN_LOG, "logs"})


def results_step(
    made: Sequence[tuple[Reading, Path, Path]], contents: Sequence[str], overlap: Overlap, mark: str
) -> Step:
    """The step over the artefacts (scores, decisions) of every reading; ``contents`` are those of the decisions."""
    return Step(
        name=NAME,
        version=STEP_VERSION,
        needs=(INDEX,),
        settings=lambda project: {
            "tables": dict(zip((one.name for one, _, _ in made), contents, strict=True)),
            "overlap": overlap.to_json(),
            "mark": mark,
            "notebook": not missing(),
            "title": project.settings.project.name,
            "tape": project.settings.benchmark.tape,
        },
        run=partial(run, made, overlap, mark),
    )


def run(made: Sequence[tuple[Reading, Path, Path]], overlap: Overlap, mark: str, context: Context) -> None:
    """Write every table as CSV, ``benchmark.json``, the page, and where Jupyter is installed the notebook."""
    tables = {
        name: in_order(name, pl.concat([read_table(decisions / f"{name}.parquet") for _, _, decisions in made]))
        for name in SCHEMAS
    }
    for name, rows in tables.items():
        write_csv(context.out / f"{name}.csv", rows)
    about = _about(context, made, overlap, mark)
    write_json(context.out / ABOUT, about)
    from ossicle.report.notebook import write_notebook
    from ossicle.report.pages.benchmark_page import write_benchmark_page

    context.progress.advance(0, 2, "page")
    write_benchmark_page(context.out / PAGE, tables, about)
    context.progress.advance(1, 2, "notebook")
    write_notebook(context.out / NOTEBOOK, context.out)


def publish(project: Project, results: Path, made: Sequence[tuple[Reading, Path, Path]]) -> Path:
    """Lay tables, page and the folders of all models in ``benchmark/`` beside the project file, whole or not at all."""
    target = project.folder / FOLDER
    with whole_folder(target, replace=True) as part:
        for item in sorted(results.iterdir()):
            if item.name not in _OWN:
                shutil.copyfile(item, part / item.name)
        for reading, _, decisions in made:
            if (decisions / EVENTS).is_dir():
                shutil.copytree(decisions / EVENTS, part / MODELS / reading.model.name / reading.window_name)
    return target


def _about(context: Context, made: Sequence[tuple[Reading, Path, Path]], overlap: Overlap, mark: str) -> dict[str, Any]:
    truth = read_benchmark(context.inputs[INDEX], context.project.settings.benchmark.tape)
    left_out = {}
    for reading, scores, _ in made:
        for key, reason in left_out_of(scores).items():
            left_out[f"{reading.name}: {truth.recordings[key].path}"] = reason
    return {
        "title": context.project.settings.project.name,
        "readings": [reading.name for reading, _, _ in made],
        "recordings": len(truth.ids),
        "tapes": len(set(truth.tapes.values())),
        "tape": context.project.settings.benchmark.tape,
        "hours": round(truth.hours, 6),
        "known_in_part": len(truth.known),
        "annotations": len(truth.annotations),
        "labels": list(truth.labels),
        "overlap": {
            **overlap.to_json(),
            "mark": mark,
            "overlaps": mark == OVERLAPS,
            "unchecked_mark": mark == UNCHECKED,
        },
        "left_out": left_out,
        "criteria": [name for name, _ in context.project.settings.benchmark.criteria],
    }


def read_about(folder: Path) -> dict[str, Any]:
    """``benchmark.json`` of a folder of results."""
    found: dict[str, Any] = read_json(folder / ABOUT)
    return found
