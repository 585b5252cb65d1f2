"""Make jobs of a project: which work is left under its settings, where each step runs, and each task's command line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ossicle.app.jobs.job import COMMAND, Job, JobPlan, Task
from ossicle.app.jobs.shared_steps import SharedSteps
from ossicle.app.project.file_names import LOCAL_FILE
from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import LOCAL, MODAL, StepPlacement
from ossicle.app.steps.engine.step import Step, find_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.app.steps.pipeline.work_units import work_units_left
from ossicle.core.errors import UsageError

GATHER = ".gather"
"""What follows the name of a step in the name of the job that commits it."""
LARGEST_ARRAY = 1000
"""The largest number of tasks in one job; the limit of Slurm is one more unless it was raised."""


@dataclass(frozen=True)
class Listed:
    """A task of another command: its name, its command line, and the names of the tasks it needs.

    ``kind`` names the job that holds it and similar tasks, and ``table`` the table of ``[jobs]`` that places it.
    """

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...]
    kind: str
    table: str


@dataclass(frozen=True)
class Line:
    """The common part of a project's command lines: its file, variant, settings and data root."""

    project: Project
    overrides: tuple[str, ...] = ()

    def __call__(self, *arguments: str) -> tuple[str, ...]:
        """Return a command on the project, to run in its folder."""
        project = self.project
        own_data_root = project.folder / project.settings.project.data_root
        return (
            COMMAND,
            *arguments,
            f"--project={project.file.name}",
            *((f"--variant={project.variant}",) if project.variant else ()),
            *(f"--set={override}" for override in self.overrides),
            *(() if project.data_root == own_data_root else (f"--data-root={project.data_root.resolve()}",)),
        )


def placement(project: Project, step: str, on: str | None) -> StepPlacement:
    """Return where a step runs: ``on`` overrides ``[jobs]``, and ``local`` overrides everything.

    A step's own ``[jobs.STEP]`` table overrides every other place. Raises UsageError if only a project file places it
    on Modal.
    """
    jobs = project.settings.jobs
    placed = jobs.placed(step, _most_at_a_time(project, step))
    if on is not None and (on == LOCAL or not jobs.own(step).on):
        return replace(placed, on=on)
    if placed.on == MODAL and on != MODAL:
        _refuse_unasked(project, step)
    return placed


def _refuse_unasked(project: Project, step: str) -> None:
    """Raise UsageError for a step that only the project file places on Modal: it would cost the user money."""
    key = ("jobs", step, "on") if project.settings.jobs.own(step).on else ("jobs", "on")
    if not project.is_of_user(*key) and not project.settings.modal.volume:
        raise UsageError(
            f"{project.origin(*key)} places {step} on Modal, which costs money, and a project file may come from "
            'another person; add --on modal, or write `[modal] volume = "ossicle"` in '
            f"{project.folder / LOCAL_FILE}"
        )


def gather_placement(project: Project, step: str, on: str | None) -> StepPlacement:
    """Return where a step is gathered: in the place of its work units, and there with the resources of ``[jobs]``.

    Gathering takes seconds and no GPU, so it does not wait in the queue of the step's own partition. Where ``[jobs]``
    is about another place, the settings are those of the step.
    """
    step_placement, general = placement(project, step, on), project.settings.jobs.placed("")
    if (on or general.on) == step_placement.on:
        return replace(general, on=step_placement.on, max_concurrent=0)
    # A partition of GPUs may refuse a task without one.
    return (
        replace(step_placement, max_concurrent=0)
        if step_placement.partition
        else replace(step_placement, gpus=0, gpu_type="", max_concurrent=0)
    )


def _most_at_a_time(project: Project, table: str) -> int:
    """Return how many tasks of a table of ``[jobs]`` may run at a time if no table sets it; 0 sets no limit."""
    pipeline = pipeline_of(project)
    for step in pipeline.steps_of(project):
        if step.name == table and step.work_units is not None:
            return step.work_units.max_concurrent
    return pipeline.job_tables.get(table, 0)


