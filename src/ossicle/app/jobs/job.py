"""Jobs as data: tasks that are command lines, the jobs they need, and where they run.

A task's command begins with ``ossicle``, runs in a folder relative to that of the project, and may be run any number
of times: finished work is reused. So every runner, and a user by hand, runs the same line.
"""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from ossicle.app.project.tables.placement import LOCAL, PLACES, StepPlacement
from ossicle.artefacts.files import read_json, write_json
from ossicle.bundle.manifest import is_plain_name
from ossicle.core.errors import ArtefactError

FORMAT_VERSION = 1
COMMAND = "ossicle"
_KINDS: Mapping[object, str] = {str: "text", int: "a whole number"}


@dataclass(frozen=True)
class Task:
    """One command line; ``folder`` is where it runs, relative to the project's folder."""

    name: str
    argv: tuple[str, ...]
    folder: str = "."

    def __post_init__(self) -> None:
        """Reject other programs and other places."""
        if not self.argv or self.argv[0] != COMMAND or not all(isinstance(word, str) for word in self.argv):
            raise ValueError(f"task {self.name!r}: argv must begin with {COMMAND!r} and hold text only")
        if any("\0" in word for word in (*self.argv, self.name)):
            raise ValueError(f"task {self.name!r}: contains a NUL character, which no command line can")
        if PurePosixPath(self.folder).is_absolute() or ".." in PurePosixPath(self.folder).parts:
            raise ValueError(f"task {self.name!r}: folder {self.folder!r} is not below the project's")

    @property
    def line(self) -> str:
        """Return the command as shell text."""
        return shlex.join(self.argv)


@dataclass(frozen=True)
class Job:
    """Tasks that may run in parallel once the jobs in ``needs`` are done; ``step`` names their table in ``[jobs]``.

    ``task_by_task`` holds those of ``needs`` of which each task needs only the task of its own index. A runner that
    cannot wait task by task waits for the whole job.
    """

    name: str
    tasks: tuple[Task, ...]
    needs: tuple[str, ...] = ()
    placement: StepPlacement = field(default_factory=lambda: StepPlacement(on=LOCAL, gpus=0))
    step: str = ""
    task_by_task: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Reject a name that cannot be a file name, and a job without tasks."""
        if not is_plain_name(self.name):
            raise ValueError(f"job {self.name!r}: the name must be plain (letters, digits, '.', '_', '-')")
        if not self.tasks:
            raise ValueError(f"job {self.name!r} has no tasks")
        if extra := [name for name in self.task_by_task if name not in self.needs]:
            raise ValueError(f"job {self.name!r} waits for {extra[0]!r} task by task, but does not need it")

    @property
    def elsewhere(self) -> bool:
        """Whether the job runs outside this machine, and goes on without the process that submitted it."""
        return self.placement.on != LOCAL


@dataclass(frozen=True)
class JobPlan:
    """Jobs in an order in which each comes after those it needs."""

    jobs: tuple[Job, ...]
    attempts: int = 3
    continuations: int = 50

    def __post_init__(self) -> None:
        """Reject duplicate names, needed jobs that are missing or come later, and pairs of unequal length."""
        known: dict[str, Job] = {}
        for job in self.jobs:
            if job.name in known:
                raise ValueError(f"two jobs are called {job.name!r}")
            if missing := [name for name in job.needs if name not in known]:
                raise ValueError(f"job {job.name!r} needs {missing[0]!r}, which does not come before it")
            if uneven := [name for name in job.task_by_task if len(known[name].tasks) != len(job.tasks)]:
                raise ValueError(f"jobs {job.name!r} and {uneven[0]!r} have different numbers of tasks")
            known[job.name] = job

    def job(self, name: str) -> Job:
        """Return the job of a name; raises KeyError."""
        return {job.name: job for job in self.jobs}[name]


def write_plan(file: Path, plan: JobPlan) -> None:
    """Write a plan as JSON."""
    write_json(file, {"format": FORMAT_VERSION, **asdict(plan)})


def read_plan(file: Path) -> JobPlan:
    """Read a plan from its JSON; raises ArtefactError with the file's name if it holds no plan."""
    value = read_json(file)
    try:
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"format {value['format']!r} is not {FORMAT_VERSION}")
        jobs = tuple(_job(job) for job in value["jobs"])
        return JobPlan(jobs, int(value["attempts"]), int(value["continuations"]))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ArtefactError(
            f"{file} is not a plan of jobs ({problem}); write it again: ossicle jobs write"
        ) from problem


def _job(value: Mapping[str, Any]) -> Job:
    tasks = tuple(Task(task["name"], tuple(task["argv"]), task["folder"]) for task in value["tasks"])
    # Plans of earlier versions wait for whole jobs.
    by_task = tuple(value.get("task_by_task", ()))
    return Job(value["name"], tasks, tuple(value["needs"]), _placement(value["placement"]), value["step"], by_task)


def _placement(value: Mapping[str, Any]) -> StepPlacement:
    values: dict[str, Any] = {}
    for spec in fields(StepPlacement):
        plain_value = value[spec.name]
        if isinstance(spec.default, tuple):
            if not isinstance(plain_value, list) or not all(isinstance(text, str) for text in plain_value):
                raise ValueError(f"placement.{spec.name} = {plain_value!r} is not a list of texts")
            plain_value = tuple(plain_value)
        elif type(plain_value) is not type(spec.default):
            raise ValueError(f"placement.{spec.name} = {plain_value!r} is not {_KINDS[type(spec.default)]}")
        values[spec.name] = plain_value
    if values["on"] not in PLACES:
        raise ValueError(f"placement.on = {values['on']!r} is not one of: {', '.join(PLACES)}")
    return StepPlacement(**values)
