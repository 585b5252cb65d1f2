"""Tasks as processes here: how many at a time, what fails, what is killed, and what Ctrl-C leaves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ossicle.app.jobs import conduct as conducting
from ossicle.app.jobs import runners
from ossicle.app.jobs.conduct import conduct, failures
from ossicle.app.jobs.folder import PlanFolder, json_lines
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.pool import LocalPool

from .worker import WORKER

Make = Callable[..., tuple[PlanFolder, JobPlan]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A plan of jobs, each ``name: (needs, {task: words})``, whose tasks are run by :data:`WORKER`."""
    worker = tmp_path / "worker.py"
    worker.write_text(WORKER)
    pool = LocalPool
    program = (sys.executable, "-S", str(worker))
    monkeypatch.setattr(runners, "LocalPool", lambda folder, attempts, cap, _: pool(folder, attempts, cap, program))

    def plan(jobs: dict[str, tuple[tuple[str, ...], dict[str, str]]], attempts: int = 3) -> tuple[PlanFolder, JobPlan]:
        made = [
            Job(name, tuple(Task(one, ("ossicle", one, *words.split())) for one, words in tasks.items()), needs)
            for name, (needs, tasks) in jobs.items()
        ]
        folder, out = PlanFolder(tmp_path / "plan", tmp_path), JobPlan(tuple(made), attempts)
        folder.make(out)
        return folder, out

    return plan


def run(folder: PlanFolder, plan: JobPlan, cap: int = 2) -> dict[str, tuple[str, int, int | None]]:
    states = conduct(folder, plan, lambda job: cap, lambda states: None, 1.0)
    return {
        f"{task_state.job}/{task_state.task.name}": (task_state.state, task_state.attempt, task_state.code)
        for task_state in states
    }


def notes(folder: PlanFolder) -> list[tuple[float, str, str]]:
    lines = [line.split() for line in (folder.project / "notes").read_text().splitlines()]
    return [(float(at), word, name) for at, word, name in lines]


@pytest.mark.parametrize("cap", [1, 2, 3])
def test_no_more_run_at_a_time_than_there_is_room_for(make: Make, cap: int) -> None:
    folder, plan = make({"a": ((), {f"t{number}": "sleep0.3" for number in range(5)})})
    assert set(run(folder, plan, cap).values()) == {("done", 1, 0)}
    running = most = 0
    for _, word, _ in notes(folder):
        running += 1 if word == "begin" else -1
        most = max(most, running)
    assert most == cap
    assert folder.log(plan.jobs[0], 3).read_text() == "said t3\n"


def test_jobs_begin_when_those_they_need_are_done(make: Make) -> None:
    folder, plan = make({"a": ((), {"a1": "sleep0.3", "a2": ""}), "b": (("a",), {"b1": ""}), "c": ((), {"c1": ""})})
    assert set(run(folder, plan).values()) == {("done", 1, 0)}
    order = [(word, name) for _, word, name in sorted(notes(folder))]
    assert order.index(("begin", "b1")) > order.index(("end", "a1"))
    assert order.index(("begin", "c1")) < order.index(("end", "a1"))


def test_what_fails_once_is_run_again_and_what_keeps_failing_is_told(make: Make) -> None:
    tasks = {"good": "", "once": "once", "never": "exit1", "wrong": "exit2", "partial": "exit3", "refused": "exit4"}
    folder, plan = make({"a": ((), {**tasks, "dead": "die"}), "b": (("a",), {"late": ""}), "c": ((), {"free": ""})})
    assert run(folder, plan) == {
        "a/good": ("done", 1, 0),
        "a/once": ("done", 2, 0),
        "a/never": ("failed", 3, 1),
        "a/wrong": ("failed", 1, 2),
        "a/partial": ("done", 1, 3),
        "a/refused": ("done", 1, 4),
        "a/dead": ("failed", 3, 128 + signal.SIGKILL),
        "b/late": ("waiting", 0, None),
        "c/free": ("done", 1, 0),
    }
    assert "late" not in {name for _, _, name in notes(folder)}
    problem = failures(folder, conducting.task_states(folder, plan, {}))
    assert problem is not None
    lines = str(problem).splitlines()
    assert lines[0] == "3 of 9 tasks failed:"
    assert f"a/never: failed (exit code 1); log {folder.log(plan.jobs[0], 2)}; by hand: cd " in lines[1]
    assert lines[1].endswith("&& ossicle never exit1")


def test_nothing_failed_is_no_problem(make: Make) -> None:
    folder, plan = make({"a": ((), {"t": ""})})
    run(folder, plan)
    assert failures(folder, conducting.task_states(folder, plan, {})) is None


def test_a_worker_killed_from_outside_is_run_again(make: Make) -> None:
    folder, plan = make({"a": ((), {"t": "sleep0.6"})})
    killed = []

    def kill(states: object) -> None:
        lines = json_lines(folder.state(plan.jobs[0], 0))
        if lines and not killed:
            killed.append(int(lines[0]["id"]))
            os.kill(killed[0], signal.SIGKILL)

    (state,) = conduct(folder, plan, lambda job: 1, kill, 1.0)
    assert (state.state, state.attempt, state.code) == ("done", 2, 0)
    assert [line["state"] for line in json_lines(folder.state(plan.jobs[0], 0))] == [
        "running",
        "again",
        "running",
        "done",
    ]


def test_ctrl_c_has_what_runs_save_its_state_and_leaves_nothing_behind(make: Make) -> None:
    folder, plan = make({"a": ((), {"t0": "sleep60", "t1": "sleep60", "t2": "sleep60"})})

    def interrupt(states: object) -> None:
        if (folder.project / "notes").exists() and len(notes(folder)) == 2:
            time.sleep(0.2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        conduct(folder, plan, lambda job: 2, interrupt, 1.0)
    assert sorted((word, name) for _, word, name in notes(folder)) == [
        ("begin", "t0"),
        ("begin", "t1"),
        ("saved", "t0"),
        ("saved", "t1"),
    ]
    states = conducting.task_states(folder, plan, {})
    assert [(task_state.state, task_state.code) for task_state in states] == [
        ("cancelled", 143),
        ("cancelled", 143),
        ("waiting", None),
    ]
    alive = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    assert str(folder.project / "worker.py") not in alive


def test_a_file_of_the_project_does_not_stand_for_a_module(tmp_path: Path) -> None:
    for name in ("ossicle.py", "numpy.py", "typer.py"):
        (tmp_path / name).write_text("open('gotcha', 'w')\n")
    folder, plan = PlanFolder(tmp_path / "plan", tmp_path), JobPlan((Job("a", (Task("t", ("ossicle", "--version")),)),))
    folder.make(plan)
    (state,) = conduct(folder, plan, lambda job: 1, lambda states: None, 1.0)
    assert state.state == "done"
    assert not (tmp_path / "gotcha").exists()
