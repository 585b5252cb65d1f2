"""Before and after jobs on Modal: what is there already, what is missing for a run, and the most that it can cost."""

from collections.abc import Iterator
from pathlib import Path

from ossicle.app.jobs.build import placement
from ossicle.app.jobs.job import COMMAND, Job, Task
from ossicle.app.jobs.modal import connection
from ossicle.app.jobs.modal.asked import in_words, resources_of
from ossicle.app.jobs.modal.copies.handover import bring_artefacts, require_own
from ossicle.app.jobs.modal.copies.inputs import inputs_of
from ossicle.app.project.load import Project
from ossicle.app.project.tables.modal import DEFAULT_VOLUME
from ossicle.app.project.tables.placement import MODAL
from ossicle.app.steps.engine.step import Progress, find_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.artefacts.filesystem.walking import walk
from ossicle.core.errors import FetchError, UsageError

_ANY = Task("any", (COMMAND,))


def prefix_of(project: Project) -> str:
    """Return the folder of a project in its volume.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    str
        That of ``[modal]``, or the project's name.
    """
    return project.settings.modal.prefix or project.settings.project.name


def volume_of(project: Project) -> str:
    """Return the name of a project's volume.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    str
        That of ``[modal]``, or :data:`DEFAULT_VOLUME`.
    """
    return project.settings.modal.volume or DEFAULT_VOLUME


def bring_finished(project: Project, progress: Progress) -> list[Path]:
    """Copy artefacts here that containers finished while this machine was away.

    Parameters
    ----------
    project
        The project.
    progress
        Where to report the copied files.

    Returns
    -------
    list[Path]
        Their places.

    Raises
    ------
    UsageError
        There is no token, or the folder in the volume is another project's.
    FetchError
        Modal does not answer.
    """
    modal = connection.connect(volume_of(project))
    modal.require()
    prefix = prefix_of(project)
    if not require_own(modal, prefix, project.settings.project.name):
        return []
    return bring_artefacts(modal, prefix, project, progress)


def modal_findings(project: Project, on: str | None) -> Iterator[Finding]:
    """Check token, volume and resources of a project's steps on Modal; yields nothing if no step is placed there.

    Parameters
    ----------
    project
        The project.
    on
        Where to run, as in ``--on``.
    """
    pipeline = pipeline_of(project)
    here = {step.name for step in pipeline.planning_steps(project)}
    names = [step.name for step in pipeline.steps_of(project) if step.name not in here]
    try:
        placed_on_modal = {
            name: step_placement for name in names if (step_placement := placement(project, name, on)).on == MODAL
        }
    except UsageError as problem:
        yield Finding("modal", False, str(problem))
        return
    if not placed_on_modal:
        return
    settings = project.settings.modal
    for name, placed in placed_on_modal.items():
        try:
            description = in_words(
                resources_of(Job(name, (_ANY,) * settings.max_concurrent, (), placed, name), settings)
            )
        except UsageError as problem:
            yield Finding("modal", False, str(problem))
            continue
        yield Finding("modal", True, f"{name}: {description}")
    volume, prefix = volume_of(project), prefix_of(project)
    try:
        modal = connection.connect(volume)
        modal.require()
        yield Finding("modal", True, "the token is accepted")
        known = require_own(modal, prefix, project.settings.project.name)
    except (UsageError, FetchError) as problem:
        yield Finding("modal", False, str(problem))
        return
    description = "holds this project" if known else "is empty; the first run fills it"
    yield Finding("modal", True, f"volume {volume}, folder {prefix}: {description}")


def to_copy(project: Project) -> tuple[int, int]:
    """Return the most files, and bytes, that a run copies to Modal: what the project reads, and finished artefacts.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    tuple[int, int]
        The number of files, and their bytes; what is there already is not copied again.
    """
    sizes: list[int] = []
    inputs = inputs_of(project, prefix_of(project), project.settings.modal.audio_prefix)
    for volume_folder, path in inputs.copied.items():
        for base, _, names in walk(path) if path.is_dir() else ():
            wanted_files = [
                base / file_name
                for file_name in names
                if inputs.wanted(volume_folder, (base / file_name).relative_to(path).as_posix())
            ]
            sizes += [path.lstat().st_size for path in wanted_files]
        sizes += [path.stat().st_size] if path.is_file() else []
    for artefact in find_steps(steps_of(project), project).values():
        for base, _, names in walk(artefact) if artefact is not None else ():
            sizes += [(base / file_name).lstat().st_size for file_name in names]
    return len(sizes), sum(sizes)
