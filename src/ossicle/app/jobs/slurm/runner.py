"""The runner for Slurm: ``sbatch``, ``squeue`` and ``scancel``. No accounting database is needed."""

import re
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job
from ossicle.app.jobs.runner import PENDING, RUNNING, Seen
from ossicle.app.jobs.slurm.scripts import sbatch_argv
from ossicle.core.errors import OssicleError, UsageError

_SILENCE_S = 120.0
_NUMBER = re.compile(r"[0-9]+")
_TASK = re.compile(r"[0-9]+(_[0-9]+)?")
_FORGOTTEN = "Invalid job id"


@dataclass(frozen=True, slots=True)
class Queued:
    """A task in the queue: its state in Slurm's words, why it waits, and its node."""

    state: str
    reason: str
    node: str


class SlurmRunner:
    """Runs jobs as arrays of Slurm; see :class:`ossicle.app.jobs.runner.Runner`.

    The scripts are in the folder of the plan already. Slurm starts a job when those that it needs have succeeded, and a
    task that needs only one task of another job when that task has (``aftercorr``).
    """

    detached = True

    def __init__(self, folder: PlanFolder) -> None:
        self._folder = folder

    def require(self) -> None:
        """Raise UsageError if Slurm is not installed."""
        if shutil.which("sbatch") is None:
            raise UsageError(
                "sbatch is not installed here: run this on a machine with Slurm, add --on local, or write the scripts "
                "with `ossicle jobs write`"
            )

    def submit(self, job: Job, after: Sequence[str]) -> None:
        """Submit a job and record its number; raises OssicleError with sbatch's message if it refuses."""
        numbers = self._folder.numbers()
        done = _call(sbatch_argv(self._folder, job, {name: numbers[name] for name in after}))
        if done.returncode:
            raise OssicleError(f"sbatch refused job {job.name} (exit code {done.returncode}): {done.stderr.strip()}")
        # With several clusters, ";cluster" follows the number.
        number = done.stdout.strip().rpartition("\n")[2].partition(";")[0]
        if not _NUMBER.fullmatch(number):
            raise OssicleError(
                f"sbatch printed {done.stdout[:80]!r} instead of the number of job {job.name}, which may run now; look "
                "for it with squeue --me, and cancel it with scancel before you submit again"
            )
        self._folder.add_number(job, number)

    def look(self) -> dict[str, Seen]:
        """Return the tasks in the queue; raises OssicleError if Slurm does not answer."""
        return {task: _seen_task(queued) for task, queued in queue(self._folder.numbers().values()).items()}

    def cancel(self, jobs: Sequence[Job]) -> None:
        """Cancel jobs; raises OssicleError with scancel's message if it refuses."""
        if numbers := self._numbers(jobs):
            _cancel(numbers)

    def logs(self, job: Job, index: int) -> bytes | None:
        """Return the output of a task, which Slurm appends to the log in the folder of the plan."""
        return self._folder.log_text(job, index)

    def how_to_cancel(self, jobs: Sequence[Job]) -> str:
        """Return the line that cancels jobs; empty if none was submitted."""
        numbers = self._numbers(jobs)
        return f"scancel {' '.join(numbers)}" if numbers else ""

    def _numbers(self, jobs: Sequence[Job]) -> list[str]:
        numbers = self._folder.numbers()
        return [numbers[job.name] for job in jobs if job.name in numbers]


def _seen_task(queued: Queued) -> Seen:
    if queued.state == "PENDING":
        return Seen(PENDING, queued.reason)
    if queued.state in ("RUNNING", "COMPLETING", "CONFIGURING"):
        return Seen(RUNNING, f"on {queued.node}" if queued.node else "")
    return Seen(queued.state.lower(), queued.reason)


def queue(numbers: Collection[str]) -> dict[str, Queued]:
    """Return the tasks of these jobs that Slurm still lists, by ``number_index``.

    Slurm forgets a job some minutes after its end. Raises OssicleError if Slurm does not answer.
    """
    if not numbers:
        return {}
    done = _call(["squeue", "--noheader", "--array", f"--jobs={','.join(numbers)}", "--format=%i|%T|%r|%N"])
    if done.returncode:
        if _FORGOTTEN not in done.stderr:
            raise OssicleError(f"squeue failed (exit code {done.returncode}): {done.stderr.strip()}")
        # One forgotten job says nothing about the others.
        alone = [queue([number]) for number in numbers] if len(numbers) > 1 else []
        return {task: queued for job_queue in alone for task, queued in job_queue.items()}
    return dict(_row(line) for line in done.stdout.splitlines() if line.strip())


def _row(line: str) -> tuple[str, Queued]:
    columns = line.strip().split("|", 3)
    if len(columns) != len(("task", "state", "reason", "node")) or not _TASK.fullmatch(columns[0]):
        raise OssicleError(f"squeue printed {line[:80]!r}, which is not a line of its queue; try `squeue --me`")
    return columns[0], Queued(*columns[1:])


def _cancel(numbers: Sequence[str]) -> None:
    done = _call(["scancel", *numbers])
    if done.returncode and _FORGOTTEN in done.stderr and len(numbers) > 1:
        for number in numbers:
            _cancel([number])
    elif done.returncode and _FORGOTTEN not in done.stderr:
        raise OssicleError(f"scancel failed (exit code {done.returncode}): {done.stderr.strip()}")


def partitions() -> set[str] | None:
    """Return the names of the partitions; None if Slurm does not answer."""
    return _names(["sinfo", "--noheader", "--format=%R"])


def accounts(user: str) -> set[str] | None:
    """Return the accounts that a user may charge; None without an accounting database."""
    if shutil.which("sacctmgr") is None:
        return None
    return _names(["sacctmgr", "--noheader", "--parsable2", "show", "associations", f"user={user}", "format=account"])


def _names(argv: list[str]) -> set[str] | None:
    try:
        done = _call(argv)
    except OssicleError:
        return None
    return None if done.returncode else {line.strip() for line in done.stdout.splitlines()}


def _call(argv: list[str]) -> subprocess.CompletedProcess[str]:
    # In its own session, so that Ctrl-C reaches only us: an interrupted sbatch could leave an unrecorded job.
    try:
        return subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            start_new_session=True,
            timeout=_SILENCE_S,
        )
    except subprocess.TimeoutExpired:
        submitted = "; the job may be in the queue, look with squeue --me" if argv[0] == "sbatch" else ""
        raise OssicleError(f"{argv[0]} did not answer within {_SILENCE_S:g} s{submitted}") from None
