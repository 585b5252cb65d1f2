"""One suite for all runners: order, retries, output, what they say of tasks, and the end of cancelled ones."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ossicle.app.jobs.conduct import conduct
from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.modal import connection
from ossicle.app.jobs.runner import Runner
from ossicle.app.jobs.runners import how_to_cancel, runner_named, runners_of
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.jobs.state import TaskState, task_states
from ossicle.app.project.tables.placement import MODAL, PLACES, SLURM, StepPlacement
from ossicle.core.errors import OssicleError, UsageError

from ...doubles.modal_double import ModalDouble
from ...doubles.slurm_double import write_slurm
from .worker import WORKER

Tasks = Mapping[str, str]


@dataclass(frozen=True)
class Trial:
    """A runner, and plans whose tasks are run by :data:`WORKER`."""

    on: str
    folder: PlanFolder
    program: tuple[str, ...]
    setup: tuple[str, ...]
    place: Path
    """Where the tasks run."""

    def plan(self, jobs: Mapping[str, tuple[tuple[str, ...], Tasks]], attempts: int = 3, most: int = 0) -> JobPlan:
        """A plan of jobs, each ``name: (needs, {task: words})``, with its scripts."""
        place = StepPlacement(on=self.on, gpus=0, setup=self.setup, max_concurrent=most)
        made = tuple(
            Job(name, tuple(Task(one, ("ossicle", one, *words.split())) for one, words in tasks.items()), needs, place)
            for name, (needs, tasks) in jobs.items()
        )
        plan = JobPlan(made, attempts)
        write_scripts(self.folder, plan)
        return plan

    def run(self, plan: JobPlan) -> dict[str, TaskState]:
        """How each task ended."""
        states = conduct(self.folder, plan, lambda job: 2, lambda states: None, 0.2, program=self.program)
        return {task_state.task.name: task_state for task_state in states}

    def runner(self) -> Runner:
        """The runner as a command has it."""
        return runner_named(self.on, self.folder, 3, lambda job: 2, self.program)

    def notes(self) -> list[tuple[str, str]]:
        """What the tasks did, in order."""
        lines = [line.split() for line in (self.place / "notes").read_text().splitlines()]
        return [(word, name) for _, word, name in lines]


@pytest.fixture(params=PLACES)
def trial(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    worker, bin_ = tmp_path / "worker.py", tmp_path / "bin"
    worker.write_text(WORKER)
    program = (sys.executable, "-S", str(worker))
    write_slurm(bin_)
    (bin_ / "ossicle").write_text(f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n')
    (bin_ / "ossicle").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    project = tmp_path / "my project"
    project.mkdir()
    modal = ModalDouble(tmp_path / "volume", program)
    monkeypatch.setattr(connection, "connect", modal.named)
    place = modal.folder / "tasks" / "project" if request.param == MODAL else project
    try:
        yield Trial(request.param, PlanFolder(project / "plan", project), program, ("true",), place)
    finally:
        modal.close()


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_jobs_run_after_those_they_need_and_their_output_is_kept(trial: Trial) -> None:
    plan = trial.plan({"a": ((), {"a1": "sleep0.2", "a2": ""}), "b": (("a",), {"b1": ""})})
    assert trial.runner().logs(plan.jobs[0], 0) is None
    states = trial.run(plan)
    assert {(task_state.state, task_state.attempt, task_state.code) for task_state in states.values()} == {
        ("done", 1, 0)
    }
    order = trial.notes()
    assert order.index(("begin", "b1")) > max(order.index(("end", "a1")), order.index(("end", "a2")))
    for name, (job, index) in {"a1": (0, 0), "a2": (0, 1), "b1": (1, 0)}.items():
        assert trial.runner().logs(plan.jobs[job], index) == f"said {name}\n".encode()


def test_the_same_tasks_are_run_again_and_end_the_same(trial: Trial) -> None:
    tasks = {"good": "", "once": "once", "never": "exit1", "wrong": "exit2", "partial": "exit3"}
    plan = trial.plan({"a": ((), tasks), "b": (("a",), {"late": ""})})
    states = trial.run(plan)
    result = {
        name: (task_state.state, task_state.attempt, task_state.code)
        for name, task_state in states.items()
        if name != "late"
    }
    assert result == {
        "good": ("done", 1, 0),
        "once": ("done", 2, 0),
        "never": ("failed", 3, 1),
        "wrong": ("failed", 1, 2),
        "partial": ("done", 1, 3),
    }
    assert "late" not in {name for _, name in trial.notes()}


def test_what_needs_a_task_that_a_gate_refused_runs(trial: Trial) -> None:
    jobs = {"a": ((), {"refused": "exit4", "partial": "exit3"}), "b": (("a",), {"b1": "exit4", "b2": ""})}
    plan = trial.plan({**jobs, "c": (("b",), {"last": ""})})
    plan = replace(plan, jobs=tuple(replace(one, task_by_task=("a",)) if one.name == "b" else one for one in plan.jobs))
    write_scripts(trial.folder, plan)
    result = {
        name: (task_state.state, task_state.attempt, task_state.code) for name, task_state in trial.run(plan).items()
    }
    assert result == {
        "refused": ("done", 1, 4),
        "partial": ("done", 1, 3),
        "b1": ("done", 1, 4),
        "b2": ("done", 1, 0),
        "last": ("done", 1, 0),
    }


def test_a_task_that_needs_one_task_does_not_wait_for_the_others(trial: Trial) -> None:
    # a2 ends only when b1 has begun, and b0 must not begin, because a0 fails.
    last = "wait" if trial.on == "slurm" else ""
    plan = trial.plan(
        {
            "a": ((), {"a0": "exit2", "a1": "", "a2": last}),
            "b": (("a",), {"b0": "", "b1": "open", "b2": ""}),
            "c": (("b",), {"c0": ""}),
        }
    )
    paired = tuple(replace(job, task_by_task=("a",)) if job.name == "b" else job for job in plan.jobs)
    plan = replace(plan, jobs=paired)
    write_scripts(trial.folder, plan)
    states = trial.run(plan)
    begun = [name for word, name in trial.notes() if word == "begin"]
    if trial.on == "slurm":
        result = {name: task_state.state for name, task_state in states.items()}
        assert result == {"a0": "failed", "b0": "lost", "c0": "lost", **dict.fromkeys(("a1", "a2", "b1", "b2"), "done")}
        assert trial.notes().index(("begin", "b1")) < trial.notes().index(("end", "a2"))
    else:
        # A runner that does not wait task by task waits for the whole job, which failed here.
        assert not {"b0", "b1", "b2"} & set(begun)
    assert "b0" not in begun
    assert "c0" not in begun


def test_cancelled_tasks_save_their_state_and_the_others_never_begin(trial: Trial) -> None:
    plan = trial.plan({"a": ((), {f"t{number}": "wait" for number in range(4)})}, most=2)
    runner = trial.runner()
    runner.submit(plan.jobs[0], [])

    def begun() -> int:
        runner.look()
        return len(trial.notes()) if (trial.place / "notes").exists() else 0

    # The double of Slurm runs one task after the other.
    until(lambda: begun() >= (1 if trial.on == SLURM else 2), "tasks began")
    runner.cancel(plan.jobs)
    running = [name for word, name in trial.notes() if word == "begin"]
    until(lambda: not runner.look() and len(trial.notes()) == 2 * len(running), "everything ended")
    assert sorted(trial.notes()) == sorted(
        [("begin", name) for name in running] + [("saved", name) for name in running]
    )
    states = {
        task_state.task.name: task_state.state
        for task_state in task_states(trial.folder, plan, {trial.on: runner.look()})
    }
    # Slurm forgets what never began; submitted again, it would begin.
    assert {name: state for name, state in states.items() if name in running} == dict.fromkeys(running, "cancelled")
    assert {state for name, state in states.items() if name not in running} <= {"waiting", "lost"}


def test_what_a_runner_sees_is_in_our_words(trial: Trial) -> None:
    plan = trial.plan({"a": ((), {"t0": "wait", "t1": "wait"})})
    runner = trial.runner()
    assert runner.look() == {}
    runner.submit(plan.jobs[0], [])
    try:
        seen = {one.state for one in runner.look().values()}
        assert seen <= {"pending", "running"}
        assert bool(seen) is runner.detached
        until(
            lambda: any(
                task_state.state == "running"
                for task_state in task_states(trial.folder, plan, {trial.on: runner.look()})
            ),
            "a task runs",
        )
    finally:
        runner.cancel(plan.jobs)
    until(lambda: not runner.look(), "everything ended")


def test_how_to_cancel_names_what_goes_on_without_us(trial: Trial) -> None:
    plan = trial.plan({"a": ((), {"t": ""})})
    assert how_to_cancel(plan, trial.folder) == ""
    trial.runner().require()
    trial.run(plan)
    result = {"local": "", "slurm": "scancel 1", "modal": f"ossicle jobs cancel -p '{trial.folder.project}' --jobs "}
    assert how_to_cancel(plan, trial.folder).startswith(result[trial.on])
    assert bool(how_to_cancel(plan, trial.folder)) is bool(result[trial.on])


def test_every_place_has_a_runner(tmp_path: Path) -> None:
    folder = PlanFolder(tmp_path, tmp_path)
    jobs = [Job(name, (Task("t", ("ossicle",)),), (), StepPlacement(on=name, gpus=0)) for name in PLACES]
    result = runners_of(jobs, folder)
    assert list(result) == list(PLACES)
    assert [one.detached for one in result.values()] == [job.elsewhere for job in jobs]


def test_a_slurm_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="sbatch is not installed"):
        runner_named("slurm", PlanFolder(tmp_path, tmp_path)).require()


def test_a_runner_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_slurm(tmp_path / "bin")
    (tmp_path / "bin" / "squeue").write_text("#!/bin/sh\necho 'unable to contact slurm controller' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    plan = JobPlan((Job("a", (Task("t", ("ossicle",)),), (), StepPlacement(on="slurm", gpus=0)),))
    folder.make(plan)
    folder.add_number(plan.jobs[0], "7")
    with pytest.raises(OssicleError, match="unable to contact slurm controller"):
        runner_named("slurm", folder).look()
    (state,) = task_states(folder, plan, {})
    assert (state.state, state.reason) == ("pending", "Slurm does not answer")
