"""The chain of steps of a project, and what a finished run leaves beside the project file."""

import shutil
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps import bundle, corpus, dataset, decision, evaluation, report, scores, store, training
from ossicle.app.steps.step import Done, Progress, Step, run_steps
from ossicle.artefacts.files import whole_file, whole_folder
from ossicle.artefacts.lock import project_lock
from ossicle.core.errors import UsageError

CHAIN: tuple[Step, ...] = (
    corpus.STEP,
    dataset.STEP,
    store.STEP,
    training.STEP,
    scores.STEP,
    decision.STEP,
    evaluation.STEP,
    bundle.STEP,
    report.STEP,
)


def step_names() -> list[str]:
    """The names of the steps in order."""
    return [step.name for step in CHAIN]


def run_project(project: Project, progress: Progress, until: str | None = None) -> Done:
    """Run a project up to and with ``until`` (else all of it) and leave its results beside the project file.

    Raises UsageError for an unknown step, LockedError while another run writes to the same data root.
    """
    if until is not None and until not in step_names():
        raise UsageError(f"there is no step {until!r}; steps: {', '.join(step_names())}")
    if project.data_root.exists() and not project.data_root.is_dir():
        raise UsageError(f"the data root {project.data_root} is a file; name a folder")
    project.data_root.mkdir(parents=True, exist_ok=True)
    with project_lock(project.data_root):
        done = run_steps(CHAIN, project, progress, until)
        publish(project, done)
    return done


def publish(project: Project, done: Done) -> None:
    """Copy ``metrics.json``, ``bundle/`` and ``report.html`` beside the project file, each whole or not at all."""
    places = {
        "evaluation": ("metrics.json",),
        "bundle": (bundle.FOLDER,),
        "report": (report.PAGE,),
    }
    for step, names in places.items():
        for name in names if step in done.artefacts else ():
            _copy(done.artefacts[step] / name, project.folder / name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        with whole_folder(target, replace=True) as part:
            shutil.copytree(source, part, dirs_exist_ok=True)
    else:
        with whole_file(target) as part:
            shutil.copyfile(source, part)
