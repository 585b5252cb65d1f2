"""Run tasks as processes on this machine, a few at a time; each leaves the same state lines as on Slurm."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job
from ossicle.app.jobs.runner import Seen
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
    """Runs the tasks of jobs, a few at a time; see :class:`ossicle.app.jobs.runner.Runner`.

    A task that fails or dies is retried, with ``attempts`` runs in all, and ``cap`` returns how many tasks of a job may
    run at a time. Whoever makes a pool cancels all jobs at the end, so that no process remains.
    """

    detached = False

    def __init__(
        self, folder: PlanFolder, attempts: int, cap: Callable[[Job], int], program: Sequence[str] = PROGRAM
    ) -> None:
        self._folder, self._attempts, self._cap, self._program = folder, attempts, cap, program
        self._waiting: list[tuple[Job, int, int]] = []
        self._running = ProcessGroup[_Running](_GRACE_S)

    def require(self) -> None:
        """Do nothing: this machine can run tasks."""

    def submit(self, job: Job, after: Sequence[str]) -> None:
        """Queue the tasks of a job; the jobs that it needs are done already."""
        self._waiting += [(job, index, 1) for index in range(len(job.tasks))]

    def look(self) -> dict[str, Seen]:
        """Collect tasks that have ended, and start waiting tasks where a slot is free.

        Nothing is returned: everything about these tasks is in the lines of their attempts.
        """
        for running in self._running:
            code = running.process.poll()
            if code is not None:
                self._running.remove(running)
                self._end_task(running, code)
        for entry in list(self._waiting):
            job, index, attempt = entry
            if sum(running.job.name == job.name for running in self._running) < self._cap(job):
                self._waiting.remove(entry)
                self._start(job, index, attempt)
        return {}

    def cancel(self, jobs: Sequence[Job]) -> None:
        """Forget the waiting tasks of jobs, and end the running ones."""
        names = {job.name for job in jobs}
        self._waiting = [entry for entry in self._waiting if entry[0].name not in names]
        for running in self._running.stop(lambda running: running.job.name in names):
            self._write_state(running, "cancelled", running.process.returncode)

    def logs(self, job: Job, index: int) -> bytes | None:
        """Return the output of a task."""
        return self._folder.log_text(job, index)

    def how_to_cancel(self, jobs: Sequence[Job]) -> str:
        """Return nothing: the tasks end with this process."""
        return ""

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
        self._write_state(started, "running", None)

    def _end_task(self, running_task: _Running, code: int) -> None:
        if code in FINE:
            self._write_state(running_task, "done", code)
        elif code != EXIT_USAGE and running_task.attempt < self._attempts:
            self._write_state(running_task, "again", code)
            self._waiting.append((running_task.job, running_task.index, running_task.attempt + 1))
        else:
            self._write_state(running_task, "failed", code)

    def _write_state(self, running_task: _Running, state: str, code: int | None) -> None:
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "state": state,
            "code": code if code is None or code >= 0 else 128 - code,
            "runner": "local",
            "id": str(running_task.process.pid),
            "host": os.uname().nodename,
        }
        with open_to_append(self._folder.state(running_task.job, running_task.index)) as file:
            file.write(json.dumps(line).encode() + b"\n")
