"""Run one work unit in its step's unfinished folder, in parallel with others, in any process on any machine.

Nothing here takes the lock of the project. Each work unit has its own lock, so the tasks of an array run in parallel.
A process waits for a work unit that another process is doing, and then finds it done.

The tasks of a plan of jobs only leave their work unit, and a task of its own commits the step (:func:`gather_step`):
on a place that shows each process a snapshot, no task can know that it is the last one. A work unit that is run by
hand commits the step if it finds all others done.
"""

import math
import time
from pathlib import Path
from shlex import quote

from ossicle.app.project.load import Project
from ossicle.app.project.places import refuse_links
from ossicle.app.steps.engine.step import Context, Progress, Step, compute, fingerprint, work_unit_journal
from ossicle.app.steps.pipeline.pipelines import chosen_steps, steps_of
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.logs.runlog import Outcome
from ossicle.artefacts.logs.shared_runlog import data_root_log, work_unit_log
from ossicle.artefacts.shelf import Shelf
from ossicle.core.errors import OssicleError, UsageError


def work_unit_steps(project: Project) -> list[str]:
    """Return the steps of a project that have work units."""
    return [step.name for step in steps_of(project) if step.work_units is not None]


def work_units_left(step: Step, project: Project, artefacts: dict[str, Path]) -> tuple[str, ...]:
    """Return the work units of a step that are not done yet; empty if the step is finished.

    Parameters
    ----------
    step
        A step with work units.
    project
        The project.
    artefacts
        Finished artefacts by step. While an input of the step is missing, all its work units are returned.

    Raises
    ------
    KeyError
        An artefact that names the work units is missing.
    """
    assert step.work_units is not None
    names = step.work_units.names_of(project, artefacts)
    if any(name not in artefacts for name in step.needs):
        return names
    shelf = Shelf(project.data_root)
    made_from = fingerprint(step, project, shelf, artefacts)
    if shelf.find(made_from) is not None:
        return ()
    folder = shelf.unfinished(made_from)
    return tuple(name for name in names if not step.work_units.done(folder, name))


def run_work_unit(project: Project, step_name: str, work_unit: str, progress: Progress, *, gather: bool = True) -> str:
    """Do one work unit of a step, unless it is done already.

    Parameters
    ----------
    project
        The project.
    step_name
        The name of the step.
    work_unit
        The name of its work unit.
    progress
        Where the step reports how far it is.
    gather
        Commit the step if all its work units are done, and earlier steps likewise. If not, nothing is written but the
        work unit's own files.

    Returns
    -------
    str
        ``reused`` or ``computed``.

    Raises
    ------
    UsageError
        There is no such step or work unit, or a step that it needs is not finished.
    """
    refuse_links(project.data_root, ())
    step = _step(project, step_name)
    assert step.work_units is not None
    shelf, began = Shelf(project.data_root), time.monotonic()
    artefacts = _needed(step, project, progress, gather=gather)
    names = step.work_units.names_of(project, artefacts)
    if work_unit not in names:
        raise UsageError(f"{step.name} has no work unit {work_unit!r}; work units: {', '.join(names)}")
    made_from = fingerprint(step, project, shelf, artefacts)
    outcome: Outcome = "reused"
    progress.begin(f"{step.name} {work_unit}")
    if shelf.find(made_from) is None:
        folder = shelf.begin(made_from)
        with work_unit_lock(folder, work_unit, math.inf):
            # The previous holder of the lock may have done it, and another process may have committed the whole step.
            if shelf.find(made_from) is not None:
                shelf.leave(made_from)
            elif not step.work_units.done(folder, work_unit):
                needed = {name: artefacts[name] for name in step.needs}
                log, journal = work_unit_log(folder, work_unit), work_unit_journal(folder, work_unit)
                step.work_units.run(Context(project, needed, folder, progress, log, journal, {}), work_unit)
                outcome = "computed"
        if gather:
            _gather(step, made_from, project, artefacts, progress)
    seconds = time.monotonic() - began
    data_root_log(shelf.root).work_unit(step.name, f"{made_from.digest} {work_unit}", outcome, seconds)
    progress.end(f"{step.name} {work_unit}", outcome, seconds)
    return outcome


def gather_step(project: Project, step_name: str, progress: Progress) -> str:
    """Commit a step whose work units are all done; the task of a plan that comes after those of the work units.

    Parameters
    ----------
    project
        The project.
    step_name
        The name of a step with work units.
    progress
        Where the step reports how far it is.

    Returns
    -------
    str
        ``reused`` or ``computed``.

    Raises
    ------
    UsageError
        There is no such step, or a step that it needs is not finished.
    OssicleError
        A work unit is not done; the message names all of them.
    """
    refuse_links(project.data_root, ())
    step = _step(project, step_name)
    assert step.work_units is not None
    shelf, began = Shelf(project.data_root), time.monotonic()
    artefacts = _needed(step, project, progress, gather=False)
    made_from = fingerprint(step, project, shelf, artefacts)
    outcome: Outcome = "reused"
    progress.begin(f"{step.name} gather")
    if shelf.find(made_from) is None:
        if left := work_units_left(step, project, artefacts):
            names = step.work_units.names_of(project, artefacts)
            raise OssicleError(
                f"{step.name} cannot be gathered: {len(left)} of {len(names)} work units are not done: "
                f"{', '.join(left)}; do them: {_run_line(step, project)}"
            )
        compute(step, made_from, shelf, project, progress, artefacts, {}, False, math.inf)
        outcome = "computed"
    seconds = time.monotonic() - began
    data_root_log(shelf.root).work_unit(step.name, made_from.digest, outcome, seconds)
    progress.end(f"{step.name} gather", outcome, seconds)
    return outcome


def _step(project: Project, name: str) -> Step:
    for step in steps_of(project):
        if step.name == name and step.work_units is not None:
            return step
    raise UsageError(f"{name!r} has no work units; steps with work units: {', '.join(work_unit_steps(project))}")


def _needed(step: Step, project: Project, progress: Progress, *, gather: bool) -> dict[str, Path]:
    """Return the artefacts of the earlier steps; with ``gather``, one whose work units are all done is committed."""
    shelf = Shelf(project.data_root)
    artefacts: dict[str, Path] = {}
    for earlier in chosen_steps(project, [step.name])[:-1]:
        made_from = fingerprint(earlier, project, shelf, artefacts)
        path = shelf.find(made_from)
        if path is None and gather:
            path = _gather(earlier, made_from, project, artefacts, progress)
        if path is None:
            raise UsageError(f"{step.name} needs {earlier.name}, which is not done: {_run_line(earlier, project)}")
        artefacts[earlier.name] = path
    return artefacts


def _run_line(step: Step, project: Project) -> str:
    """Return the command that does a step."""
    return f"ossicle run {step.name} -p {quote(str(project.file))}" + (
        f" --variant {quote(project.variant)}" if project.variant else ""
    )


def _gather(
    step: Step, made_from: Fingerprint, project: Project, artefacts: dict[str, Path], progress: Progress
) -> Path | None:
    """Commit a step whose work units are all done and return its artefact; None if a work unit is left."""
    if step.work_units is None:
        return None
    shelf = Shelf(project.data_root)
    if (path := shelf.find(made_from)) is not None:
        return path
    folder = shelf.unfinished(made_from)
    if not all(step.work_units.done(folder, name) for name in step.work_units.names_of(project, artefacts)):
        # Look again: another process may commit the step at this moment, and its unfinished work units are then gone.
        return shelf.find(made_from)
    return compute(step, made_from, shelf, project, progress, artefacts, {}, False, math.inf)
