"""``check`` says on which GPU with which driver a training runs, and where its figures go."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.pipeline.preflight import device as module
from ossicle.app.steps.pipeline.preflight.device import device_finding, tracking_finding
from ossicle.training.tracking import device_facts

PROJECT = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def project(folder: Path, *overrides: str) -> Project:
    return load_project(folder, ("training.device=cpu", *overrides))


@pytest.mark.parametrize(
    ("gpus", "driver", "warns", "words"),
    [
        (["NVIDIA H200"], "NVRM version: 550.1", False, "GPUs: NVIDIA H200; driver: NVRM version: 550.1"),
        ([], "NVRM version: 550.1", True, "torch sees no GPU: install a build of torch with CUDA"),
        ([], "", False, "training runs on: cpu; no GPU driver"),
    ],
)
def test_gpus_and_their_driver_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, gpus: list[str], driver: str, warns: bool, words: str
) -> None:
    monkeypatch.setattr(device_facts, "device_facts", lambda: {"gpus": gpus})
    monkeypatch.setattr(module, "gpu_driver", lambda: driver)
    finding = device_finding(project(folder))
    assert (finding.ok, finding.warns) == (True, warns)
    assert words in finding.message


def test_a_device_that_is_not_there_blocks(folder: Path) -> None:
    finding = device_finding(load_project(folder, ("training.device=cuda:99",)))
    assert (finding.ok, finding.blocks) == (False, True)


def test_the_mode_of_tracking_is_told_and_a_missing_package_blocks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tracking_finding(project(folder)).message == "metrics.jsonl of each training, and tensorboard"
    assert "alone" in tracking_finding(project(folder, "tracking.to=[]")).message
    wandb = ('tracking.to=["wandb"]',)
    assert "offline, nothing is sent before `ossicle track sync`" in tracking_finding(project(folder, *wandb)).message
    assert "sent during training" in tracking_finding(project(folder, *wandb, "tracking.mode=online")).message
    find = importlib.util.find_spec

    def without_wandb(name: str, *more: Any) -> Any:
        return None if name == "wandb" else find(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without_wandb)
    finding = tracking_finding(project(folder, *wandb))
    assert (finding.ok, finding.blocks) == (False, True)
    assert "pip install 'ossicle[wandb]'" in finding.message


@pytest.mark.parametrize("place", ["slurm", "modal"])
def test_a_device_elsewhere_is_not_looked_for_here(place: str, folder: Path) -> None:
    finding = device_finding(load_project(folder, ("training.device=cuda:99", f"jobs.on={place}")))
    assert finding.ok
    assert finding.message.startswith(f"training runs on {place.capitalize()}; the job checks there")
