"""One training on all folds but one, and what a benchmark needs beside it to judge the fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.training.detector.job import FitJob


@dataclass(frozen=True)
class HeldOut:
    """A training that is to be done, or is, in ``job.folder``; ``ids`` are the recordings that it does not hear."""

    project: Project
    truth: Truth
    job: FitJob
    ids: tuple[str, ...]


def held_out(folder: Path, run: str, fold: int, sets: Sequence[str]) -> HeldOut:
    """The training ``run`` of the project in ``folder`` under ``sets``, without the recordings of ``fold``."""
    project = load_project(folder, tuple(sets))
    artefacts, settings = run_project(project, Silent(), until="store").artefacts, project.settings
    truth = read_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts))
    job = FitJob(
        folder=folder / "runs" / run,
        held_out=(fold,),
        dataset=DatasetFolder.among(artefacts),
        store=artefacts["store"],
        labels=truth.labels,
        plan=settings.plan,
        model=settings.model,
        front=settings.frontend,
        training=settings.training,
        augment=settings.augment,
        audio=project.audio_folder,
    )
    return HeldOut(project, truth, job, tuple(key for key in truth.ids if truth.folds[key] == fold))
