"""Run the command line of one task in a container; see :mod:`ossicle.app.jobs.modal.service`."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ossicle.app.jobs.modal.containers.claims import EXIT_NOT_MINE, turn, wait_for_turn
from ossicle.app.jobs.modal.containers.commits import Commits
from ossicle.app.jobs.modal.orders import DATA, Order, VolumePlan
from ossicle.app.jobs.modal.requests import TaskRequest
from ossicle.app.jobs.modal.service import Mount
from ossicle.app.jobs.pool import PROGRAM
from ossicle.app.project.file_names import DATA_ROOT_VARIABLE
from ossicle.app.project.file_times import TIMES_VARIABLE
from ossicle.artefacts.files import write_text
from ossicle.artefacts.filesystem.changes import make_folder, open_to_append
from ossicle.artefacts.locks.lock import LOCKS_VARIABLE, NO_LOCKS
from ossicle.artefacts.processes.saved_note import SAVED_VARIABLE

EXIT_SAVED = 143
_POLL_S = 0.2
_GRACE_S = 25.0
_COMMIT_S = 60.0
_LEAST_COMMIT_S = 2.0


def run_task(
    mount: Mount,
    request: Mapping[str, Any],
    program: Sequence[str] = PROGRAM,
    commit_s: float = _COMMIT_S,
    least_s: float = _LEAST_COMMIT_S,
    call: str = "",
) -> int:
    """Run a task, and return its exit code: 143 if it saved its state at its limit, 75 if it is another call's.

    A container that is taken away or cancelled gets an exception here: the task is then asked to save its state, and
    what it wrote is committed.

    Parameters
    ----------
    mount
        The volume.
    request
        The fields of :class:`ossicle.app.jobs.modal.requests.TaskRequest`.
    program
        The command that runs ``ossicle``.
    commit_s
        Longest time between two commits while the task runs, in seconds, so that its output is kept.
    least_s
        Shortest time between two commits, in seconds. A task that saved an epoch, a file or a shard is committed as
        soon as this allows.
    call
        The id of the call. Only the call that the leading coordinator recorded does the work; one that nobody recorded
        yet tells its id and waits. Empty for a task that no coordinator started.

    Raises
    ------
    ArtefactError
        There is no such order.
    """
    task_request = TaskRequest(**request)
    files = VolumePlan(mount.folder, task_request.prefix, task_request.plan)
    # A container may have run another task before: it shows the volume of that time.
    mount.reload()
    if call and turn(files, task_request, call) is False:
        return EXIT_NOT_MINE
    order = files.order(task_request.job)
    begun, log = files.begun(task_request.job, task_request.index), files.log(task_request.job, task_request.index)
    where = files.project / order.folders[task_request.index]
    for folder in (begun.parent, log.parent, where):
        make_folder(folder)
    write_text(begun, f"{task_request.attempt} {call}".rstrip())
    mount.commit()
    if call and not wait_for_turn(mount, files, task_request, call):
        return EXIT_NOT_MINE
    try:
        with tempfile.TemporaryDirectory() as scratch:
            note = Path(scratch) / "saved"
            write_text(note, "")
            with open_to_append(log) as output:
                process = subprocess.Popen(
                    [*program, *(files.placed(word) for word in order.commands[task_request.index][1:])],
                    cwd=where,
                    env={**os.environ, **_environment(files, task_request.job, order), SAVED_VARIABLE: str(note)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            try:
                return _watched(process, order.limit_s, Commits(mount, note, commit_s, least_s))
            finally:
                _end(process)
    finally:
        mount.commit()


def _environment(files: VolumePlan, job: str, order: Order) -> dict[str, str]:
    container_variables = {
        DATA_ROOT_VARIABLE: str(files.home / DATA),
        TIMES_VARIABLE: str(files.times(job)),
        LOCKS_VARIABLE: NO_LOCKS,
    }
    return {**container_variables, **{name: files.placed(value) for name, value in order.environment.items()}}


def _watched(process: "subprocess.Popen[bytes]", limit_s: float, commits: Commits) -> int:
    began = time.monotonic()
    saved = False
    while (code := process.poll()) is None:
        now = time.monotonic()
        if not saved and now - began >= limit_s:
            process.terminate()
            saved = True
        commits.look()
        time.sleep(_POLL_S)
    return code if code >= 0 else 128 - code


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process that still runs to save its state, and wait for it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
