"""The files in the volume by which this machine, the coordinator and the tasks of a plan know of each other.

A volume has no locks, and the last writer of a file wins. So every file has one writer:

PREFIX/data/jobs/PLAN/orders/JOB.json        what to run; by the machine that submits
                      times/JOB.json         sizes and times of the files that it reads; by the same machine
                      cancelled/JOB          that a job is to end; by a machine that cancels
                      begun/JOB-0            the attempt that a container began, and its call; by that container
                      logs/JOB-0.log         its output
                      state/JOB/0.jsonl      the lines about its attempts; by the coordinator
                      leads/NAME.json        that a coordinator is to lead from now on, and its call; by who starts it
                      leading/NAME           that it began, and its call; by that coordinator
                      calls/NAME.json        what it knows of every task, and the call that may do the work; by the same

PREFIX/busy.json names the plan that may work in PREFIX; by the machine that submits it, or starts a coordinator of it.
A coordinator of another plan ends.

The coordinator with the greatest name leads. A name is written before its coordinator is started, and a call before its
task works: what was started without a record never works (:mod:`ossicle.app.jobs.modal.containers.claims`).
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ossicle.app.jobs.job import COMMAND
from ossicle.app.jobs.modal.service import Resources
from ossicle.artefacts.files import read_json
from ossicle.bundle.manifest import is_plain_name
from ossicle.core.errors import ArtefactError, OssicleError

DATA, PROJECT, INPUTS, MARK = "data", "project", "inputs", "ossicle-place.json"
"""The data root, the files of the project, files from elsewhere, and whose place it is."""
BUSY = "busy.json"
"""The plan that may work in the folder of the project."""
VOLUME = "@OSSICLE-VOLUME@"
"""Stands in commands for the folder where a container mounts the volume."""
FORMAT_VERSION = 1
FIRST_LEAD = "000000"
"""Sorts before every name of a coordinator."""


@dataclass(frozen=True, slots=True)
class Order:
    """A submitted job as its containers need it.

    Parameters
    ----------
    number
        The number of the job.
    needs
        The submitted jobs that must be done before.
    commands, folders
        The command line of each task, and the folder below the project's in which it runs.
    environment
        Variables of the tasks; :data:`VOLUME` stands for the folder of the volume, there and in commands.
    resources
        What the containers of the job get.
    limit_s
        Seconds after which a task is asked to save its state.
    attempts, continuations
        How often a task is run, and how often it may go on after its limit.
    most_containers
        How many containers of all jobs of the plan may run at a time when one of this job starts; 0 for no limit.
    """

    number: str
    needs: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    folders: tuple[str, ...]
    environment: Mapping[str, str]
    resources: Resources
    limit_s: float
    attempts: int = 3
    continuations: int = 50
    most_containers: int = 0

    def text(self) -> bytes:
        """Return the order as JSON."""
        return json.dumps({"format": FORMAT_VERSION, **asdict(self)}, indent=1).encode()


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """The files of a plan in a volume that is mounted at ``volume``."""

    volume: Path
    prefix: str
    plan: str

    def __post_init__(self) -> None:
        """Reject names that lead out of the volume."""
        parts = PurePosixPath(self.prefix).parts
        if not all(is_plain_name(part) for part in (*parts, self.plan)) or not parts:
            raise ValueError(f"{self.prefix!r}, {self.plan!r}: not the names of a folder and a plan in a volume")

    @property
    def home(self) -> Path:
        """Return the folder of the project in the volume."""
        return self.volume / self.prefix

    @property
    def project(self) -> Path:
        """Return the folder that tasks run in."""
        return self.home / PROJECT

    @property
    def folder(self) -> Path:
        """Return the folder of the plan."""
        return self.home / DATA / "jobs" / self.plan

    def taken(self) -> bool:
        """Return whether another plan took over the folder of the project."""
        file = self.home / BUSY
        if not file.exists():
            return False
        try:
            busy = read_json(file)
        except OssicleError:
            return False
        plan = busy.get("plan", "") if isinstance(busy, dict) else ""
        return bool(plan) and plan != self.plan

    def orders(self) -> dict[str, Order]:
        """Return the submitted jobs, by name in the order of their numbers."""
        orders = {file.stem: read_order(file) for file in (self.folder / "orders").glob("*.json")}
        return dict(sorted(orders.items(), key=lambda item: int(item[1].number)))

    def order(self, job: str) -> Order:
        """Return the order of a job; raises ArtefactError if there is none."""
        return read_order(self.folder / "orders" / f"{_plain_name(job)}.json")

    def cancelled(self) -> set[str]:
        """Return the jobs that are to end."""
        return {file.name for file in (self.folder / "cancelled").glob("*")}

    def state(self, job: str, index: int) -> Path:
        """Return the path of the lines about a task."""
        return self.folder / "state" / _plain_name(job) / f"{index}.jsonl"

    def begun(self, job: str, index: int) -> Path:
        """Return the path of a file with the number of the attempt that a container began, and the id of its call."""
        return self.folder / "begun" / f"{_plain_name(job)}-{index}"

    def log(self, job: str, index: int) -> Path:
        """Return the path of the output of a task."""
        return self.folder / "logs" / f"{_plain_name(job)}-{index}.log"

    def times(self, job: str) -> Path:
        """Return the path of the sizes and times of the files that a job reads."""
        return self.folder / "times" / f"{_plain_name(job)}.json"

    def lead(self, name: str) -> Path:
        """Return the path of the record that a coordinator is to lead."""
        return self.folder / "leads" / f"{_plain_name(name)}.json"

    def leading(self, name: str) -> Path:
        """Return the path of the call of a coordinator that began."""
        return self.folder / "leading" / _plain_name(name)

    def calls(self, name: str) -> Path:
        """Return the path of what a coordinator knows of every task."""
        return self.folder / "calls" / f"{_plain_name(name)}.json"

    def newest_lead(self) -> str:
        """Return the name of the coordinator that leads."""
        return max((file.stem for file in (self.folder / "leads").glob("*.json")), default=FIRST_LEAD)

    def last_calls(self, name: str) -> Path | None:
        """Return what the last coordinator before ``name``, or that one itself, knew of every task; None if nothing."""
        known = [file for file in (self.folder / "calls").glob("*.json") if file.stem <= name]
        return max(known, key=lambda file: file.stem, default=None)

    def placed(self, text: str) -> str:
        """Return a word of a command with the folder of the volume in place of :data:`VOLUME`."""
        return text.replace(VOLUME, str(self.volume))


def lead_after(newest: str) -> str:
    """Return the name of a coordinator that leads after another one.

    Parameters
    ----------
    newest
        The name of the one that leads.

    Returns
    -------
    str
        A name that nobody else chooses at the same time.

    Examples
    --------
    >>> lead_after("000003-1b4f09c2")[:7]
    '000004-'
    """
    number = newest.partition("-")[0]
    return f"{int(number) + 1 if number.isdecimal() else 1:06}-{secrets.token_hex(4)}"


def read_order(file: Path) -> Order:
    """Return an order from its JSON.

    Parameters
    ----------
    file
        The file.

    Raises
    ------
    ArtefactError
        It is missing or no order.
    """
    value = read_json(file)
    try:
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"format {value['format']!r} is not {FORMAT_VERSION}")
        order = Order(
            number=str(value["number"]),
            needs=tuple(str(need) for need in value["needs"]),
            commands=tuple(_command_words(command) for command in value["commands"]),
            folders=tuple(str(folder) for folder in value["folders"]),
            environment={str(name): str(text) for name, text in value["environment"].items()},
            resources=Resources(**value["resources"]),
            limit_s=float(value["limit_s"]),
            attempts=int(value["attempts"]),
            continuations=int(value["continuations"]),
            most_containers=int(value["most_containers"]),
        )
        if not order.number.isdecimal() or len(order.folders) != len(order.commands):
            raise ValueError("its number or its folders are wrong")
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ArtefactError(f"{file} is not the order of a job ({problem}); submit the job again") from problem
    return order


def _command_words(value: Sequence[Any]) -> tuple[str, ...]:
    words_of_command = tuple(value)
    if (
        not words_of_command
        or words_of_command[0] != COMMAND
        or not all(isinstance(word, str) for word in words_of_command)
    ):
        raise ValueError(f"{value!r} is not a command line of {COMMAND}")
    return words_of_command


def _plain_name(job: str) -> str:
    if not is_plain_name(job):
        raise ArtefactError(f"{job!r} is not the name of a job")
    return job
