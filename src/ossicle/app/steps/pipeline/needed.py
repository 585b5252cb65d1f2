"""What a command needs of a pipeline: a bundle or a step that some pipelines do not have."""

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.artefacts.typed.results.published import BUNDLE
from ossicle.core.errors import UsageError


def require_of_pipeline(project: Project, command: str, needed: str = BUNDLE) -> None:
    """Raise UsageError if projects of this pipeline never have what a command needs.

    Parameters
    ----------
    project
        The project that the command was given.
    command
        The command without ``ossicle``, for the message.
    needed
        The name of a step, or ``bundle`` for what a run publishes.

    Raises
    ------
    UsageError
        The pipeline has neither a step nor a result of this name; the message says which commands there are instead.
    """
    pipeline = pipeline_of(project)
    if needed in pipeline.result_names() or any(step.name == needed for step in pipeline.steps):
        return
    needed_noun = "a bundle" if needed == BUNDLE else f"a step {needed}"
    instead = f"; instead: {pipeline.instead}" if pipeline.instead else ""
    raise UsageError(
        f"{project.file}: `ossicle {command}` needs a pipeline with {needed_noun}, and projects of pipeline "
        f"{pipeline.name!r} have none{instead}"
    )
