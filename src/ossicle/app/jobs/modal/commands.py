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
    found: dict[tuple[str, ...], Project] = {}
    for job in jobs:
        for task in job.tasks:
            words = project_options(task)
            if words in found or not any(one.startswith(_PROJECT) for one in words):
                continue
            given: dict[str, list[str]] = {option: [] for option in (_PROJECT, _VARIANT, _SET, _DATA_ROOT)}
            for word in words:
                option = word[: word.index("=") + 1]
                given[option].append(word.removeprefix(option))
            root = given[_DATA_ROOT]
            file = folder / task.folder / given[_PROJECT][-1]
            with warnings.catch_warnings():
                # The command that made the tasks named the local file already.
                warnings.simplefilter("ignore", LocalFileWarning)
                rest = (file, tuple(given[_SET]), Path(root[-1]) if root else None)
                project = found[words] = load_project(*rest, (given[_VARIANT] or [""])[-1])
                if task.argv[1:2] == (BENCHMARK,):
                    for name in project.settings.benchmark.models:
                        if name in project.variants:
                            found[*words, f"{_VARIANT}{name}"] = load_project(*rest, name)
    return found


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
    for words, of in inputs.items():
        base = inputs.get(words[:-1])
        if base is not None and of.settings != base.settings:
            raise UsageError(
                f"the variant {words[-1].removeprefix(_VARIANT)} reads other files outside the project folder than the "
                "project does, and a benchmark on Modal copies only those of the project: add --on local, or copy "
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
    return tuple(one for one in task.argv if one.startswith((_PROJECT, _VARIANT, _SET, _DATA_ROOT)))


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
    words = tuple(one for one in task.argv if not one.startswith(_DATA_ROOT))
    return words if inputs is None else (*words, *(f"{_SET}{one}" for one in inputs.settings))
