"""A small project whose first steps are done, copied for each test."""

import shutil
from pathlib import Path

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project

from ....made_up.untrained import PROJECT, use_steps, write_tapes
from .untrained import steps


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("units")
    write_tapes(place, ("siteA_1", "siteB_1", "siteC_1"))
    (place / "ossicle.toml").write_text(PROJECT)
    run_project(load_project(place), Silent(), until="store")
    return place


@pytest.fixture
def project(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    use_steps(monkeypatch, steps())
    return load_project(Path(shutil.copytree(prepared, tmp_path / "project")))