def step_jobs(
    project: Project,
    steps: Sequence[Step],
    overrides: tuple[str, ...],
    on: str | None,
    *,
    known_only: bool = False,
    shared: SharedSteps | None = None,
) -> list[Job]:
    """Return the jobs of the unfinished work among ``steps``; each job needs the one before it.

    The planning steps of the pipeline are done already. The remaining work units of a step are one array, and the job
    ``STEP.gather`` after it commits the step; if none is left, there is only that job. Neighbouring steps without work
    units and with the same placement are one task. So is a step whose work units are not known yet, because another
    step with work units names them.

    Parameters
    ----------
    project
        The project.
    steps
        The steps to run.
    overrides
        The ``--set`` options that the project was loaded with.
    on
        Where to run, as in ``--on``; None for what ``[jobs]`` says.
    known_only
        End before the first step whose work units are not known yet; once the steps before it are done, further jobs
        follow.
    shared
        The steps of other projects of the same plan, to which these are added. A step that is among them has no job
        here, and the next job waits for that of the other project.
    """
    line, prefix = Line(project, overrides), f"{project.variant}." if project.variant else ""
    artefacts_found = find_steps(steps, project)
    done = {name: path for name, path in artefacts_found.items() if path is not None}
    here = {step.name for step in pipeline_of(project).planning_steps(project)}
    owners = SharedSteps() if shared is None else shared
    keys = {} if shared is None else owners.keys(project, steps, done)
    jobs: list[Job] = []
    plain: list[str] = []
    after: list[str] = []

    def append(name: str, tasks: Sequence[Task], placed: StepPlacement, *step_names: str) -> None:
        _append(jobs, f"{prefix}{name}", step_names[0], tasks, placed, after)
        after.clear()
        for step_name in step_names if keys else ():
            owners.add(keys[step_name], jobs[-1].name)

    def close() -> None:
        if plain:
            name = plain[0] if len(plain) == 1 else f"{plain[0]}-{plain[-1]}"
            argv = line("run", *plain, "--on=local", "--wait", "--progress=plain")
            append(name, [Task(name, argv)], placement(project, plain[0], on), *plain)
            plain.clear()

    for step in steps:
        if step.name in here or step.name in done:
            continue
        if keys and (owner := owners.job(keys[step.name])) is not None:
            close()
            after.append(owner)
            continue
        placed = placement(project, step.name, on)
        known = step.work_units is not None and done.keys() >= set(step.work_units.named_by)
        if known_only and step.work_units is not None and not known:
            break
        every = step.work_units.names_of(project, done) if known and step.work_units is not None else ()
        if plain and (every or not _same_placement(placed, placement(project, plain[0], on))):
            close()
        if every:
            # Unfinished work does not travel to Modal: what is done of it here is not there.
            left = every if placed.on == MODAL else work_units_left(step, project, done)
            task_command = ("jobs", "task", step.name)
            tasks = [
                Task(work_unit, line(*task_command, work_unit, "--no-gather", "--progress=plain")) for work_unit in left
            ]
            if tasks:
                append(step.name, tasks, placed, step.name)
            gather = Task(f"{step.name}{GATHER}", line("jobs", "gather", step.name, "--progress=plain"))
            append(gather.name, [gather], gather_placement(project, step.name, on), step.name)
        else:
            plain.append(step.name)
    close()
    return jobs


def _same_placement(placed: StepPlacement, other: StepPlacement) -> bool:
    """Return whether two steps of one task each may be one task."""
    return replace(placed, max_concurrent=0) == replace(other, max_concurrent=0)


def listed_jobs(project: Project, listed: Sequence[Listed], on: str | None) -> list[Job]:
    """Return the jobs of another command's tasks: tasks of one kind are an array.

    A job needs the jobs that hold tasks which its tasks need: task by task, if both are arrays of equal length and no
    task needs one of another index; else as a whole.

    Parameters
    ----------
    project
        The project.
    listed
        The tasks, each after those that it needs.
    on
        Where to run, as in ``--on``; None for what ``[jobs]`` says.
    """
    grouped: dict[str, list[Listed]] = {}
    for listed_task in listed:
        grouped.setdefault(listed_task.kind, []).append(listed_task)
    homes: dict[str, tuple[str, int]] = {}
    lengths: dict[str, int] = {}
    jobs: list[Job] = []
    for kind, tasks_of_kind in grouped.items():
        for part, begin in enumerate(range(0, len(tasks_of_kind), LARGEST_ARRAY), start=1):
            chunk, name = tasks_of_kind[begin : begin + LARGEST_ARRAY], kind if part == 1 else f"{kind}-{part}"
            needed = [(index, *homes[need]) for index, listed in enumerate(chunk) for need in listed.needs]
            needs = tuple(sorted({job for _, job, _ in needed}))
            whole = {job for index, job, other in needed if index != other or lengths[job] != len(chunk)}
            by_task = tuple(job for job in needs if job not in whole and len(chunk) > 1)
            tasks = tuple(Task(listed.name, listed.argv) for listed in chunk)
            jobs.append(
                Job(name, tasks, needs, placement(project, tasks_of_kind[0].table, on), tasks_of_kind[0].table, by_task)
            )
            homes.update({listed.name: (name, index) for index, listed in enumerate(chunk)})
            lengths[name] = len(chunk)
    return jobs


def _append(
    jobs: list[Job], name: str, step: str, tasks: Sequence[Task], placed: StepPlacement, after: Sequence[str]
) -> None:
    # All parts of an array that is too long for one job need the same jobs, and the next job needs all parts.
    last = jobs[-1] if jobs else None
    before = () if last is None else tuple(job.name for job in jobs if job.needs == last.needs)
    needs = tuple(dict.fromkeys((*before, *after)))
    for part, begin in enumerate(range(0, len(tasks), LARGEST_ARRAY), start=1):
        chunk = tuple(tasks[begin : begin + LARGEST_ARRAY])
        jobs.append(Job(name if part == 1 else f"{name}-{part}", chunk, needs, placed, step))


def make_plan(project: Project, jobs: Sequence[Job]) -> JobPlan:
    """Return a plan of jobs with the project's limits on attempts and continuations."""
    settings = project.settings.jobs
    return JobPlan(tuple(jobs), settings.attempts, settings.continuations)


def local_cap(project: Project, job: Job) -> int:
    """Return how many tasks of a job may run on this machine at a time."""
    room = project.settings.project.workers
    for step in steps_of(project):
        if step.name == job.step and step.work_units is not None:
            room = step.work_units.parallel(project)
    return max(1, min(room, job.placement.max_concurrent or room))
