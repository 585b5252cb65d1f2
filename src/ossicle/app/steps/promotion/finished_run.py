"""A finished run of a project: its artefacts, figures, bundle and environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.needed import require_of_pipeline
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.artefacts.files import read_json
from ossicle.artefacts.logs.environment import logged_environment
from ossicle.artefacts.shelf import RUN_LOG, Shelf
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS
from ossicle.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """The artefacts of a project whose steps are all finished under its present settings, by step."""

    project: Project
    artefacts: Mapping[str, Path]

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures of the run.

        Raises
        ------
        UsageError
            The split of the project leaks, so that nothing was evaluated.
        """
        file = self.result(METRICS)
        if file is None:
            raise UsageError(
                f'{self.project.file}: split.strategy = "{self.project.settings.split.strategy}" evaluates nothing, so '
                'there are no figures to judge; set split.strategy = "grouped"'
            )
        content: dict[str, Any] = read_json(file)
        return content

    @property
    def bundle(self) -> Path:
        """The folder of the bundle, also of one that a gate withholds from the project folder."""
        path = self.result(BUNDLE)
        assert path is not None
        return path

    @property
    def environment(self) -> dict[str, Any]:
        """The environment of the training; empty for trainings from before it was recorded."""
        step = pipeline_of(self.project).trained_by
        return logged_environment(self.artefacts[step] / RUN_LOG) if step in self.artefacts else {}

    @property
    def contents(self) -> dict[str, str]:
        """The content digest of every artefact by step."""
        shelf = Shelf(self.project.data_root)
        return {step: shelf.content(path) for step, path in self.artefacts.items()}

    @property
    def name(self) -> str:
        """What to call the run in messages."""
        name = self.project.settings.project.name
        return f"{name} (variant {self.project.variant})" if self.project.variant else name

    def result(self, name: str) -> Path | None:
        """Return the place of a published result in the data root; None if the run has none."""
        for published in pipeline_of(self.project).published:
            if published.name == name:
                places = [self.artefacts[step] / name for step in published.steps if step in self.artefacts]
                return next((path for path in places if path.exists()), None)
        return None


def finished_run(project: Project, command: str) -> FinishedRun:
    """Return the finished run of a project or variant.

    Parameters
    ----------
    project
        The project or variant.
    command
        The command that asks, for messages.

    Raises
    ------
    UsageError
        The pipeline makes no bundle, or a step is not finished under the present settings; the message says which, and
        the command that runs it.
    """
    require_of_pipeline(project, command)
    steps = find_steps(steps_of(project), project)
    if missing := [step for step, path in steps.items() if path is None]:
        variant = f" --variant {project.variant}" if project.variant else ""
        raise UsageError(
            f"{missing[0]} is not done under these settings: run `ossicle run "
            f"-p {quote(str(project.folder))}{variant}` first, with the same --set options"
        )
    return FinishedRun(project, {step: path for step, path in steps.items() if path is not None})
