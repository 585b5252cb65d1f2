"""Run the stages of the checklist one after the other: each finished stage is recorded, and a run continues there."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from ossicle import __version__
from ossicle.app.api.checks.stages import STAGES, Stage, Work, refused
from ossicle.app.steps.data.corpus import listing
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.logs.environment import environment
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.plain import plain
from ossicle.core.digest import digest
from ossicle.core.errors import GateRefused, OssicleError, UsageError
from ossicle.core.settings import digestible
from ossicle.core.text.suggestion import did_you_mean

JOURNAL = "checklist.jsonl"
"""In the data root: the finished stages."""
DONE, DONE_BEFORE, NEEDLESS, TO_DO = "done", "done before", "not needed", "to do"
NOT_CHOSEN, ON_REQUEST, REFUSED, FAILED = "not chosen", "on request", "refused", "failed"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stages run.

    Attributes
    ----------
    first
        Begin with this stage, and run it and the later ones even if they are done; empty: with the first.
    only
        Only these stages, even if they are done; none: all.
    skip
        Not these.
    also
        These too, of those that run only on request.
    """

    first: str = ""
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageResult:
    """How a stage ended, after how many seconds, and what it says."""

    name: str
    outcome: str
    seconds: float
    message: str


@dataclass(frozen=True, slots=True)
class _States:
    """Digests of what stages depend on: the project and its files, the installation, and what is judged."""

    project: str
    installation: str
    judged: tuple[str, ...]

    def of(self, stage: Stage) -> str:
        """Return the digest of what a stage depends on."""
        state = self.project if stage.of_project else self.installation
        return digest([state, self.judged]) if stage.judges else state


def chosen_stages(selection: Selection, stages: Sequence[Stage] = STAGES) -> tuple[Stage, ...]:
    """Return the stages to run, in order.

    Raises
    ------
    UsageError
        There is no stage of a name, or no stage is left.
    """
    names = [stage.name for stage in stages]
    options = {
        "--from": [selection.first] if selection.first else [],
        "--only": selection.only,
        "--skip": selection.skip,
        "--with": selection.also,
    }
    for option, named_stages in options.items():
        for name in named_stages:
            if name not in names:
                raise UsageError(f"{option} {name}: there is no such stage; {did_you_mean(name, names)}")
    begin = names.index(selection.first) if selection.first else 0
    requested = {selection.first, *selection.only, *selection.also}
    chosen = tuple(
        stage
        for position, stage in enumerate(stages)
        if position >= begin
        and (not selection.only or stage.name in selection.only)
        and stage.name not in selection.skip
        and (not stage.on_request or stage.name in requested)
    )
    if not chosen:
        raise UsageError("--from, --only and --skip leave no stage to run")
    return chosen


def planned(work: Work, selection: Selection, stages: Sequence[Stage] = STAGES) -> list[StageResult]:
    """Return what a run would do with each stage, without doing it."""
    work.chosen = tuple(stage.name for stage in chosen_stages(selection, stages))
    file, states = work.base.data_root / JOURNAL, _states(work)
    # A journal makes its folder.
    journal = Journal(file) if file.exists() else None
    results = []
    for stage in stages:
        if stage.name not in work.chosen:
            is_request = stage.on_request and stage.name not in selection.skip
            outcome, reason = (ON_REQUEST, f"--with {stage.name}") if is_request else (NOT_CHOSEN, "")
        elif reason := stage.needless(work):
            outcome = NEEDLESS
        else:
            before = _done_before(stage, journal, states, selection)
            outcome, reason = (DONE_BEFORE, before) if before is not None else (TO_DO, stage.about)
        results.append(StageResult(stage.name, outcome, 0.0, reason))
    return results


def run_checklist(work: Work, selection: Selection, stages: Sequence[Stage] = STAGES) -> Iterator[StageResult]:
    """Run the chosen stages, and yield how each ended; the last one may be refused or have failed, which also raises.

    A stage that was finished under the same settings and files is not run again, unless it was named.

    Parameters
    ----------
    work
        What the stages work on; ``chosen`` is set.
    selection
        Which stages run.
    stages
        All stages.

    Raises
    ------
    GateRefused
        A gate refused; the later stages are not run.
    LockedError
        Another checklist runs on the same data root.
    OssicleError
        A stage failed.
    """
    chosen = chosen_stages(selection, stages)
    work.chosen = tuple(stage.name for stage in chosen)
    with work_unit_lock(work.base.data_root, "checklist"):
        journal, states = Journal(work.base.data_root / JOURNAL), _states(work)
        for position, stage in enumerate(chosen):
            if reason := stage.needless(work):
                yield StageResult(stage.name, NEEDLESS, 0.0, reason)
                continue
            if (before := _done_before(stage, journal, states, selection)) is not None:
                yield StageResult(stage.name, DONE_BEFORE, 0.0, before)
                continue
            began = time.monotonic()
            try:
                message = stage.run(work)
            except GateRefused as refusal:
                yield StageResult(stage.name, REFUSED, time.monotonic() - began, _first_line(refusal))
                following = next((later_stage.name for later_stage in chosen[position + 1 :]), "")
                raise refused(stage, refusal, following) from refusal
            except OssicleError as error:
                yield StageResult(stage.name, FAILED, time.monotonic() - began, _first_line(error))
                raise
            seconds = time.monotonic() - began
            journal.mark(stage.name, state=states.of(stage), seconds=round(seconds, 1), message=message)
            yield StageResult(stage.name, DONE, seconds, message)


def _first_line(error: OssicleError) -> str:
    return str(error).partition("\n")[0].rstrip(":")


def _done_before(stage: Stage, journal: Journal | None, states: _States, selection: Selection) -> str | None:
    """Return what a finished stage said; None if it is to be run."""
    record = None if journal is None else journal.done(stage.name)
    if selection.first or selection.only or stage.on_request or record is None:
        return None
    return str(record["message"]) if record.get("state") == states.of(stage) else None


def _states(work: Work) -> _States:
    settings = {}
    for name, project in work.projects.items():
        digested = digestible(project.settings)
        # Where things are and how they are computed changes no result.
        for table in ("project", "jobs", "roots"):
            digested.pop(table, None)
        # Limits of gates change no artefact, and may let a stage pass.
        limits = (project.settings.health, project.settings.promotion, project.settings.probe_gate)
        settings[name] = [digested, [asdict(limit) for limit in limits]]
    known = environment()
    installed = [known["python"], known["machine"], known["packages"], __version__]
    judged = tuple(judged_project.variant for judged_project in work.judged)
    return _States(digest([plain(settings), listing(work.base), __version__]), digest(installed), judged)
