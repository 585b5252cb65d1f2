"""The health of a project: what the corpus report says, and what the gates of ``[health]`` say of its annotations.

This is not a step: limits may change without anything being computed again.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.app.project.load import Project
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.input_problems import Loss, losses
from ossicle.app.steps.engine.step import Progress, find_steps
from ossicle.app.steps.pipeline.pipeline import with_needs
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.records.record_tables import ANNOTATION_SCHEMA, RECORDING_SCHEMA
from ossicle.artefacts.tables import TableColumns, read_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.corpus.health.findings import NO_ANNOTATIONS
from ossicle.corpus.health.gates.comparison import EarlierReport
from ossicle.corpus.health.gates.corpus_columns import corpus_columns
from ossicle.corpus.health.gates.gates import Gate
from ossicle.corpus.health.gates.judgement import HealthJudgement, judge_health
from ossicle.corpus.health.gates.totals import Total
from ossicle.corpus.health.report import health
from ossicle.corpus.health.sound_problems import without_front_end
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import read_index


@dataclass(frozen=True)
class ProjectHealth:
    """The health of a project.

    Attributes
    ----------
    report
        Counts and problems of recordings and annotations, as plain values.
    judgement
        The figures of the annotations, and the gates.
    losses
        What a run cannot use; also that there is nothing to learn, where no recording has an annotation.
    """

    report: dict[str, Any]
    judgement: HealthJudgement
    losses: tuple[Loss, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values: those of the report, then those of the judgement."""
        return self.report | self.judgement.to_json()


def project_health(project: Project, progress: Progress, earlier: EarlierReport | None = None) -> ProjectHealth:
    """Return the health of a project, and first index its corpus if that is not done.

    Parameters
    ----------
    project
        The project with its limits.
    progress
        Where the step ``corpus`` reports how far it is.
    earlier
        An earlier report to compare with.
    """
    corpus_path = run_project(project, progress, until=corpus.STEP.name).artefacts[corpus.STEP.name]
    settings = project.settings
    folder = CorpusFolder(corpus_path)
    index = read_index(folder)
    report = health(index, rate=settings.frontend.rate, group=settings.split.group, hop_s=settings.plan.hop_s)
    pipeline = pipeline_of(project)
    if not pipeline.front_end(project):
        report = replace(report, problems=tuple(without_front_end(report.problems)))
    if not pipeline.learns_labels:
        report = replace(report, problems=tuple(entry for entry in report.problems if entry.code != NO_ANNOTATIONS))
    # Without any annotation no recording is used, which is no loss of the corpus step.
    unlabelled = [
        Loss(entry.code, project.file.name, entry.message, entry.remedy)
        for entry in report.problems
        if entry.code == NO_ANNOTATIONS
    ]
    column = TableColumns(folder.annotations_file, dict(ANNOTATION_SCHEMA))
    annotations = pl.DataFrame([column(name) for name in ("recording_id", "start_s", "end_s", "label")])
    recordings = read_table(folder.recordings_file, dict(RECORDING_SCHEMA))
    columns = corpus_columns(annotations, recordings, index.levels, folder.hits)
    totals = _dataset_total(project, annotations.height)
    # Only events of a manifest have ids.
    not_asked = ("repeated_ids",) if folder.hits is None else ()
    further = _manifest_total(index, settings.corpus.manifest_total)
    judgement = judge_health(columns, settings.health, totals, earlier, not_asked=not_asked, further=further)
    return ProjectHealth(report.to_json(), judgement, (*unlabelled, *losses(corpus_path)))


def _manifest_total(index: CorpusIndex, expected: int) -> list[Gate]:
    """Return the gate of the number of events, which was compared when the manifest was imported."""
    if not expected:
        return []
    reasons = tuple(note.message for note in index.notes if note.kind == "manifest_total")
    return [Gate("manifest_total", not reasons, f"{expected} events of the manifest are expected", reasons)]


def _dataset_total(project: Project, n_annotations: int) -> list[Total]:
    """Return how many annotations became targets, if the dataset is made and has annotations as targets."""
    steps = with_needs(pipeline_of(project).steps_of(project), (DatasetFolder.step,))
    dataset_path: Path | None = find_steps(steps, project).get(DatasetFolder.step)
    if dataset_path is None or not DatasetFolder(dataset_path).annotations_file.exists():
        return []
    targets = TableColumns(DatasetFolder(dataset_path).annotations_file, dict(ANNOTATION_SCHEMA))("start_s").len()
    remedy = (
        f"the dataset leaves out {n_annotations - targets} annotations; look at [dataset] quality_max and quality_min "
        "and at `ossicle dataset stats`, or raise health.max_left_out"
    )
    description = "annotations are targets of the dataset"
    return [Total("dataset", description, targets, n_annotations, remedy, project.settings.health.max_left_out)]
