"""The pipelines by name; ``[project] pipeline`` of a project file or of its recipe chooses one of them."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import fields

from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import STEP_TABLES, JobsSettings
from ossicle.app.steps.engine.step import Step
from ossicle.app.steps.pipeline.pipeline import Pipeline
from ossicle.core.errors import ProjectError
from ossicle.core.text.suggestion import did_you_mean


class LoadedPipelines(MutableMapping[str, Pipeline]):
    """Pipelines by name; the module of each is imported when it is first asked for, which takes a tenth of a second.

    Parameters
    ----------
    loaders
        Functions that import and return a pipeline, by its name.
    """

    def __init__(self, loaders: Mapping[str, Callable[[], Pipeline]]) -> None:
        self._loaders = dict(loaders)
        self._loaded: dict[str, Pipeline] = {}

    def __getitem__(self, name: str) -> Pipeline:
        """Return the pipeline of a name; raises KeyError if there is none."""
        if name not in self._loaded:
            self._loaded[name] = self._loaders[name]()
        return self._loaded[name]

    def __setitem__(self, name: str, pipeline: Pipeline) -> None:
        """Add a pipeline, or replace the one of this name."""
        self._loaders[name] = lambda: pipeline
        self._loaded[name] = pipeline

    def __delitem__(self, name: str) -> None:
        """Remove a pipeline."""
        del self._loaders[name]
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        """Whether there is a pipeline of this name, without importing it."""
        return name in self._loaders

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._loaders)

    def __len__(self) -> int:
        """The number of pipelines."""
        return len(self._loaders)


def _detector() -> Pipeline:
    from ossicle.app.steps.pipeline.detector import PIPELINE

    return PIPELINE


def _states() -> Pipeline:
    from ossicle.app.steps.pipeline.states import PIPELINE

    return PIPELINE


def _units() -> Pipeline:
    from ossicle.app.steps.pipeline.units import PIPELINE

    return PIPELINE


PIPELINES = LoadedPipelines({"detector": _detector, "states": _states, "units": _units})


def pipeline_of(project: Project) -> Pipeline:
    """Return the pipeline of a project.

    Raises
    ------
    ProjectError
        There is no pipeline of this name, or ``[jobs]`` has a table for a step that the pipeline does not have. The
        message names file, key and the nearest valid name.
    """
    name = project.settings.project.pipeline
    if name not in PIPELINES:
        origin, remedy = project.origin("project", "pipeline"), did_you_mean(name, PIPELINES)
        raise ProjectError(f"{origin}: [project] pipeline = {name!r}: this pipeline does not exist; {remedy}")
    pipeline = PIPELINES[name]
    _refuse_strange_tables(project, pipeline)
    return pipeline


def steps_of(project: Project) -> tuple[Step, ...]:
    """Return the steps of a project in order."""
    return pipeline_of(project).steps_of(project)


def chosen_steps(project: Project, names: Sequence[str] = (), until: str | None = None) -> tuple[Step, ...]:
    """Return the steps ``names`` of a project and those they need, none after the step ``until``.

    Parameters
    ----------
    project
        The project.
    names
        Names of steps; without any, all steps are chosen.
    until
        The last step to return; None for all.

    Raises
    ------
    UsageError
        The project does not have such a step.
    """
    return pipeline_of(project).chosen(project, names, until)


def _refuse_strange_tables(project: Project, pipeline: Pipeline) -> None:
    """Raise ProjectError for a table ``[jobs.NAME]`` that belongs to no step or task."""
    if not project.settings.jobs.steps:
        return
    here = {step.name for step in pipeline.planning_steps(project)}
    steps = [step.name for step in (*pipeline.steps, *pipeline.steps_of(project)) if step.name not in here]
    known = list(dict.fromkeys([*steps, *pipeline.job_tables]))
    for name in project.settings.jobs.steps:
        if name not in known:
            keys = [spec.name for spec in fields(JobsSettings) if spec.name != STEP_TABLES]
            remedy = did_you_mean(name, [*keys, *known])
            raise ProjectError(f"{project.origin('jobs', name)}: [jobs] {name}: unknown key; {remedy}")
