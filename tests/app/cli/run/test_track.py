"""``ossicle track``: the trainings of a project, and their upload; `run` and `train` say what curves show."""

import json
import socket
from pathlib import Path

import pytest

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.training.tracking import upload as upload_module

from ....doubles.wandb_files import offline_run
from ....made_up.untrained import PROJECT, write_tapes
from ...conftest import Commands

STUCK = [
    {"epoch": e, "train_loss": max(1.2, 2.0 - 0.1 * e), "samples_per_s": 50.0, "data_wait": 0.1} for e in range(30)
]
VALIDATED = {"val_loss": 0.5, "val_accuracy": 0.75, "labels": {"call": {"f1": 0.8, "recall": 0.7}}}
TRACKING = '[tracking]\ngroup = "probe"\ntags = ["first"]\n'


@pytest.fixture
def project(tmp_path: Path, without_training: None, ossicle: Commands) -> Path:
    """A project with trained variant, whose trainings got stuck."""
    write_tapes(tmp_path, ("siteA_1", "siteB_1", "siteC_1"))
    (tmp_path / "ossicle.toml").write_text(PROJECT + TRACKING)
    assert ossicle("train", "-p", tmp_path, "--progress", "none").code == 0
    for run in run_folders(tmp_path):
        for line in STUCK:
            run.log_epoch(line | (VALIDATED if line["epoch"] == 29 else {}))
    return tmp_path


def run_folders(project: Path) -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(project.glob("data/training/*/*/weights.safetensors"))]


def test_show_lists_every_training_and_says_what_its_curves_show(project: Path, ossicle: Commands) -> None:
    result = ossicle("track", "show", "-p", project)
    assert result.code == 0
    assert "probe-final" in result.out
    assert "0.750" in result.out
    assert "training: early plateau" in result.out
    assert "likely cause: the network is too small" in " ".join(result.out.split())
    content = json.loads(ossicle("track", "show", "-p", project, "--json").out)
    assert [training["figures"] for training in content["trainings"]] == ["log"] * len(run_folders(project))
    assert content["trainings"][0]["tags"] == ["first"]
    assert content["trainings"][0]["last_validated"]["val_accuracy"] == 0.75
    assert len(content["notes"]) == 1


def test_train_and_run_say_it_too(project: Path, ossicle: Commands) -> None:
    assert "training: early plateau" in ossicle("train", "-p", project, "--progress", "none").out
    result = ossicle("run", "-p", project, "--until", "training", "--progress", "none", "--json")
    assert len(json.loads(result.out)["training_notes"]) == 1
    assert "training: early plateau" in ossicle("run", "training", "-p", project, "--progress", "none").out


def test_without_a_training_it_says_how_to_get_one(tmp_path: Path, ossicle: Commands) -> None:
    write_tapes(tmp_path, ("siteA_1", "siteB_1"))
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    result = ossicle("track", "show", "-p", tmp_path)
    assert (result.code, "ossicle train --help" in " ".join(result.out.split())) == (0, True)


def test_a_dry_run_and_a_missing_connection_upload_nothing(
    project: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(upload_module.socket, "create_connection", lambda *where, **how: asked.append(where))
    result = ossicle("track", "sync", "-p", project, "--dry-run")
    assert result.code == 0
    assert "would upload detector/probe-final" in result.out
    assert asked == []
    monkeypatch.undo()
    for name in upload_module._PROXIES:
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        result = ossicle("track", "sync", "-p", project, "--progress", "none")
    assert result.code == 1
    assert "cannot be reached" in result.err
    assert "nothing is lost" in result.err
    assert not any("uploaded" in run_folder.tracking for run_folder in run_folders(project))


def test_what_is_uploaded_is_written_from_the_log_and_uploaded_once(
    project: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Path] = []
    monkeypatch.setattr(upload_module, "require_server", lambda: None)
    monkeypatch.setattr(upload_module, "upload", sent.append)
    only = ("track", "sync", "-p", project, "--progress", "none")
    result = ossicle(*only)
    assert result.code == 0
    assert len(sent) == len(run_folders(project))
    found = offline_run(sent[0])
    assert (found.group, found.tags, len(found.history)) == ("probe", ("first",), 30)
    assert found.history[29]["f1/call"] == 0.8
    again = ossicle(*only)
    assert (again.code, again.out.strip()) == (0, "")
    assert "uploaded before" in again.err
    assert len(sent) == len(run_folders(project))
    # Another name is written and uploaded again, with the same id.
    ids = [run_folder.tracking["id"] for run_folder in run_folders(project)]
    assert ossicle(*only, "--set", "tracking.group=second").code == 0
    assert len(sent) == 2 * len(ids)
    assert offline_run(sent[-1]).group == "second"
    assert [run_folder.tracking["id"] for run_folder in run_folders(project)] == ids


def test_what_wandb_refuses_is_told_in_its_words(
    project: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "wandb"
    (folder / "offline-run-1-a").mkdir(parents=True)
    (folder / "offline-run-1-a" / "run-a.wandb").write_bytes(b"")
    command = project / "python"
    command.write_text(
        "#!/bin/sh\necho 'wandb: Syncing'\necho 'Error: No API key configured. Use `wandb login`.'\nexit 1\n"
    )
    command.chmod(0o755)
    monkeypatch.setattr(upload_module.sys, "executable", str(command))
    with pytest.raises(upload_module.OssicleError, match="No API key configured"):
        upload_module.upload(folder)
