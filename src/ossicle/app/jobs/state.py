"""The states of tasks, from the lines that their attempts write and from what runners know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.jobs.folder import PlanFolder, json_lines
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.runner import PENDING, Seen, task_id
from ossicle.core.errors import EXIT_GATE, EXIT_INCOMPLETE, EXIT_OK

FINE = (EXIT_OK, EXIT_INCOMPLETE, EXIT_GATE)
"""Exit codes of a task that finished its work, with or without remarks."""
ENDED = frozenset({"done", "failed", "cancelled", "lost"})


@dataclass(frozen=True)
class TaskState:
    """A task and its state: waiting, pending, running, again, done, failed, cancelled or lost; ``code`` once it ended.

    ``attempt`` counts from 1; ``reason`` comes from the runner or from Ossicle.
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


def task_states(folder: PlanFolder, plan: JobPlan, seen_tasks: Mapping[str, Mapping[str, Seen]]) -> list[TaskState]:
    """Return the states of all tasks.

    Parameters
    ----------
    folder
        The folder of the plan, with the lines that tasks write.
    plan
        The jobs.
    seen_tasks
        What :meth:`~ossicle.app.jobs.runner.Runner.look` of each runner returned earlier; without those that do not
        answer.
    """
    numbers = folder.numbers()
    return [
        _state(folder, job, index, numbers.get(job.name), seen_tasks.get(job.placement.on))
        for job in plan.jobs
        for index in range(len(job.tasks))
    ]


def _state(
    folder: PlanFolder, job: Job, index: int, number: str | None, seen_tasks: Mapping[str, Seen] | None
) -> TaskState:
    lines = json_lines(folder.state(job, index))
    own_id = None
    if job.elsewhere:
        # Lines of an earlier submission say nothing about this one.
        own_id = "" if number is None else task_id(number, index)
        lines = [line for line in lines if line.get("id") == own_id]
    last = str(lines[-1].get("state")) if lines else ""
    code = lines[-1].get("code") if lines else None
    attempt = sum(line.get("state") == "running" for line in lines)
    state, reason = _merged(last, job, own_id, seen_tasks)
    if state in ("failed", "done") and code:
        reason = f"exit code {code}"
    elif state == "failed":
        reason = str(lines[-1].get("reason", ""))
    return TaskState(job.name, job.tasks[index], index, state, reason, attempt, code, folder.log(job, index))


def _merged(last: str, job: Job, own_id: str | None, seen_tasks: Mapping[str, Seen] | None) -> tuple[str, str]:
    entry = seen_tasks.get(own_id) if seen_tasks is not None and own_id else None
    if last == "cancelled" and entry is not None:
        # Ended by the runner itself (its node went down, other jobs come first), which runs it again.
        return ("again" if entry.state == PENDING else entry.state), entry.reason
    if last in ("done", "failed", "cancelled"):
        return last, ""
    if own_id is None:
        return last or "waiting", ""
    if not own_id:
        return "waiting", "not submitted yet"
    if seen_tasks is None:
        return last or PENDING, f"{job.placement.on.capitalize()} does not answer"
    if entry is None:
        return "lost", "no longer in the queue; submit again to resume"
    if entry.state == PENDING and last in ("again", "limit"):
        return "again", entry.reason
    return entry.state, entry.reason
