"""Jobs on a real Slurm: scripts/slurm_here.sh starts one. Run with `make test-slurm`; skipped where there is none."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.jobs.conduct import conduct
from ossicle.app.jobs.folder import PlanFolder, json_lines
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.scripts import write_scripts
from ossicle.app.jobs.slurm import queue
from ossicle.app.project.placement import StepPlacement

from ..hums import TEMPLATE, write_hums
from ..untrained import PROJECT, write_tapes

pytestmark = pytest.mark.slurm

OSSICLE = Path(sys.executable).parent / "ossicle"
TINY = """
[training]
epochs = 2
steps_per_epoch = 2
batch_size = 4
validation_crops = 2
device = "cpu"
[noise_gate]
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
may_find_nothing = true
[jobs]
poll_s = 0.5
[jobs.training]
partition = "gpu"
"""
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
    if shutil.which("sbatch") is None:
        pytest.skip("no sbatch here: scripts/slurm_here.sh start installs and starts a Slurm on Debian, as root")
    # Without a configuration it looks for one in the net, for a minute.
    if subprocess.run(["timeout", "10", "sinfo"], capture_output=True, check=False).returncode:
        pytest.skip("Slurm does not answer: scripts/slurm_here.sh start, and SLURM_CONF as it says")


def ossicle(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key != "OSSICLE_DATA_ROOT"}
    done = subprocess.run(
        [OSSICLE, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=170, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    return done


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
        [OSSICLE, "jobs", "status", "-p", str(project), "--json"], capture_output=True, text=True, env=env, check=False
    )
    return {f"{one['job']}/{one['task']['name']}": one for one in json.loads(done.stdout)}


def until(condition: Callable[[], bool], what: str, timeout_s: float = 100) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"it never came to it: {what}"
        time.sleep(0.2)


def same_results(one: Path, other: Path) -> None:
    assert (one / "metrics.json").read_bytes() == (other / "metrics.json").read_bytes()
    for name in ("bundle/weights.safetensors", "bundle/model.onnx"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_a_cancelled_array_goes_on_and_ends_as_a_run_here_does(prepared: Path, local: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(prepared, tmp_path / "the project"))
    said = ossicle("jobs", "submit", "-p", project, "--on", "slurm").stdout
    numbers = dict(line.split(": ", 1) for line in said.splitlines() if not line.startswith(("show", "cancel")))
    assert list(numbers) == ["training", "training.gather", "scores", "scores.gather", "decision-report"]
    states = project / "data" / "jobs" / "0001" / "state" / "training"
    until(
        lambda: any(json_lines(file)[-1:] and json_lines(file)[-1]["state"] == "done" for file in states.glob("*")),
        "one training done",
    )
    subprocess.run(["scancel", *numbers.values()], check=True)
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
        ["bash", "-c", found[f"training/{todo[0]}"]["command"]], env=env, capture_output=True, text=True, check=False
    )
    assert by_hand.returncode == 0, by_hand.stderr
    assert by_hand.stdout == f"training {todo[0]}: computed\n"

    ossicle("run", "-p", project, "--on", "slurm")
    again = {name: one["state"] for name, one in status(project).items()}
    assert set(again.values()) == {"done"}
    assert {name.partition("/")[2] for name in again if name.startswith("training/")} == set(todo[1:])
    # What was trained before was not trained again.
    for file, time_ns in weights.items():
        (kept,) = project.glob(f"data/training/[!.]*/{file.parent.name}/weights.safetensors")
        assert kept.stat().st_mtime_ns == time_ns
    same_results(project, local)


def test_trainings_there_and_the_rest_here_give_the_same(prepared: Path, local: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(prepared, tmp_path / "mixed"))
    said = ossicle("run", "-p", project, "--set", "jobs.training.on=slurm").stderr
    assert "training: 3 done" in said
    assert {name.partition("/")[0] for name in status(project)} == {"training", "training.gather"}
    log = (project / "data" / "jobs" / "0001" / "logs" / "training-0.log").read_text()
    assert "training fold0: computed" in log
    assert "training fold0: computed" in ossicle("jobs", "logs", "fold0", "-p", project).stdout
    same_results(project, local)


WORKER = """#!/bin/bash
echo "attempt of $1"
case "$2" in
    once) [ -e tried ] || { touch tried; exit 7; } ;;
    never) exit 5 ;;
    partial) exit 3 ;;
    long) [ -e saved ] && exit 0
        trap 'touch saved; exit 143' TERM
        touch begun
        for _ in $(seq 600); do sleep 0.1; done ;;
