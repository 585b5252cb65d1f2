"""Commands sent to Slurm: ``sbatch``, ``squeue``, ``scontrol``. No accounting database is needed."""

import json
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job
from ossicle.app.jobs.scripts import sbatch_argv
from ossicle.artefacts.filesystem.changes import open_to_append
from ossicle.core.errors import OssicleError, UsageError


@dataclass(frozen=True, slots=True)
class Queued:
    """A task in the queue: its state in Slurm's words, why it waits, and its node."""

    state: str
    reason: str
    node: str


def require_slurm() -> None:
    """Raise UsageError if Slurm is not installed."""
    if shutil.which("sbatch") is None:
        raise UsageError(
            "sbatch is not installed here: run this on a machine with Slurm, add --on local, or write the scripts "
            "with `ossicle jobs write`"
        )


def submit(folder: PlanFolder, job: Job, after: Sequence[str]) -> str:
    """Submit a job and record its number; raises OssicleError with sbatch's message if it refuses."""
    done = _call(sbatch_argv(folder, job, list(after)))
    if done.returncode:
        raise OssicleError(f"sbatch refused job {job.name} (exit code {done.returncode}): {done.stderr.strip()}")
    # With several clusters, ";cluster" follows the number.
    number = done.stdout.strip().splitlines()[-1].partition(";")[0]
    with open_to_append(folder.submitted) as file:
        file.write(json.dumps({"job": job.name, "id": number}).encode() + b"\n")
    return number


def queue(numbers: Collection[str]) -> dict[str, Queued]:
    """Return the tasks of these jobs that Slurm still lists, by ``number_index``.

    Slurm forgets a job some minutes after its end. Raises OssicleError if Slurm does not answer.
    """
    if not numbers:
        return {}
    found = {}
    done = _call(["squeue", "--noheader", "--array", f"--jobs={','.join(numbers)}", "--format=%i|%T|%r|%N"])
    if done.returncode:
        if "Invalid job id" in done.stderr:
            return {}
        raise OssicleError(f"squeue failed (exit code {done.returncode}): {done.stderr.strip()}")
    for line in done.stdout.splitlines():
        task, state, reason, node = line.strip().split("|", 3)
        found[task] = Queued(state, reason, node)
    return found


def partitions() -> set[str] | None:
    """Return the names of the partitions; None if Slurm does not answer."""
    done = _call(["sinfo", "--noheader", "--format=%R"])
    return None if done.returncode else {line.strip() for line in done.stdout.splitlines()}


def accounts(user: str) -> set[str] | None:
    """Return the accounts that a user may charge; None without an accounting database."""
    if shutil.which("sacctmgr") is None:
        return None
    done = _call(["sacctmgr", "--noheader", "--parsable2", "show", "associations", f"user={user}", "format=account"])
    return None if done.returncode else {line.strip() for line in done.stdout.splitlines()}


def _call(argv: list[str]) -> subprocess.CompletedProcess[str]:
    # In its own session, so that Ctrl-C reaches only us: an interrupted sbatch could leave an unrecorded job.
    return subprocess.run(argv, capture_output=True, text=True, check=False, start_new_session=True, timeout=120)
