"""A project with a first round of pseudo-labels, trained once, and copies of it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.rounds.pseudo_labels import make_round
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.training.batches.pseudo import load_pseudo
from ossicle.training.detector.job import FitJob

from ....made_up.pseudo_corpus import train_here, write_corpus
from .pseudo_projects import training_of


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project trained on its labels, and its first round."""
    place = tmp_path_factory.mktemp("pseudo")
    write_corpus(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OSSICLE_DATA_ROOT", raising=False)
        train_here(patch)
        project = load_project(place)
        run_project(project, Silent(), until="training")
        make_round(project, Silent())
    return place


@pytest.fixture
def project(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    train_here(monkeypatch)
    return Path(shutil.copytree(first, tmp_path / "project"))


@pytest.fixture
def copied(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, whose further trainings find their windows and end with the weights of the first."""
    before = training_of(project, 'pseudo.rounds="none"')
    assert before is not None

    def fit_all(jobs: Sequence[FitJob], *rest: object) -> None:
        for job in jobs:
            assert job.pseudo is not None
            load_pseudo(job.pseudo, job.labels, job.plan, job.held_out, job.name)
            job.folder.mkdir(parents=True)
            shutil.copy(RunFolder(before / job.name).weights, RunFolder(job.folder).weights)

    monkeypatch.setattr("ossicle.training.detector.crossval.fit_all", fit_all)
    return project
