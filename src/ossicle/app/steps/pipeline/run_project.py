"""Run the steps of a project, and copy what its pipeline publishes to the folder of the project file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.engine.step import Done, Progress, run_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.artefacts.files import whole_file, whole_folder
from ossicle.artefacts.filesystem.changes import copy_file, copy_tree, make_folder, remove_file, remove_folder
from ossicle.artefacts.filesystem.replacing import refuse_foreign
from ossicle.artefacts.shelf import MANIFEST, NOT_CONTENT
from ossicle.artefacts.typed.results.published import BUNDLE, PUBLISHED_FILES
from ossicle.artefacts.typed.results.recognised import SINGLE_FILES, refuse_other_file
from ossicle.bundle.extend import refuse_other_content
from ossicle.core.errors import GateRefused, UsageError


def run_project(
    project: Project,
    progress: Progress,
    until: str | None = None,
    *,
    names: Sequence[str] = (),
    recompute_from: str | None = None,
    wait: bool = False,
) -> Done:
    """Run a project and publish its results in ``project.results``, except those that a refusing step withholds.

    A refusal raises no error, because a refused run still has results to inspect: :func:`refusal_of` returns it.

    Parameters
    ----------
    project
        The project to run.
    progress
        Where the steps report how far they are.
    until
        Run nothing after this step.
    names
        Run these steps and those they need; without any, run all.
    recompute_from
        Compute this step and those after it even if they are done.
    wait
        Wait for another run on the same data root instead of raising LockedError.

    Returns
    -------
    Done
        The artefact, outcome and duration in seconds of every step.

    Raises
    ------
    UsageError
        The project has no such step, the data root is a file, or a folder of results holds files of the user.
    LockedError
        Another run writes to the same data root.
    """
    pipeline = pipeline_of(project)
    steps = pipeline.chosen(project, names, until)
    again: list[str] = []
    if recompute_from is not None:
        every = [step.name for step in pipeline.steps_of(project)]
        again = every[every.index(pipeline.step(recompute_from, project).name) :]
        if all(step.name != again[0] for step in steps):
            raise UsageError(
                f"cannot compute again from {recompute_from}, which is not one of the steps to run: "
                f"{', '.join(step.name for step in steps)}"
            )
    if project.data_root.exists() and not project.data_root.is_dir():
        raise UsageError(f"the data root {project.data_root} is a file; give a folder")
    places = tuple(project.results / name for name in pipeline.result_names())
    if project.variant:
        places += (project.results, project.results.parent)
    refuse_foreign_results(project, pipeline.result_names([step.name for step in steps]))
    with writing(project.data_root, places, wait=wait):
        done = run_steps(steps, project, progress, again)
        publish(project, done)
    return done


def publish(project: Project, done: Done) -> None:
    """Copy the results of a run to ``project.results``, each whole or not at all.

    A withheld result stays in the data root, and an earlier result in the project folder stays unchanged.
    """
    make_folder(project.results)
    results = pipeline_of(project).results(done.artefacts)
    refuse_foreign_results(project, results)
    for name, source in results.items():
        _copy(source, project.results / name)


def refuse_foreign_results(project: Project, names: Iterable[str]) -> None:
    """Check that no file that a run would replace is the user's, and that no such folder holds files of the user.

    Parameters
    ----------
    project
        The project.
    names
        Names of results.

    Raises
    ------
    UsageError
        One does, or it is a file.
    """
    for name in names:
        remedy = f"move it out of there: a run publishes its own {name}/ beside the project file"
        if name == BUNDLE:
            refuse_other_content(project.results / name, remedy)
        elif name in PUBLISHED_FILES:
            refuse_foreign(project.results / name, PUBLISHED_FILES[name], remedy)
        elif name in SINGLE_FILES:
            refuse_other_file(
                project.results / name, f"move it: a run publishes its own {name} beside the project file"
            )


def refusal_of(project: Project, done: Done) -> GateRefused | None:
    """Return why a run was refused; None if no step of it refused."""
    return pipeline_of(project).refusal(done.artefacts, project)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        with whole_folder(target, replace=True) as part:
            copy_tree(source, part)
            for name in NOT_CONTENT if (source / MANIFEST).exists() else ():
                # A whole artefact: how it was made stays in the data root.
                (remove_folder if (part / name).is_dir() else remove_file)(part / name)
    else:
        with whole_file(target) as part:
            copy_file(source, part)
