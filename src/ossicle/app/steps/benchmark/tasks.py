"""The tasks of a benchmark: each is one command line, and runs after those it needs on any machine with the data.

The tasks are ``index``, then ``score:MODEL:WINDOW`` (this one needs the GPU) and ``decide:MODEL:WINDOW`` for every
reading, then ``metrics``, which writes ``benchmark/`` to the project folder. Tasks of different readings run in
parallel. Each task makes one artefact, whole or absent, under that artefact's own lock. A finished task is skipped.
``ossicle benchmark`` runs the same tasks one after the other, so its results are equal to the byte.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.project.places import refuse_links
from ossicle.app.steps.benchmark import results
from ossicle.app.steps.benchmark.decisions import decisions_step
from ossicle.app.steps.benchmark.index import STEP as INDEX_STEP
from ossicle.app.steps.benchmark.index import read_benchmark, training_overlap
from ossicle.app.steps.benchmark.judged import judged_labels, unknown_labels_mark
from ossicle.app.steps.benchmark.models import Opened, open_reading, readings
from ossicle.app.steps.benchmark.scores import scores_step
from ossicle.app.steps.engine.step import Progress, Step, compute, fingerprint
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.logs.runlog import Outcome
from ossicle.artefacts.logs.shared_runlog import data_root_log
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.benchmark import BenchmarkDecisionsFolder, BenchmarkResultsFolder
from ossicle.artefacts.typed.index import BenchmarkIndexFolder
from ossicle.artefacts.typed.scores import BenchmarkScoresFolder
from ossicle.core.errors import UsageError
from ossicle.corpus.health.corpus_overlap import Overlap
from ossicle.corpus.indexing.index_storage import read_index

SCORING, EVALUATION = "benchmark_scores", "benchmark_evaluation"
INDEX_TASK, SCORE, DECIDE, METRICS_TASK = "index", "score", "decide", "metrics"

Made = list[results.MadeReading]


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its name, its command line (after ``ossicle``), the tasks it needs, and its step.

    ``step`` names the table of ``[jobs]`` that places such work: :data:`SCORING` or :data:`EVALUATION`.
    """

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...]
    step: str


@dataclass(frozen=True)
class Finished:
    """A finished benchmark: its folder in the project folder, the outcome of each task, and what was lost."""

    folder: Path
    outcomes: Mapping[str, str]
    seconds: Mapping[str, float]
    lost: tuple[str, ...]


def benchmark_tasks(project: Project, options: Sequence[str] = (), overrides: Sequence[str] = ()) -> list[Task]:
    """List all tasks in an order in which they can run one after the other.

    Parameters
    ----------
    project
        The project with a ``[benchmark]`` table. Bundles of its variants may be missing.
    options
        Options to add to every command line, such as ``--set``.
    overrides
        The ``--set`` options that the project was loaded with.

    Returns
    -------
    list[Task]
        The tasks, each after those that it needs.
    """
    command = ("benchmark", "-p", str(project.file), *options)
    all_readings = readings(project, overrides)
    index = Task(INDEX_TASK, (*command, "--task", INDEX_TASK), (), EVALUATION)
    tasks = [index]
    for reading in all_readings:
        name = f"{SCORE}:{reading.name}"
        tasks.append(Task(name, (*command, "--task", name), (INDEX_TASK,), SCORING))
    for reading in all_readings:
        name = f"{DECIDE}:{reading.name}"
        tasks.append(Task(name, (*command, "--task", name), (INDEX_TASK, f"{SCORE}:{reading.name}"), EVALUATION))
    needs = tuple(f"{DECIDE}:{reading.name}" for reading in all_readings)
    tasks.append(Task(METRICS_TASK, (*command, "--task", METRICS_TASK), (INDEX_TASK, *needs), EVALUATION))
    return tasks


