"""The projects of tasks, from their command lines, and the same command lines for a container."""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from ossicle.app.jobs.job import Job, Task
from ossicle.app.jobs.modal.copies.inputs import Inputs
from ossicle.app.project.load import Project, load_project
from ossicle.app.project.local_file import LocalFileWarning
from ossicle.core.errors import UsageError

BENCHMARK = "benchmark"
_PROJECT, _VARIANT, _SET, _DATA_ROOT = "--project=", "--variant=", "--set=", "--data-root="


def projects_of(jobs: Iterable[Job], folder: Path) -> dict[tuple[str, ...], Project]:
    """Return the projects and variants that tasks work on.

    Parameters
    ----------
    jobs
        The jobs.
    folder
        The folder that their tasks run in.

    Returns
    -------
    dict[tuple[str, ...], Project]
        By :func:`project_options` of their tasks; none for tasks without a project. Variants that the tasks of a
        benchmark compare follow their project.

    Raises
    ------
    ProjectError
        A project file is invalid.
    """
    projects: dict[tuple[str, ...], Project] = {}
    for job in jobs:
        for task in job.tasks:
            options = project_options(task)
            if options in projects or not any(word.startswith(_PROJECT) for word in options):
                continue
            values_of: dict[str, list[str]] = {option: [] for option in (_PROJECT, _VARIANT, _SET, _DATA_ROOT)}
            for word in options:
                option = word[: word.index("=") + 1]
                values_of[option].append(word.removeprefix(option))
            root = values_of[_DATA_ROOT]
            file = folder / task.folder / values_of[_PROJECT][-1]
            with warnings.catch_warnings():
                # The command that made the tasks named the local file already.
                warnings.simplefilter("ignore", LocalFileWarning)
                rest = (file, tuple(values_of[_SET]), Path(root[-1]) if root else None)
                project = projects[options] = load_project(*rest, (values_of[_VARIANT] or [""])[-1])
                if task.argv[1:2] == (BENCHMARK,):
                    for name in project.settings.benchmark.models:
                        if name in project.variants:
                            projects[*options, f"{_VARIANT}{name}"] = load_project(*rest, name)
    return projects


def require_one_corpus(inputs: Mapping[tuple[str, ...], Inputs]) -> None:
    """Raise UsageError if a benchmark compares a variant that reads other files than its project.

    Parameters
    ----------
    inputs
        The copies of what the projects and variants of a job read, by :func:`project_options`.

    Raises
    ------
    UsageError
        The settings of its tasks could name the files of one of them only.
    """
    for options, project_inputs in inputs.items():
        base = inputs.get(options[:-1])
        if base is not None and project_inputs.settings != base.settings:
            raise UsageError(
                f"the variant {options[-1].removeprefix(_VARIANT)} reads other files outside the project folder than "
                "the project does, and a benchmark on Modal copies only those of the project: add --on local, or copy "
                "these files into the project folder"
            )


def project_options(task: Task) -> tuple[str, ...]:
    """Return those words of a task that say which project it works on.

    Parameters
    ----------
    task
        The task.

    Returns
    -------
    tuple[str, ...]
        Project file, variant, settings and data root.
    """
    return tuple(word for word in task.argv if word.startswith((_PROJECT, _VARIANT, _SET, _DATA_ROOT)))


def container_argv(task: Task, inputs: Inputs | None) -> tuple[str, ...]:
    """Return the command line of a task in a container.

    Parameters
    ----------
    task
        The task.
    inputs
        The copies of what its project reads; None for a task without a project.

    Returns
    -------
    tuple[str, ...]
        Without the data root, which the environment names, and with the places of copies.
    """
    arguments = tuple(word for word in task.argv if not word.startswith(_DATA_ROOT))
    return arguments if inputs is None else (*arguments, *(f"{_SET}{setting}" for setting in inputs.settings))
