"""Refuse work that is queued elsewhere already: a second copy would occupy a machine, or do the work twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from shlex import quote

from ossicle.app.jobs.folder import all_folders
from ossicle.app.jobs.job import Job, Task
from ossicle.app.jobs.modal.commands import project_options
from ossicle.app.jobs.runner import LOST, task_id
from ossicle.app.jobs.runners import runners_of
from ossicle.app.project.load import Project
from ossicle.core.errors import UsageError

_WHOLE = ""
_GATHER = "\0gather"


@dataclass(frozen=True, slots=True)
class _Work:
    """What a task does: a step of a project, or a part of one (a work unit, or gathering them)."""

    project: tuple[str, ...]
    step: str
    part: str = _WHOLE

    def overlaps(self, other: "_Work") -> bool:
        """Return whether both do the same part of a step; a whole step contains all parts."""
        same = (self.project, self.step) == (other.project, other.step)
        return same and (self.part == other.part or _WHOLE in (self.part, other.part))


def refuse_doubles(project: Project, jobs: Sequence[Job]) -> None:
    """Raise UsageError if work of jobs elsewhere is queued elsewhere already.

    Command lines may differ: a step that was one of several in a task is a task of its own once the others are done.

    Parameters
    ----------
    project
        The project that the jobs belong to.
    jobs
        The jobs that are to be submitted.

    Raises
    ------
    UsageError
        Some of it is queued; the message names the folder of the plan, and how to cancel it.
    """
    planned_work = _work(task for job in jobs if job.elsewhere for task in job.tasks)
    for folder in all_folders(project.data_root, project.folder):
        numbers = folder.numbers()
        if not numbers:
            continue
        for name, runner in runners_of(folder.plan().jobs, folder).items():
            seen_tasks = runner.look() if runner.detached else {}
            queued = {task for task, seen_task in seen_tasks.items() if seen_task.state != LOST}
            jobs_of_runner = [job for job in folder.plan().jobs if job.placement.on == name and job.name in numbers]
            live = [
                job
                for job in jobs_of_runner
                if any(task_id(numbers[job.name], index) in queued for index in range(len(job.tasks)))
            ]
            queued_work = _work(task for job in live for task in job.tasks)
            if any(work.overlaps(other) for work in planned_work for other in queued_work):
                raise UsageError(
                    f"these tasks are already in {name.capitalize()}'s queue ({folder.path}); show them: ossicle jobs "
                    f"status -p {quote(str(project.file))}; to start again, first cancel them: "
                    f"{runner.how_to_cancel(live)}"
                )


def _work(tasks: Iterable[Task]) -> set[_Work]:
    return {work for task in tasks for work in _work_of(task)}


def _work_of(task: Task) -> list[_Work]:
    project = project_options(task)
    match [word for word in task.argv[1:] if not word.startswith("-")]:
        case ["run", *steps] if steps:
            return [_Work(project, step) for step in steps]
        case ["jobs", "task", step, work_unit]:
            return [_Work(project, step, work_unit)]
        case ["jobs", "gather", step]:
            return [_Work(project, step, _GATHER)]
    return [_Work(project, task.line)]