def run_benchmark(project: Project, progress: Progress, overrides: Sequence[str] = (), task: str = "") -> Finished:
    """Run the whole benchmark, or one task of it, and reuse what is finished.

    Parameters
    ----------
    project
        The project with a ``[benchmark]`` table.
    progress
        Where the steps report how far they are.
    overrides
        The ``--set`` options that the project was loaded with.
    task
        The name of the only task to run; empty runs all tasks.

    Raises
    ------
    UsageError
        There is no such task, a task that it needs is not finished, or the corpora overlap.
    """
    all_readings = readings(project, overrides)
    names = [task.name for task in benchmark_tasks(project, (), overrides)]
    if task and task not in names:
        raise UsageError(f"--task {task} does not exist; tasks: {', '.join(names)}")
    kind, _, name = task.partition(":")
    settings = project.settings.benchmark
    target = project.folder / results.FOLDER
    make_folder(project.data_root)
    refuse_links(project.data_root, (target,))
    results.refuse_foreign_results(project)
    # Report anything missing before hours of scoring.
    opened = [
        open_reading(reading, settings)
        for reading in all_readings
        if kind in ("", METRICS_TASK) or reading.name == name
    ]
    run = _Run(project, progress, tuple(overrides))
    index = run.index(make=kind in ("", INDEX_TASK))
    overlap, mark = run.overlap(index)
    truth = read_benchmark(index, settings.tape)
    for opened_reading in opened:
        judged_labels(truth, opened_reading, settings.labels)
    lost = _lost_recordings(index)
    finished_readings: Made = []
    for opened_reading in opened:
        scores = run.scores(opened_reading, index, make=kind in ("", SCORE))
        lost += [f"{opened_reading.reading.name}: {reason}" for reason in scores.left_out.values()]
        if kind != SCORE:
            unknown = unknown_labels_mark(settings.labels or truth.labels, opened_reading.bundle.labels)
            marks = "; ".join(each_mark for each_mark in (mark, unknown) if each_mark)
            decisions = run.decisions(opened_reading, index, scores, marks, make=kind in ("", DECIDE))
            finished_readings.append((opened_reading.reading, scores, decisions))
    if kind in ("", METRICS_TASK):
        run.results(index, finished_readings, overlap, mark)
    return Finished(target, run.outcomes, run.seconds, tuple(lost))


class _Run:
    """The tasks of one command with their results."""

    def __init__(self, project: Project, progress: Progress, overrides: tuple[str, ...]) -> None:
        self.project, self.progress, self.overrides = project, progress, overrides
        self.log = data_root_log(project.data_root)
        self.outcomes: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    def index(self, make: bool) -> BenchmarkIndexFolder:
        """Return the index of the benchmark corpus."""
        return BenchmarkIndexFolder(self._artefact_of_task(INDEX_TASK, INDEX_STEP, {}, make))

    def overlap(self, index: BenchmarkIndexFolder) -> tuple[Overlap, str]:
        """Return what the benchmark shares with the models' training data; raises UsageError if that is not allowed."""
        return training_overlap(self.project, index, self.progress, self.overrides)

    def scores(self, opened: Opened, index: BenchmarkIndexFolder, make: bool) -> BenchmarkScoresFolder:
        """Return the scores of a reading."""
        task, needs = f"{SCORE}:{opened.reading.name}", {index.step: index.path}
        return BenchmarkScoresFolder(self._artefact_of_task(task, scores_step(opened), needs, make))

    def decisions(
        self, opened: Opened, index: BenchmarkIndexFolder, scores: BenchmarkScoresFolder, mark: str, make: bool
    ) -> BenchmarkDecisionsFolder:
        """Return the figures and events of a reading."""
        task, needs = f"{DECIDE}:{opened.reading.name}", {index.step: index.path, scores.step: scores.path}
        return BenchmarkDecisionsFolder(self._artefact_of_task(task, decisions_step(opened, mark), needs, make))

    def results(self, index: BenchmarkIndexFolder, readings: Made, overlap: Overlap, mark: str) -> Path:
        """Join the tables of all readings and return their folder in the project folder."""
        contents = [decisions.content for _, _, decisions in readings]
        step = results.results_step(readings, contents, overlap, mark)
        results_folder = BenchmarkResultsFolder(
            self._artefact_of_task(METRICS_TASK, step, {index.step: index.path}, True)
        )
        with work_unit_lock(self.project.data_root, "benchmark", math.inf):
            return results.publish(self.project, results_folder, readings)

    def _artefact_of_task(self, task: str, step: Step, artefacts: Mapping[str, Path], make: bool) -> Path:
        """Return the artefact of a task; compute it if ``make`` is set, else raise UsageError if it is missing."""
        shelf, began = Shelf(self.project.data_root), time.monotonic()
        made_from = fingerprint(step, self.project, shelf, artefacts)
        artefact = shelf.find(made_from)
        if artefact is None and not make:
            raise UsageError(f"the task {task} must be done first: ossicle benchmark ... --task {task}")
        if not make and artefact is not None:
            return artefact
        self.progress.begin(task)
        outcome: Outcome = "computed" if artefact is None else "reused"
        # Readings of equal models share an artefact: the second process waits for the first, however long it takes.
        path = artefact or compute(step, made_from, shelf, self.project, self.progress, artefacts, {}, False, math.inf)
        self.outcomes[task], self.seconds[task] = outcome, time.monotonic() - began
        self.log.work_unit(step.name, made_from.digest, outcome, self.seconds[task])
        self.progress.end(task, outcome, self.seconds[task])
        return path


def _lost_recordings(index: BenchmarkIndexFolder) -> list[str]:
    """Return the recordings that the benchmark leaves out or reads only in part."""
    corpus_index = read_index(index)
    losses = [f"{left_out.path}: left out: {left_out.reason}" for left_out in corpus_index.left_out]
    return losses + [
        f"{recording.path}: partial: {recording.reason}"
        for recording in corpus_index.recordings
        if recording.status == "partial"
    ]