esac
"""


def made_up(tmp_path: Path, jobs: dict[str, tuple[tuple[str, ...], dict[str, str]]]) -> tuple[PlanFolder, JobPlan]:
    """A plan whose tasks run :data:`WORKER` in place of ``ossicle``."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ossicle").write_text(WORKER)
    (tools / "ossicle").chmod(0o755)
    placement = StepPlacement(on="slurm", gpus=0, partition="cpu", setup=(f'PATH={shlex.quote(str(tools))}:"$PATH"',))
    made = [
        Job(name, tuple(Task(one, ("ossicle", one, word)) for one, word in tasks.items()), needs, replace(placement))
        for name, (needs, tasks) in jobs.items()
    ]
    project = tmp_path / "a project"
    project.mkdir()
    folder, plan = PlanFolder(project / "jobs", project), JobPlan(tuple(made), attempts=2)
    write_scripts(folder, plan)
    return folder, plan


def test_what_fails_once_is_queued_again_and_what_keeps_failing_ends_the_rest(tmp_path: Path) -> None:
    folder, plan = made_up(
        tmp_path,
        {
            "first": ((), {"good": "x", "again": "once", "part": "partial"}),
            "second": (("first",), {"bad": "never"}),
            "third": (("second",), {"late": "x"}),
        },
    )
    states = conduct(folder, plan, lambda job: 1, lambda states: None, 0.5)
    found = {one.task.name: (one.state, one.attempt, one.code) for one in states}
    assert found == {
        "good": ("done", 1, 0),
        "again": ("done", 2, 0),
        "part": ("done", 1, 3),
        "bad": ("failed", 2, 5),
        "late": ("lost", 0, None),
    }
    assert [line["state"] for line in json_lines(folder.state(plan.jobs[0], 1))] == [
        "running",
        "again",
        "running",
        "done",
    ]
    assert folder.log(plan.jobs[0], 1).read_text().count("attempt of again") == 2


def test_before_the_wall_time_a_task_saves_its_state_and_goes_on(tmp_path: Path) -> None:
    folder, plan = made_up(tmp_path, {"long": ((), {"task": "long"})})
    warned = []

    def warn(states: object) -> None:
        if not warned and (folder.project / "begun").exists():
            # What Slurm does by itself a minute before the end.
            warned.append(folder.numbers()["long"])
            subprocess.run(["scancel", "--signal=USR1", "--batch", f"{warned[0]}_0"], check=True)

    (state,) = conduct(folder, plan, lambda job: 1, warn, 0.5)
    assert (state.state, state.attempt, state.code) == ("done", 2, 0)
    told = [(line["state"], line["code"]) for line in json_lines(folder.state(plan.jobs[0], 0))]
    assert told == [("running", None), ("limit", 143), ("running", None), ("done", 0)]
    assert {line["id"] for line in json_lines(folder.state(plan.jobs[0], 0))} == {f"{warned[0]}_0"}


def test_a_project_for_states_is_the_same_there(tmp_path: Path) -> None:
    """Features and heads are arrays of tasks, the other steps one task each."""
    write_hums(tmp_path / "audio", seconds=12.0)
    here, there = tmp_path / "here", tmp_path / "there"
    ossicle("new", "appliances", here, "--audio", tmp_path / "audio", "--template", f"{TEMPLATE}.wav")
    with (here / "ossicle.toml").open("a") as file:
        file.write(STATES)
    shutil.copytree(here, there)
    ossicle("run", "-p", here)
    said = ossicle("jobs", "submit", "-p", there, "--on", "slurm").stdout
    numbers = dict(line.split(": ", 1) for line in said.splitlines() if not line.startswith(("show", "cancel")))
    assert list(numbers) == ["features", "features.gather", "heads", "heads.gather", "state_scores-report"]
    until(lambda: not queue(list(numbers.values())), "an empty queue", timeout_s=150)
    assert {one["state"] for one in status(there).values()} == {"done"}
    # Everything is there: a run here only publishes it.
    done = json.loads(ossicle("run", "-p", there, "--json").stdout)
    assert set(done["outcomes"].values()) == {"reused"}
    assert (here / "metrics.json").read_bytes() == (there / "metrics.json").read_bytes()
    for name in ("bundle/head.onnx", "bundle/weights.safetensors", "heads/fold0/weights.safetensors"):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name
