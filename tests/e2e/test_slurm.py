"""Projects on a real Slurm, which scripts/slurm_here.sh starts. Run with `make test-slurm`; skipped without one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.jobs.folder import json_lines
from ossicle.app.jobs.modal import connection
from ossicle.app.jobs.slurm.runner import queue
from ossicle.app.steps.pipeline.pipelines import PIPELINES

from ..app.conftest import Commands
from ..app.jobs.modal.test_runs import mixed
from ..app.steps.pipeline import toy
from ..doubles.modal_double import ModalDouble
from ..made_up.hums import TEMPLATE, write_hums
from ..made_up.untrained import PROJECT, write_tapes
from .on_slurm import OSSICLE, TINY, ossicle, require_slurm, until

pytestmark = pytest.mark.slurm

STATES = """
[head]
epochs = 4
hidden = 0
[state_decision]
smoothings = ["none"]
frames = [1]
debounce = [1]
hysteresis = [0.0]
holds_s = [0.0]
switches = 20
[evaluation]
bootstrap = 100
[jobs]
poll_s = 0.5
"""


@pytest.fixture(scope="module", autouse=True)
def a_slurm() -> None:
    require_slurm()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of two tapes whose store is built, in a folder whose name asks for quotes."""
    place = tmp_path_factory.mktemp("slurm") / "it's here"
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT + TINY)
    ossicle("run", "-p", place, "--until", "store")
    return place


@pytest.fixture(scope="module")
def local(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same project, run here."""
    place = Path(shutil.copytree(prepared, tmp_path_factory.mktemp("local") / "project"))
    ossicle("run", "-p", place)
    return place


def status(project: Path) -> dict[str, Any]:
    # Exit code 1 says that a task ended badly, which some tests are about.
    env = {key: value for key, value in os.environ.items() if key != "OSSICLE_DATA_ROOT"}
    done = subprocess.run(
        [OSSICLE, "jobs", "status", "-p", str(project), "--json"],
        capture_output=True,
        text=True,
        env=env,
        check=False,
        timeout=170,
    )
    return {f"{entry['job']}/{entry['task']['name']}": entry for entry in json.loads(done.stdout)}


def same_results(one: Path, other: Path) -> None:
    assert (one / "metrics.json").read_bytes() == (other / "metrics.json").read_bytes()
    for name in ("bundle/weights.safetensors", "bundle/model.onnx"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_a_cancelled_array_goes_on_and_ends_as_a_run_here_does(prepared: Path, local: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(prepared, tmp_path / "the project"))
    result = ossicle("jobs", "submit", "-p", project, "--on", "slurm").stdout
    numbers = dict(line.split(": ", 1) for line in result.splitlines() if not line.startswith(("show", "cancel")))
    assert list(numbers) == ["training", "training.gather", "scores", "scores.gather", "decision-report"]
    states = project / "data" / "jobs" / "0001" / "state" / "training"
    until(
        lambda: any(json_lines(file)[-1:] and json_lines(file)[-1]["state"] == "done" for file in states.glob("*")),
        "one training done",
    )
    subprocess.run(["scancel", *numbers.values()], check=True, timeout=60)
    until(lambda: not queue(list(numbers.values())), "an empty queue")
    found = status(project)
    done = [name.partition("/")[2] for name, one in found.items() if one["state"] == "done"]
    left = [
        name.partition("/")[2] for name, one in found.items() if name.startswith("training/") and one["state"] != "done"
    ]
    assert done
    assert left
    assert {found[f"training/{name}"]["state"] for name in left} <= {"cancelled", "lost"}
    weights = {file: file.stat().st_mtime_ns for file in project.glob("data/training/.work-*/*/weights.safetensors")}
    assert {file.parent.name for file in weights} >= set(done)

    # One task by hand, from its printed command. One that was cancelled may have had its weights written.
    todo = [name for name in left if name not in {file.parent.name for file in weights}]
    assert todo, "every training was done before it could be cancelled: the test needs a slower one"
    env = {**os.environ, "PATH": f"{OSSICLE.parent}:{os.environ['PATH']}"}
    by_hand = subprocess.run(
        ["bash", "-c", found[f"training/{todo[0]}"]["command"]],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert by_hand.returncode == 0, by_hand.stderr
    assert by_hand.stdout == f"training {todo[0]}: computed\n"

    ossicle("run", "-p", project, "--on", "slurm")
    again = {name: one["state"] for name, one in status(project).items()}
    assert set(again.values()) == {"done"}
    # If nothing but the commit of the step was left, there is no array.
    assert {name.partition("/")[2] for name in again if name.startswith("training/")} == set(todo[1:])
    # What was trained before was not trained again.
    for file, time_ns in weights.items():
        (kept,) = project.glob(f"data/training/[!.]*/{file.parent.name}/weights.safetensors")
        assert kept.stat().st_mtime_ns == time_ns
    same_results(project, local)


def test_trainings_there_and_the_rest_here_give_the_same(prepared: Path, local: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(prepared, tmp_path / "mixed"))
    result = ossicle("run", "-p", project, "--set", "jobs.training.on=slurm").stderr
    assert "training: 3 done" in result
    assert {name.partition("/")[0] for name in status(project)} == {"training", "training.gather"}
    log = (project / "data" / "jobs" / "0001" / "logs" / "training-0.log").read_text()
    assert "training fold0: computed" in log
    assert "training fold0: computed" in ossicle("jobs", "logs", "fold0", "-p", project).stdout
    same_results(project, local)


def test_a_project_for_states_is_the_same_there(tmp_path: Path) -> None:
    """Features and heads are arrays of tasks, the other steps one task each."""
    write_hums(tmp_path / "audio", seconds=12.0)
    here, there = tmp_path / "here", tmp_path / "there"
    ossicle("new", "appliances", here, "--audio", tmp_path / "audio", "--template", f"{TEMPLATE}.wav")
    with (here / "ossicle.toml").open("a") as file:
        file.write(STATES)
    shutil.copytree(here, there)
    ossicle("run", "-p", here)
    result = ossicle("jobs", "submit", "-p", there, "--on", "slurm").stdout
    numbers = dict(line.split(": ", 1) for line in result.splitlines() if not line.startswith(("show", "cancel")))
    assert list(numbers) == ["features", "features.gather", "heads", "heads.gather", "state_scores-report"]
    until(lambda: not queue(list(numbers.values())), "an empty queue", timeout_s=240)
    assert {one["state"] for one in status(there).values()} == {"done"}
    # Everything is there: a run here only publishes it.
    done = json.loads(ossicle("run", "-p", there, "--json").stdout)
    assert set(done["outcomes"].values()) == {"reused"}
    assert (here / "metrics.json").read_bytes() == (there / "metrics.json").read_bytes()
    for name in ("bundle/head.onnx", "bundle/weights.safetensors", "heads/fold0/weights.safetensors"):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_a_run_over_slurm_and_modal_equals_a_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real Slurm, and a double in place of Modal."""
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.setitem(PIPELINES, "toy", toy.PIPELINE)
    modal = ModalDouble(tmp_path / "volume", (sys.executable, toy.__file__))
    monkeypatch.setattr(connection, "connect", modal.named)
    try:
        mixed(tmp_path, Commands(monkeypatch, capsys), modal, {"counts": "slurm", "page": "modal"})
    finally:
        modal.close()
