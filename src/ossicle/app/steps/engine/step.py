"""A step, and how a chain of steps runs: each artefact is reused from the data root, or computed and committed."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ossicle.app.project.load import Project
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.locks.lock import forget_work_unit_locks, work_unit_lock
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import Outcome, RunLog
from ossicle.artefacts.logs.shared_runlog import data_root_log, join_work_unit_logs
from ossicle.artefacts.shelf import JOURNAL, RUN_LOG, Shelf
from ossicle.artefacts.typed.artefact import ArtefactFolder

Folder = TypeVar("Folder", bound=ArtefactFolder)

LOCK_WAIT_S = 10.0
"""Seconds that a run waits for an artefact that another process is making; a killed process may take a while to end."""
WHOLE = "step"
"""The work unit that stands for all of a step's work."""


class Progress(Protocol):
    """Receives how far a run is, and shows it to the user."""

    def begin(self, step: str) -> None:
        """A step starts."""
        ...

    def advance(self, done: int, total: int, note: str = "") -> None:
        """``done`` of ``total`` parts of the step are done."""
        ...

    def say(self, line: str) -> None:
        """Show a message about the running step."""
        ...

    def end(self, step: str, outcome: str, seconds: float) -> None:
        """A step ended with the outcome ``reused`` or ``computed``."""
        ...


class Silent:
    """Shows no progress."""

    def begin(self, step: str) -> None:
        """Do nothing."""

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Do nothing."""

    def end(self, step: str, outcome: str, seconds: float) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Context:
    """The inputs of a step's function: the project, the artefacts that the step needs, and its own folder to write to.

    ``seconds`` holds how long each earlier step took in this run.
    """

    project: Project
    inputs: Mapping[str, Path]
    folder: Path
    progress: Progress
    log: RunLog
    journal: Journal
    seconds: Mapping[str, float]
    _read: dict[type[ArtefactFolder], ArtefactFolder] = field(default_factory=dict, init=False, repr=False)

    def read(self, kind: type[Folder]) -> Folder:
        """Return the artefact of ``kind`` that the step needs: the same object each time, so tables are read once.

        Raises KeyError if the step does not need it.
        """
        if kind not in self._read:
            self._read[kind] = kind.among(self.inputs)
        folder = self._read[kind]
        assert isinstance(folder, kind)
        return folder

    def own(self, kind: type[Folder]) -> Folder:
        """Return the step's own folder as ``kind``, to write to."""
        return kind(self.folder)


@dataclass(frozen=True)
class WorkUnits:
    """The work units of a step: parts that several processes or machines may do in parallel.

    When all are done, the step's function only gathers them.

    Attributes
    ----------
    named_by
        Inputs of the step, by the names of their steps, that determine the work units. They are made before jobs are
        written.
    names
        Returns the names of the work units from the artefacts of ``named_by``.
    chosen
        Returns those of these names that the settings of a project ask for.
    run
        Does one work unit in the step's unfinished folder. The caller holds the lock of the work unit.
    done
        Returns whether a work unit is done in such a folder.
    parallel
        How many work units may run at a time on this machine.
    max_concurrent
        How many tasks may run at a time if ``[jobs.STEP] max_concurrent`` is not set; 0 sets no limit.
    """

    named_by: tuple[str, ...]
    names: Callable[[Mapping[str, Path]], tuple[str, ...]]
    run: Callable[[Context, str], None]
    done: Callable[[Path, str], bool]
    parallel: Callable[[Project], int] = lambda project: project.settings.project.workers
    max_concurrent: int = 0
    chosen: Callable[[Project, tuple[str, ...]], tuple[str, ...]] = lambda project, names: names

    def names_from(self, artefacts: Mapping[str, Path]) -> tuple[str, ...]:
        """Return the names of the work units; raises KeyError if an artefact of ``named_by`` is missing."""
        return self.names({name: artefacts[name] for name in self.named_by})

    def names_of(self, project: Project, artefacts: Mapping[str, Path]) -> tuple[str, ...]:
        """Return the names of the work units of a project; raises KeyError as :meth:`names_from` does."""
        return self.chosen(project, self.names_from(artefacts))


