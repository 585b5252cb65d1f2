"""The tasks of a benchmark as jobs: readings are scored in parallel, and each is decided once it is scored."""

from ossicle.app.jobs.build import Line, Listed, listed_jobs, placement
from ossicle.app.jobs.job import Job
from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import LOCAL
from ossicle.app.steps.benchmark.models import open_reading, readings
from ossicle.app.steps.benchmark.scores import scores_step
from ossicle.app.steps.benchmark.tasks import SCORE, benchmark_tasks
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.core.digest import digest


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
        A model cannot be read in a window that the settings ask for.
    BundleError
        A bundle is damaged.
    """
    line, shared = Line(project, overrides), _shared_scores(project, overrides)
    listed = [
        Listed(
            name=task.name,
            argv=line("benchmark", "--task", task.name, "--progress=plain"),
            needs=tuple(shared.get(need, need) for need in task.needs),
            kind=f"benchmark-{task.name.partition(':')[0]}",
            table=task.step,
        )
        for task in benchmark_tasks(project, (), overrides)
        if task.name not in shared
    ]
    return listed_jobs(project, listed, on)


def _shared_scores(project: Project, overrides: tuple[str, ...]) -> dict[str, str]:
    """Return the scoring tasks whose scores another one makes, with that one: equal models share their scores.

    Two tasks at a time would make them twice on a place without locks, and wait for each other elsewhere.
    """
    first: dict[str, str] = {}
    owner_by_task: dict[str, str] = {}
    for reading in readings(project, overrides):
        if not reading.model.folder.is_dir():
            # The bundle of a variant that is not trained yet.
            continue
        name = f"{SCORE}:{reading.name}"
        made_from = digest(dict(scores_step(open_reading(reading, project.settings.benchmark)).settings(project)))
        owner = first.setdefault(made_from, name)
        if owner != name:
            owner_by_task[name] = owner
    return owner_by_task
