"""Run the steps of projects where they are placed: plan them, write the plan, and run it to its end."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ossicle.app.jobs.build import local_cap, make_plan, placement, step_jobs
from ossicle.app.jobs.conduct import Show, conduct, failures
from ossicle.app.jobs.doubles import refuse_doubles
from ossicle.app.jobs.folder import PlanFolder, new_folder
from ossicle.app.jobs.job import Job, JobPlan
from ossicle.app.jobs.modal.preparing import bring_finished
from ossicle.app.jobs.runners import runners_of
from ossicle.app.jobs.shared_steps import SharedSteps
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import LOCAL, MODAL
from ossicle.app.steps.engine.step import Progress, Step
from ossicle.app.steps.pipeline.pipelines import chosen_steps, pipeline_of
from ossicle.app.steps.pipeline.run_project import run_project


@dataclass(frozen=True)
class RunOptions:
    """The options of a call: steps as in ``ossicle run``, ``--set`` settings, and where to run as in ``--on``."""

    names: tuple[str, ...] = ()
    until: str | None = None
    overrides: tuple[str, ...] = ()
    on: str | None = None


def needs_jobs(project: Project, run_options: RunOptions) -> bool:
    """Return whether any step is placed outside the calling process.

    Parameters
    ----------
    project
        The project.
    run_options
        Which steps to run, and where.
    """
    here = {step.name for step in pipeline_of(project).planning_steps(project)}
    steps = chosen_steps(project, run_options.names, run_options.until)
    return any(placement(project, step.name, run_options.on).on != LOCAL for step in steps if step.name not in here)


def jobs_of(projects: Sequence[Project], run_options: RunOptions, progress: Progress) -> list[Job]:
    """Return the jobs of the unfinished work; the steps that name work units are run here first.

    Parameters
    ----------
    projects
        The projects or variants to run.
    run_options
        Which steps to run, and where.
    progress
        Where the steps report how far they are.
    """
    steps = [chosen_steps(project, run_options.names, run_options.until) for project in projects]
    for project, project_steps in zip(projects, steps, strict=True):
        run_planning_steps(project, progress, project_steps)
    shared = SharedSteps() if len(projects) > 1 else None
    return [
        job
        for project, project_steps in zip(projects, steps, strict=True)
        for job in step_jobs(project, project_steps, run_options.overrides, run_options.on, shared=shared)
    ]


def run_planning_steps(project: Project, progress: Progress, steps: Sequence[Step], *, wait: bool = True) -> None:
    """Run those of ``steps`` that determine the work units, with the steps they need.

    Parameters
    ----------
    project
        The project.
    progress
        Where the steps report how far they are.
    steps
        The chosen steps of the project.
    wait
        Wait for another run on the same data root instead of raising LockedError.
    """
    planning = pipeline_of(project).planning_steps(project)
    if planning and planning[-1].name in [step.name for step in steps]:
        run_project(project, progress, names=[step.name for step in planning], wait=wait)


def jobs_elsewhere(jobs: Sequence[Job], wanted_names: Collection[str] = ()) -> list[Job]:
    """Return the jobs elsewhere, those named ``wanted_names``, and all that these need.

    A process that waited for them can do the rest itself.
    """
    needed = set(wanted_names)
    for job in reversed(jobs):
        if job.elsewhere or job.name in needed:
            needed |= {job.name, *job.needs}
    return [job for job in jobs if job.name in needed]


def lay_out(project: Project, jobs: Sequence[Job], folder: PlanFolder | None = None) -> tuple[PlanFolder, JobPlan]:
    """Write the plan of jobs and its scripts to a folder.

    Parameters
    ----------
    project
        The project that the jobs belong to.
    jobs
        The jobs, each after those that it needs.
    folder
        The folder to write to; None makes the next one of the data root.

    Returns
    -------
    tuple[PlanFolder, JobPlan]
        The folder and the plan in it.
    """
    plan_folder, plan = folder or new_folder(project.data_root, project.folder), make_plan(project, jobs)
    write_scripts(plan_folder, plan)
    return plan_folder, plan


def do_in_rounds(
    projects: Sequence[Project],
    run_options: RunOptions,
    progress: Progress,
    show: Show,
    on_plan: Callable[[PlanFolder], None],
) -> None:
    """Run the jobs elsewhere to their end: first those whose work units are known, then those that follow.

    Parameters
    ----------
    projects
        The projects or variants to run; the settings of the first place the jobs.
    run_options
        Which steps to run, and where.
    progress
        Where the steps report how far they are.
    show
        Called with the states of all tasks.
    on_plan
        Called with the folder of each plan before any of its jobs starts.

    Raises
    ------
    OssicleError
        Tasks failed; the message lists each of them.
    """
    jobs_of(projects, run_options, progress)
    for project in projects:
        steps = chosen_steps(project, run_options.names, run_options.until)
        if any(placement(project, step.name, run_options.on).on == MODAL for step in steps):
            # What containers finished while no machine followed them is not computed again.
            bring_finished(project, progress)
    before: list[Job] = []
    while (jobs := _next_round(projects, run_options)) and jobs != before:
        do_jobs(projects[0], jobs, show, on_plan)
        before = jobs


def _next_round(projects: Sequence[Project], run_options: RunOptions) -> list[Job]:
    """Return the jobs that can be planned now and are elsewhere, or are needed by one elsewhere."""
    known: list[Job] = []
    wanted_names: set[str] = set()
    of_every, of_known = (SharedSteps(), SharedSteps()) if len(projects) > 1 else (None, None)
    for project in projects:
        steps = chosen_steps(project, run_options.names, run_options.until)
        rest = (project, steps, run_options.overrides, run_options.on)
        every, own_jobs = step_jobs(*rest, shared=of_every), step_jobs(*rest, known_only=True, shared=of_known)
        known += own_jobs
        if any(job.elsewhere for job in every if job not in own_jobs):
            # A job elsewhere follows in a later round, and everything before it is needed.
            wanted_names |= {job.name for job in own_jobs}
    return jobs_elsewhere(known, wanted_names)


def do_jobs(
    project: Project,
    jobs: Sequence[Job],
    show: Show,
    on_plan: Callable[[PlanFolder], None],
    *,
    wait: bool = True,
) -> PlanFolder | None:
    """Run jobs to their end, or until all are submitted.

    Parameters
    ----------
    project
        The project whose settings place the jobs.
    jobs
        The jobs to run.
    show
        Called with the states of all tasks.
    on_plan
        Called with the folder of the plan before any job starts.
    wait
        Whether to wait for jobs elsewhere.

    Returns
    -------
    PlanFolder or None
        The folder of the plan; None if there is nothing to do.

    Raises
    ------
    OssicleError
        Tasks failed; the message lists each of them.
    """
    if not jobs:
        return None
    if any(job.elsewhere for job in jobs):
        for runner in runners_of(jobs, PlanFolder(project.data_root, project.folder)).values():
            runner.require()
        refuse_doubles(project, jobs)
    folder, plan = lay_out(project, jobs)
    on_plan(folder)
    poll_s = project.settings.jobs.poll_s
    states = conduct(folder, plan, lambda job: local_cap(project, job), show, poll_s, wait=wait)
    if (problem := failures(folder, states)) is not None:
        raise problem
    return folder
