"""Run tasks as processes on this machine, a few at a time; each leaves the same state lines as on Slurm."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job
from ossicle.app.jobs.state import FINE
from ossicle.artefacts.filesystem.changes import open_to_append
from ossicle.artefacts.processes.process_group import ProcessGroup
from ossicle.core.errors import EXIT_USAGE

_GRACE_S = 30.0
# Safe path: a file in the project's folder must not be imported as a module.
PROGRAM = (sys.executable, "-P", "-m", "ossicle")


@dataclass
class _Running:
    job: Job
    index: int
    attempt: int
    process: subprocess.Popen[bytes]


class LocalPool:
    """Runs the tasks of jobs, a few at a time; a task that fails or dies is retried, with ``attempts`` runs in all.

    Use it in a ``with`` block: no process remains at its end. Running tasks are asked to save their state.
    """

    def __init__(self, folder: PlanFolder, attempts: int, program: Sequence[str] = PROGRAM) -> None:
        self._folder, self._attempts, self._program = folder, attempts, program
        self._waiting: list[tuple[Job, int, int]] = []
        self._running = ProcessGroup[_Running](_GRACE_S)
        self._caps: dict[str, int] = {}
        self._failed: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the running tasks."""
        for one in self._running.stop():
            self._say(one, "cancelled", one.process.returncode)

    def add(self, job: Job, cap: int) -> None:
        """Queue the tasks of a job, of which ``cap`` may run at a time."""
        self._caps[job.name] = cap
        self._waiting += [(job, index, 1) for index in range(len(job.tasks))]

    @property
    def busy(self) -> bool:
        """Whether any task runs or waits."""
        return bool(self._waiting or self._running)

    def failed(self, job: Job) -> bool:
        """Return whether a task of the job failed in all its attempts."""
        return job.name in self._failed

    def poll(self) -> None:
        """Collect tasks that have ended, and start waiting tasks where a slot is free."""
        for one in self._running:
            code = one.process.poll()
            if code is not None:
                self._running.remove(one)
                self._ended(one, code)
        for entry in list(self._waiting):
            job, index, attempt = entry
            if sum(one.job.name == job.name for one in self._running) < self._caps[job.name]:
                self._waiting.remove(entry)
                self._start(job, index, attempt)

    def _start(self, job: Job, index: int, attempt: int) -> None:
        task = job.tasks[index]
        with open_to_append(self._folder.log(job, index)) as log:
            # In its own session: we pass Ctrl-C on as SIGTERM, on which the task saves its state.
            process = subprocess.Popen(
                [*self._program, *task.argv[1:]],
                cwd=self._folder.project / task.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = _Running(job, index, attempt, process)
        self._running.add(started)
        self._say(started, "running", None)

    def _ended(self, one: _Running, code: int) -> None:
        if code in FINE:
            self._say(one, "done", code)
        elif code != EXIT_USAGE and one.attempt < self._attempts:
            self._say(one, "again", code)
            self._waiting.append((one.job, one.index, one.attempt + 1))
        else:
            self._say(one, "failed", code)
            self._failed.add(one.job.name)

    def _say(self, one: _Running, state: str, code: int | None) -> None:
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "state": state,
            "code": code if code is None or code >= 0 else 128 - code,
            "runner": "local",
            "id": str(one.process.pid),
            "host": os.uname().nodename,
        }
        with open_to_append(self._folder.state(one.job, one.index)) as file:
            file.write(json.dumps(line).encode() + b"\n")
