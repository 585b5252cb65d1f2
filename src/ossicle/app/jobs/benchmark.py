"""The tasks of a benchmark as jobs: readings are scored in parallel, and each is decided once it is scored."""

from ossicle.app.jobs.build import Line, Listed, listed_jobs, placement
from ossicle.app.jobs.job import Job
from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import LOCAL, MODAL
from ossicle.app.steps.benchmark.tasks import benchmark_tasks
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.core.errors import UsageError


def benchmark_elsewhere(project: Project, on: str | None) -> bool:
    """Return whether any task of a benchmark is placed outside the calling process."""
    return any(placement(project, table, on).on != LOCAL for table in pipeline_of(project).job_tables)


def benchmark_jobs(project: Project, overrides: tuple[str, ...], on: str | None) -> list[Job]:
    """Return the jobs of a benchmark; tasks that are finished take only seconds.

    Parameters
    ----------
    project
        The project with a ``[benchmark]`` table.
    overrides
        The ``--set`` options that the project was loaded with.
    on
        Where to run, as in ``--on``; None for what ``[jobs]`` says.

    Raises
    ------
    UsageError
        A task is placed on Modal, from where nothing would bring its artefacts.
    """
    for table in pipeline_of(project).job_tables:
        if placement(project, table, on).on == MODAL:
            raise UsageError(
                f"{table} is placed on Modal, and `ossicle benchmark` runs here or on Slurm only: add --on local"
            )
    line = Line(project, overrides)
    listed = [
        Listed(
            name=one.name,
            argv=line("benchmark", "--task", one.name, "--progress=plain"),
            needs=one.needs,
            kind=f"benchmark-{one.name.partition(':')[0]}",
            table=one.step,
        )
        for one in benchmark_tasks(project, (), overrides)
    ]
    return listed_jobs(project, listed, on)
