"""``ossicle new units`` to figures, quantiser, motifs and a page, on synthetic syllables of two speakers."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ossicle.artefacts.filesystem.replacing import foreign_files
from ossicle.artefacts.typed.results.published import PUBLISHED_FILES
from ossicle.units.quantiser import Quantiser

from .conftest import ossicle
from .units_project import Finished, finished_project


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished_project(tmp_path_factory.mktemp("syllables"))


def metrics(project: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project / "metrics.json").read_text())
    return content


def test_units_agree_with_words_that_they_never_saw(finished: Finished) -> None:
    units = metrics(finished.folder)["units"]
    assert set(units["folds"]) == {"0", "1"}
    assert units["ami"]["value"] > 0.2
    assert abs(units["ami"]["chance"]) < 0.05
    for name in ("ami", "purity", "boundary_f", "r_value", "bitrate", "repeat_rate"):
        assert set(units[name]) >= {"value", "low", "high"}


def test_results_lie_beside_the_project(finished: Finished) -> None:
    assert Quantiser.read(finished.folder / "quantiser").k == 12
    assert foreign_files(finished.folder / "quantiser", PUBLISHED_FILES["quantiser"]) == []
    assert (finished.folder / "report.html").stat().st_size > 10_000
    with (finished.folder / "motifs.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert rows
    again = ossicle("run", "-p", finished.folder)
    assert again.returncode == 0, again.stderr
    assert "computed" not in again.stdout
    assert "AMI with words" in again.stdout
    board = ossicle("leaderboard", "-p", finished.folder)
    assert board.returncode == 0, board.stderr
    assert "AMI" in board.stdout


def test_a_file_is_encoded_by_the_published_quantiser(finished: Finished) -> None:
    file = finished.home / "audio" / "speaker0_0.wav"
    completed = ossicle("units", "encode", finished.folder / "quantiser", file, "--json")
    assert completed.returncode == 0, completed.stderr
    assert json.loads(completed.stdout)


def test_without_words_the_figures_that_need_them_are_left_out(finished: Finished) -> None:
    project = finished.home / "q"
    new = ossicle("new", "units", project, "--audio", finished.home / "audio")
    assert new.returncode == 0, new.stderr
    run = ossicle("run", "-p", project, "--until", "quality", "--set", "quantiser.k=8")
    assert run.returncode == 0, run.stderr
    units = metrics(project)["units"]
    assert "ami" not in units
    assert units["bitrate"]["value"] > 0