@dataclass(frozen=True)
class Step:
    """One step: its name and version, the steps it reads, the settings that shape it, and its function.

    ``extra`` returns further inputs by name (digests of files outside the data root). ``reads`` replaces the content
    digest of a needed step by the digest of the part that is really read. Files and folders named in ``logs`` record
    how the artefact was made and are not part of its content digest. Keys of settings in ``only_reported`` shape what
    the step reports, and no figure of a run. A step with ``work_units`` may be done in parts
    (:mod:`ossicle.app.steps.pipeline.work_units`).
    """

    name: str
    version: int
    needs: tuple[str, ...]
    settings: Callable[[Project], Mapping[str, Any]]
    run: Callable[[Context], None]
    extra: Callable[[Project], Mapping[str, str]] = lambda project: {}
    reads: Mapping[str, Callable[[Path], str]] = field(default_factory=dict)
    logs: tuple[str, ...] = ()
    work_units: WorkUnits | None = None
    only_reported: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Reject work units that are named by an artefact which the step does not read."""
        if self.work_units is not None and (strange := [n for n in self.work_units.named_by if n not in self.needs]):
            raise ValueError(f"step {self.name!r}: its work units are named by {strange[0]!r}, which it does not need")


@dataclass(frozen=True)
class Done:
    """The artefacts of a run by step, the outcome of each step, and how long it took."""

    artefacts: Mapping[str, Path]
    outcomes: Mapping[str, str]
    seconds: Mapping[str, float]


def fingerprint(step: Step, project: Project, shelf: Shelf, artefacts: Mapping[str, Path]) -> Fingerprint:
    """Return the fingerprint of a step: its name, version, settings and inputs.

    Parameters
    ----------
    step
        The step.
    project
        The project with the settings of the step.
    shelf
        The artefacts of the data root.
    artefacts
        Artefacts by step, including those that the step needs.
    """
    inputs = dict(step.extra(project))
    for name in step.needs:
        read = step.reads.get(name)
        inputs[name] = read(artefacts[name]) if read else shelf.content(artefacts[name])
    return Fingerprint(step.name, step.version, dict(step.settings(project)), inputs)


def run_steps(steps: Sequence[Step], project: Project, progress: Progress, again: Collection[str] = ()) -> Done:
    """Run a chain of steps in order, and reuse artefacts that exist already.

    Parameters
    ----------
    steps
        The steps, each after those that it needs.
    project
        The project to run.
    progress
        Where the steps report how far they are.
    again
        Names of steps to compute even if their artefacts exist.

    Returns
    -------
    Done
        The artefact, outcome and duration in seconds of every step.

    Raises
    ------
    LockedError
        Another process is still making one of the artefacts after :data:`LOCK_WAIT_S` seconds.
    """
    shelf = Shelf(project.data_root)
    artefacts: dict[str, Path] = {}
    outcomes: dict[str, str] = {}
    seconds: dict[str, float] = {}
    log = data_root_log(shelf.root)
    for step in steps:
        began = time.monotonic()
        progress.begin(step.name)
        made_from = fingerprint(step, project, shelf, artefacts)
        fresh = step.name in again
        path = None if fresh else shelf.find(made_from)
        if path is not None:
            # A process that was killed as it finished the artefact leaves its lock there.
            forget_work_unit_locks(path)
        outcome: Outcome = "computed" if path is None else "reused"
        artefacts[step.name] = path or compute(step, made_from, shelf, project, progress, artefacts, seconds, fresh)
        outcomes[step.name], seconds[step.name] = outcome, time.monotonic() - began
        log.work_unit(step.name, made_from.digest, outcome, seconds[step.name])
        progress.end(step.name, outcome, seconds[step.name])
    return Done(artefacts, outcomes, seconds)


def find_steps(steps: Sequence[Step], project: Project) -> dict[str, Path | None]:
    """Find the artefacts of steps under the current settings, without running anything.

    Parameters
    ----------
    steps
        The steps, each after those that it needs.
    project
        The project.

    Returns
    -------
    dict[str, Path | None]
        The artefact of each step; None from the first step that must be computed.
    """
    shelf = Shelf(project.data_root)
    artefacts: dict[str, Path] = {}
    paths: dict[str, Path | None] = dict.fromkeys(step.name for step in steps)
    for step in steps:
        if any(name not in artefacts for name in step.needs):
            continue
        path = shelf.find(fingerprint(step, project, shelf, artefacts))
        if path is not None:
            artefacts[step.name] = paths[step.name] = path
    return paths


def compute(
    step: Step,
    made_from: Fingerprint,
    shelf: Shelf,
    project: Project,
    progress: Progress,
    artefacts: Mapping[str, Path],
    seconds: Mapping[str, float],
    replace: bool,
    wait_s: float = LOCK_WAIT_S,
) -> Path:
    """Run a step in its unfinished folder and commit the result to the data root, one process at a time.

    Raises
    ------
    LockedError
        Another process still holds the lock of the artefact after ``wait_s`` seconds.
    """
    folder = shelf.begin(made_from)
    needed = {name: artefacts[name] for name in step.needs}
    with work_unit_lock(folder, WHOLE, wait_s):
        # The previous holder of the lock may have finished it.
        if not replace and (path := shelf.find(made_from)) is not None:
            shelf.leave(made_from)
            return path
        log, journal = RunLog(folder / RUN_LOG), Journal(folder / JOURNAL)
        step.run(Context(project, needed, folder, progress, log, journal, dict(seconds)))
        join_work_unit_logs(folder)
        return shelf.commit(made_from, step.logs, replace=replace)


def work_unit_journal(folder: Path, work_unit: str) -> Journal:
    """Return the journal of one work unit; each has its own, because a journal has one writer at a time."""
    return Journal(folder / "logs" / f"{work_unit}.jsonl")
