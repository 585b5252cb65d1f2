"""The folder of one submission. Only this module knows the names of its files.

<data root>/jobs/0001/plan.json        the jobs
                      launch.sh        submits them by hand; next to it a .sbatch for each job, and task.sh
                      submitted.jsonl  the numbers of the jobs that run elsewhere
                      state/JOB/0.jsonl   the outcome of each attempt at a task
                      logs/JOB-0.log
"""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.app.jobs.job import Job, JobPlan, Task, read_plan
from ossicle.artefacts.filesystem.changes import make_folder, make_new_folder, open_to_append
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_if_there, read_regular
from ossicle.core.errors import UsageError

JOBS = "jobs"
_NUMBER = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True)
class PlanFolder:
    """Files of one submission; ``project`` is the folder that tasks run in."""

    path: Path
    project: Path

    @property
    def plan_file(self) -> Path:
        """Return the path of the jobs as JSON."""
        return self.path / "plan.json"

    @property
    def launcher(self) -> Path:
        """Return the path of a script that submits everything."""
        return self.path / "launch.sh"

    @property
    def supervisor(self) -> Path:
        """Return the path of the shell functions that the scripts share."""
        return self.path / "task.sh"

    @property
    def submitted(self) -> Path:
        """Return the path of a file with a JSON line for each job that was submitted to run elsewhere."""
        return self.path / "submitted.jsonl"

    def script(self, job: Job) -> Path:
        """Return the path of a job's sbatch script."""
        return self.path / f"{job.name}.sbatch"

    def state(self, job: Job, index: int) -> Path:
        """Return the path of a task's states, one JSON line for each change."""
        return self.path / "state" / job.name / f"{index}.jsonl"

    def log(self, job: Job, index: int) -> Path:
        """Return the path of a task's output."""
        return self.path / "logs" / f"{job.name}-{index}.log"

    def add_number(self, job: Job, number: str) -> None:
        """Record the number that a job got when it was submitted."""
        with open_to_append(self.submitted) as file:
            file.write(json.dumps({"job": job.name, "id": number}).encode() + b"\n")

    def log_text(self, job: Job, index: int) -> bytes | None:
        """Return a task's output; None if there is none yet."""
        log = self.log(job, index)
        return read_regular(log, MOST_ARTEFACT_BYTES) if log.exists() else None

    def plan(self) -> JobPlan:
        """Return the jobs."""
        return read_plan(self.plan_file)

    def numbers(self) -> dict[str, str]:
        """Return the number that each job got when it was submitted, the latest if it was submitted several times.

        Damaged lines are skipped; :meth:`damaged` names them.
        """
        return dict(submission for _, submission in self._submissions() if submission is not None)

    def damaged(self) -> list[str]:
        """Return a message for each line about a submitted job that cannot be used: its job may be running."""
        return [
            f"{self.submitted}, line {line}: not a job with its number (digits); that job may be running, and Ossicle "
            "cannot follow or cancel it: look for it where it runs (squeue --me, Modal's dashboard), end it there, and "
            "remove this line"
            for line, submission in self._submissions()
            if submission is None
        ]

    def _submissions(self) -> list[tuple[int, tuple[str, str] | None]]:
        """Return job and number of each line that is not empty, by line number from 1; None if it is damaged."""
        lines = read_if_there(self.submitted, MOST_ARTEFACT_BYTES).splitlines()
        return [(number, _submission(line)) for number, line in enumerate(lines, 1) if line.strip()]

    def by_hand(self, task: Task) -> str:
        """Return one line that runs a task in a shell."""
        return f"cd {shlex.quote(str((self.project / task.folder).resolve()))} && {task.line}"

    def make(self, plan: JobPlan) -> None:
        """Make the folders that runners write to."""
        for job in plan.jobs:
            make_folder(self.path / "state" / job.name)
        make_folder(self.path / "logs")


def new_folder(data_root: Path, project: Path) -> PlanFolder:
    """Make the next free folder of a data root."""
    jobs_folder = data_root / JOBS
    make_folder(jobs_folder)
    number = max((int(entry.name) for entry in jobs_folder.iterdir() if _NUMBER.fullmatch(entry.name)), default=0)
    while True:
        number += 1
        try:
            make_new_folder(jobs_folder / f"{number:04}")
        except FileExistsError:
            # Another command made this folder first.
            continue
        return PlanFolder(jobs_folder / f"{number:04}", project)


def all_folders(data_root: Path, project: Path) -> list[PlanFolder]:
    """Return the folders of a data root that hold a plan, the latest last."""
    paths = [file for file in (data_root / JOBS).glob("[0-9]*/plan.json") if _NUMBER.fullmatch(file.parent.name)]
    return [PlanFolder(file.parent, project) for file in sorted(paths, key=lambda file: int(file.parent.name))]


def last_folder(data_root: Path, project: Path) -> PlanFolder:
    """Return the latest folder of a data root; raises UsageError if nothing was ever submitted."""
    plan_folders = all_folders(data_root, project)
    if not plan_folders:
        raise UsageError(f"no jobs in {data_root}; create them with ossicle jobs submit or ossicle run --on slurm")
    return plan_folders[-1]


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects in a file of JSON lines; incomplete lines are skipped, and a missing file has none."""
    objects = (_json_object(line) for line in read_if_there(path, MOST_ARTEFACT_BYTES).splitlines())
    return [value for value in objects if value is not None]


def _json_object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _submission(line: bytes) -> tuple[str, str] | None:
    value = _json_object(line) or {}
    job, number = value.get("job"), str(value.get("id"))
    # squeue and scancel would read other text as an option, or as the jobs of somebody else.
    return (job, number) if isinstance(job, str) and _NUMBER.fullmatch(number) else None
