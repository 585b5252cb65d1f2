"""A toy project, and a double of Modal in place of its library."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ossicle.app.jobs.modal import connection
from ossicle.app.steps.pipeline.pipelines import PIPELINES

from ....doubles.modal_double import ModalDouble
from ...steps.pipeline import toy
from .toy_runs import TEXTS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.setitem(PIPELINES, "toy", toy.PIPELINE)
    return toy.write_toy(tmp_path / "toy", **TEXTS)


@pytest.fixture
def modal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModalDouble]:
    double = ModalDouble(tmp_path / "volume", (sys.executable, toy.__file__))
    monkeypatch.setattr(connection, "connect", double.named)
    try:
        yield double
    finally:
        double.close()
