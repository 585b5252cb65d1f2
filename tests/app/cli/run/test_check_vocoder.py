"""``ossicle check`` of a project with a vocoder: who is held out, how long it takes, and what stops it."""

import importlib.util
from pathlib import Path

import pytest

from ossicle.app.steps.pipeline.preview import vocoder as preview
from ossicle.app.steps.train.training_cost import about
from ossicle.training.vocoder.presets import vocoder_preset

from ....made_up.speech_like import UNITS_PROJECT, write_speech
from ...conftest import Commands

PROJECT = f"""{UNITS_PROJECT}[vocoder]
preset = "small"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_speech(tmp_path_factory.mktemp("check"), speakers=3, files=1, words=2)
    (folder / "ossicle.toml").write_text(PROJECT)
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An estimate that trains nothing."""
    monkeypatch.setattr("ossicle.training.vocoder.step_time.vocoder_step_seconds", lambda *given: 0.5)


def test_roles_and_time_are_said(project: Path, ossicle: Commands) -> None:
    result = ossicle("check", "-p", project)
    assert result.code == 0, result.err
    assert "1 speaker trains (speaker0), 1 speaker chooses the epoch (speaker1), 1 speaker is judged" in result.out
    preset = vocoder_preset("small")
    steps = preset["epochs"] * -(-preset["draws"] // 16)
    length = f"at 16000 Hz; at most {preset['epochs']} epochs, {steps} steps"
    assert f"{length}; at most about {about(steps * 0.5)} on cpu, at 0.5 s a step" in result.out
    assert "pitch" in ossicle("status", "-p", project).out


def test_few_groups_are_a_warning_and_few_recordings_stop_the_run(project: Path, ossicle: Commands) -> None:
    two = write_speech(project / "two", speakers=2, files=2, words=1)
    (two / "ossicle.toml").write_text(PROJECT)
    result = ossicle("check", "-p", two)
    assert result.code == 0
    assert "1 recording is judged (speaker1_1.wav)" in result.out
    assert "too few groups by speaker to hold any out, so all voices are known" in result.out
    (project / "few" / "audio").mkdir(parents=True)
    for name in ("speaker0_0.wav", "speaker1_0.wav"):
        (project / "few" / "audio" / name).write_bytes((project / "audio" / name).read_bytes())
    (project / "few" / "ossicle.toml").write_text(PROJECT)
    result = ossicle("check", "-p", project / "few")
    assert result.code == 2
    assert 'there are 2 recordings; add recordings, cut this one into files, or set preset = ""' in result.out


def test_an_unknown_group_and_preset_are_named(project: Path, ossicle: Commands) -> None:
    result = ossicle("check", "-p", project, "--set", "vocoder.judge=eve")
    assert result.code == 2
    assert "[vocoder] judge = 'eve': no speaker with segments has this name" in result.out
    result = ossicle("check", "-p", project, "--set", "vocoder.preset=tiny")
    assert result.code == 2
    assert "[vocoder] preset: no vocoder preset is called 'tiny'" in result.err


def test_without_torch_the_extra_is_named_before_a_run(
    project: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "torch" else found(name, *more)
    )
    result = ossicle("check", "-p", project)
    assert result.code == 2
    assert "missing: torch; pip install 'ossicle[train]'" in result.out
    assert "the time is not estimated, because torch is not installed" in result.out


def test_a_training_on_slurm_has_no_estimate(project: Path, ossicle: Commands) -> None:
    result = ossicle("check", "-p", project, "--set", "jobs.vocoder.on=slurm")
    assert "it trains on Slurm; the time there is not estimated" in result.out
    assert preview.WHAT == "vocoder"
