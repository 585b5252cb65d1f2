"""The states of tasks, from the lines that their attempts write and from Slurm's queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.jobs.folder import PlanFolder, json_lines
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.slurm import Queued
from ossicle.core.errors import EXIT_GATE, EXIT_INCOMPLETE, EXIT_OK

FINE = (EXIT_OK, EXIT_INCOMPLETE, EXIT_GATE)
"""Exit codes of a task that finished its work, with or without remarks."""
ENDED = frozenset({"done", "failed", "cancelled", "lost"})


@dataclass(frozen=True)
class TaskState:
    """A task and its state: waiting, pending, running, again, done, failed, cancelled or lost; ``code`` once it ended.

    ``attempt`` counts from 1; ``reason`` comes from Slurm or from Ossicle.
    """

    job: str
    task: Task
    index: int
    state: str
    reason: str
    attempt: int
    code: int | None
    log: Path

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED


def task_states(folder: PlanFolder, plan: JobPlan, queued: Mapping[str, Queued] | None) -> list[TaskState]:
    """Return the states of all tasks.

    Parameters
    ----------
    folder
        The folder of the plan, with the lines that tasks write.
    plan
        The jobs.
    queued
        What :func:`~ossicle.app.jobs.slurm.queue` returned earlier; None if Slurm does not answer.
    """
    numbers = folder.numbers()
    return [
        _state(folder, job, index, numbers.get(job.name), queued)
        for job in plan.jobs
        for index in range(len(job.tasks))
    ]


def _state(
    folder: PlanFolder, job: Job, index: int, number: str | None, queued: Mapping[str, Queued] | None
) -> TaskState:
    lines = json_lines(folder.state(job, index))
    own = f"{number}_{index}" if job.on_slurm else None
    if own is not None:
        lines = [line for line in lines if line.get("id") == own]
    last = str(lines[-1].get("state")) if lines else ""
    code = lines[-1].get("code") if lines else None
    attempt = sum(line.get("state") == "running" for line in lines)
    state, reason = _merged(last, job, number, None if own is None or queued is None else queued.get(own), queued)
    if state in ("failed", "done") and code:
        reason = f"exit code {code}"
    return TaskState(job.name, job.tasks[index], index, state, reason, attempt, code, folder.log(job, index))


def _merged(
    last: str, job: Job, number: str | None, entry: Queued | None, queued: Mapping[str, Queued] | None
) -> tuple[str, str]:
    if last in ("done", "failed", "cancelled"):
        return last, ""
    if not job.on_slurm:
        return last or "waiting", ""
    if number is None:
        return "waiting", "not submitted yet"
    if queued is None:
        return last or "pending", "Slurm does not answer"
    if entry is None:
        return "lost", "no longer in the queue; submit again to resume"
    if entry.state == "PENDING":
        return ("again" if last in ("again", "limit") else "pending"), entry.reason
    if entry.state in ("RUNNING", "COMPLETING", "CONFIGURING"):
        return "running", f"on {entry.node}" if entry.node else ""
    return entry.state.lower(), entry.reason
