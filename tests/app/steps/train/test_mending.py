"""Which training a fine-tuning starts from, and what a refused run says of it."""

import json
import shlex
from pathlib import Path

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.progress import make_progress
from ossicle.app.steps.engine.step import Done
from ossicle.app.steps.pipeline.run_project import refusal_of, run_project
from ossicle.app.steps.train import training
from ossicle.app.steps.train.mending import finished_training, mending_command
from ossicle.artefacts.files import write_json
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.metrics.noise.noise_gate import Firing, NoiseGateSettings, judge

from ....made_up.untrained import PROJECT, write_tapes

LOUD = Firing("white_noise", "-20 dBFS", "call", 60.0, 4, 0.4)
MINED = Firing("recordings", "reviewed empty", "call", 3600.0, 400, 0.4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mending")
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT)
    return place


@pytest.fixture
def models(tmp_path: Path) -> TrainingFolder:
    """Three models whose epochs took 6 s each."""
    for name in ("fold0", "fold1", "final"):
        (tmp_path / "training" / name).mkdir(parents=True)
        lines = [json.dumps({"epoch": epoch, "seconds": 6.0}) for epoch in range(4)]
        (tmp_path / "training" / name / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return TrainingFolder(tmp_path / "training")


def refused(place: Path, firing: Firing, models: TrainingFolder) -> Done:
    judged = judge([firing], NoiseGateSettings())
    gate = {"passed": False, "limits": {"active_share": 0.05}, "firings": [one.to_json() for one in judged]}
    (place / "noise_gate").mkdir()
    write_json(place / "noise_gate" / "metrics.json", {"gate": gate})
    return Done({"noise_gate": place / "noise_gate", "training": models.path}, {}, {})


@pytest.mark.usefixtures("without_training")
def test_the_same_training_without_the_fine_tuning_is_found(folder: Path) -> None:
    with make_progress("none") as shown:
        done = run_project(load_project(folder), shown, until="training")
    inputs = {name: done.artefacts[name] for name in training.STEP.needs}

    def found(*sets: str) -> TrainingFolder | None:
        return finished_training(training.STEP, load_project(folder, sets), inputs)

    made = found("training.noise_epochs=3")
    assert made is not None
    assert made.path == done.artefacts["training"]
    # Where it runs does not matter; what it learns does.
    assert found("training.noise_epochs=7", "training.parallel=1") is not None
    assert found("training.noise_epochs=3", "training.learning_rate=0.001") is None
    assert found("training.noise_epochs=3", "training.seed=4") is None


def test_a_refused_run_says_which_command_mends_it_and_what_it_costs(
    folder: Path, tmp_path: Path, models: TrainingFolder
) -> None:
    project = load_project(folder)
    result = str(refusal_of(project, refused(tmp_path, LOUD, models)))
    assert len(result.splitlines()) == 1
    # 80 epochs: an eighth of them, 10, of three models, three at a time, with a quarter of noise instead of an eighth.
    command = f"ossicle run -p {project.file} --set training.noise_epochs=10"
    assert f". {command} fine-tunes all models against noise in about 1 min; if it may fire there, raise " in result


def test_the_estimate_grows_with_models_and_epochs(folder: Path, models: TrainingFolder) -> None:
    def said(*sets: str) -> str:
        return mending_command(load_project(folder, sets), models)

    assert said("training.epochs=800", "training.parallel=1").endswith("noise in about 33 min")
    assert said("training.epochs=800", "training.parallel=3").endswith("noise in about 11 min")
    assert "noise_epochs=2 " in said("training.epochs=4")
    for name in ("fold0", "fold1", "final"):
        (models.path / name / "metrics.jsonl").unlink()
    assert said().endswith("fine-tunes all models against noise")


def test_a_second_mending_is_longer_and_options_of_the_run_are_recalled(folder: Path, models: TrainingFolder) -> None:
    plain: Project = load_project(folder)
    assert "other --set options" not in mending_command(plain, models)
    again = mending_command(load_project(folder, ("training.noise_epochs=10",)), models)
    assert "training.noise_epochs=20 (with the other --set options of this run)" in again


def test_heads_on_an_encoder_are_mended_by_more_crops_of_noise(
    folder: Path, tmp_path: Path, models: TrainingFolder
) -> None:
    heads = ('encoder.name="acoustic"', 'evaluation.criterion="recording"', "chunks.window_s=2.0", "chunks.step_s=2.0")
    done = refused(tmp_path, LOUD, models)
    result = str(refusal_of(load_project(folder, heads), done))
    assert len(result.splitlines()) == 1
    command = f"ossicle run -p {folder / 'ossicle.toml'} --set augment.noise_share=0.25 (with the other --set options "
    assert f". {command}of this run) fits all heads again, with more crops of noise; if it may fire there, " in result
    more = str(refusal_of(load_project(folder, (*heads, "augment.noise_share=0.2")), done))
    assert "--set augment.noise_share=0.4 " in more
    # There is nothing more to add: the general advice remains.
    most = str(refusal_of(load_project(folder, (*heads, "augment.noise_share=0.25")), done))
    assert "--set" not in most
    assert "Train with such sounds in reviewed-empty recordings" in most


def test_the_command_can_be_pasted_into_a_shell(tmp_path: Path, models: TrainingFolder) -> None:
    place = tmp_path / "my tapes; $(date)"
    place.mkdir()
    (place / "ossicle.toml").write_text(PROJECT + "[variants.long.training]\nepochs = 160\n")
    result = mending_command(load_project(place, variant="long"), models)
    words = shlex.split(result.partition(" fine-tunes")[0])
    expected = ["ossicle", "run", "-p", str(place / "ossicle.toml"), "--variant", "long"]
    assert words == [*expected, "--set", "training.noise_epochs=20"]


def test_false_alarms_on_recordings_are_not_mended_with_noise(
    folder: Path, tmp_path: Path, models: TrainingFolder
) -> None:
    result = str(refusal_of(load_project(folder), refused(tmp_path, MINED, models)))
    assert "noise_epochs" not in result
    assert "Train with such sounds in reviewed-empty recordings" in result
