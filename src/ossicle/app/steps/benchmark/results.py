"""Step ``benchmark-results``: join the tables of all readings, and write the page and the notebook about them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.steps.benchmark.folders import decision_file_patterns
from ossicle.app.steps.benchmark.index import NAME as INDEX
from ossicle.app.steps.benchmark.index import OVERLAPS, UNCHECKED, read_benchmark
from ossicle.app.steps.benchmark.models import Reading
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import whole_folder
from ossicle.artefacts.filesystem.changes import copy_file, copy_tree
from ossicle.artefacts.filesystem.replacing import refuse_foreign
from ossicle.artefacts.shelf import JOURNAL, MANIFEST, RUN_LOG
from ossicle.artefacts.typed.benchmark import BenchmarkDecisionsFolder, BenchmarkResultsFolder
from ossicle.artefacts.typed.index import BenchmarkIndexFolder
from ossicle.artefacts.typed.scores import BenchmarkScoresFolder
from ossicle.corpus.health.corpus_overlap import Overlap
from ossicle.evaluation.figures.benchmark import SCHEMAS, in_order
from ossicle.report.notebook import missing

STEP_VERSION = 5
NAME = BenchmarkResultsFolder.step
FOLDER = "benchmark"
MadeReading = tuple[Reading, BenchmarkScoresFolder, BenchmarkDecisionsFolder]
"""A reading with the artefacts of its scores and decisions."""
_OWN = frozenset({MANIFEST, JOURNAL, RUN_LOG, "logs"})


def results_step(readings: Sequence[MadeReading], contents: Sequence[str], overlap: Overlap, mark: str) -> Step:
    """Return the step that joins all readings; ``contents`` are the content digests of their decisions."""
    return Step(
        name=NAME,
        version=STEP_VERSION,
        needs=(INDEX,),
        settings=lambda project: {
            "tables": dict(zip((reading.name for reading, _, _ in readings), contents, strict=True)),
            "overlap": overlap.to_json(),
            "mark": mark,
            "notebook": not missing(),
            "title": project.settings.project.name,
            "tape": project.settings.benchmark.tape,
        },
        run=partial(run, readings, overlap, mark),
    )


def run(readings: Sequence[MadeReading], overlap: Overlap, mark: str, context: Context) -> None:
    """Write every table as CSV, what was evaluated, the page, and the notebook if Jupyter is installed."""
    tables = {
        name: in_order(name, pl.concat([decisions.table(name) for _, _, decisions in readings])) for name in SCHEMAS
    }
    output = context.own(BenchmarkResultsFolder)
    for name, rows in tables.items():
        output.write_table(name, rows)
    about = _about(context, readings, overlap, mark)
    output.write_summary(about)
    from ossicle.report.notebook import write_notebook
    from ossicle.report.pages.benchmark_page import write_benchmark_page

    context.progress.advance(0, 2, "notebook")
    has_notebook = write_notebook(output.notebook, output.path)
    context.progress.advance(1, 2, "page")
    write_benchmark_page(output.page, tables, about, notebook=output.notebook.name if has_notebook else "")


def refuse_foreign_results(project: Project) -> None:
    """Check that ``benchmark/`` in the project folder holds nothing but results of a benchmark.

    Parameters
    ----------
    project
        The project.

    Raises
    ------
    UsageError
        It holds files of the user, such as the recordings of the benchmark.
    """
    published = BenchmarkResultsFolder(Path())
    files = (published.summary_file, published.page, published.notebook, *map(published.table_file, SCHEMAS))
    of_models = [f"{published.models.name}/**/{pattern}" for pattern in decision_file_patterns()]
    refuse_foreign(
        project.folder / FOLDER,
        [*(file.name for file in files), *of_models],
        f"move it out of there: a benchmark writes its results to {FOLDER}/ beside the project file",
    )


def publish(project: Project, results: BenchmarkResultsFolder, readings: Sequence[MadeReading]) -> Path:
    """Copy tables, page and the folders of all models to ``benchmark/`` in the project folder, all or nothing."""
    refuse_foreign_results(project)
    target = project.folder / FOLDER
    with whole_folder(target, replace=True) as part:
        for item in sorted(results.path.iterdir()):
            if item.name not in _OWN:
                copy_file(item, part / item.name)
        for reading, _, decisions in readings:
            if decisions.events.is_dir():
                reading_folder = BenchmarkResultsFolder(part).models / reading.model.name / reading.window_name
                copy_tree(decisions.events, reading_folder)
    return target


def _about(context: Context, readings: Sequence[MadeReading], overlap: Overlap, mark: str) -> dict[str, Any]:
    truth = read_benchmark(context.read(BenchmarkIndexFolder), context.project.settings.benchmark.tape)
    left_out = {}
    for reading, scores, _ in readings:
        for key, reason in scores.left_out.items():
            left_out[f"{reading.name}: {truth.recordings[key].path}"] = reason
    return {
        "title": context.project.settings.project.name,
        "readings": [reading.name for reading, _, _ in readings],
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
