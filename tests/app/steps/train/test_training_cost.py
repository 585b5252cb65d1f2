"""The number of trainings and their time are said before the first of them."""

from pathlib import Path

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.train.training_cost import about, trainings_in_words
from ossicle.training.optimisation import step_time

from ....made_up.untrained import PROJECT


def project(folder: Path, *overrides: str) -> Project:
    (folder / "ossicle.toml").write_text(PROJECT)
    return load_project(folder, overrides)


@pytest.fixture(autouse=True)
def half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_time, "step_seconds", lambda *settings: 0.5)


def test_models_times_epochs_times_steps(tmp_path: Path) -> None:
    result = trainings_in_words(project(tmp_path, "training.device=cpu", "training.parallel=1"), 300, 2, 1000)
    assert result.startswith("301 trainings (300 that hold out a fold, and the final one) of 80 epochs of 12 steps; ")
    # 301 x 80 x 12 steps of half a second, and a fifth on top.
    assert "about 2 days on cpu" in result
    assert result.endswith("at 0.5 s a step")


def test_an_epoch_may_be_one_pass_through_the_clips(tmp_path: Path) -> None:
    given = project(tmp_path, "training.steps_per_epoch=0", "training.batch_size=16", "training.device=cpu")
    assert "of 80 epochs of about 63 steps; " in trainings_in_words(given, 4, 2, 1000)


def test_networks_that_are_averaged_are_named(tmp_path: Path) -> None:
    result = trainings_in_words(project(tmp_path, "model.networks=3", "training.device=cpu"), 4, 2, 1000)
    assert result.startswith(
        "5 trainings (4 that hold out a fold, and the final one), each of 3 networks that are averaged, of 80 epochs"
    )


def test_what_cannot_be_estimated_is_said(tmp_path: Path) -> None:
    for place in ("slurm", "modal"):
        away = project(tmp_path, f"jobs.on={place}")
        result = trainings_in_words(away, 4, 2, 1000)
        assert result.endswith(f"on {place.capitalize()}, one task each; the time there is not estimated")
    gone = project(tmp_path, "training.device=cuda:99")
    assert "the time is not estimated: device 'cuda:99' is not available" in trainings_in_words(gone, 4, 2, 1000)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "1 min"), (5399, "90 min"), (5400, "1.5 h"), (100_000, "28 h"), (172_800, "2 days"), (3e7, "347 days")],
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert about(seconds) == words
