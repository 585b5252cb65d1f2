"""Whether a coordinator of a plan runs in Modal, how to start one, and what runs without one."""

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.containers.coordinator import COORDINATOR
from ossicle.app.jobs.modal.copies.handover import send_files
from ossicle.app.jobs.modal.orders import BUSY, FIRST_LEAD, lead_after
from ossicle.app.jobs.modal.requests import PlanRequest
from ossicle.app.jobs.modal.service import COORDINATE, CallState, Service
from ossicle.app.jobs.modal.target import Target, write_target
from ossicle.app.remote.place import FileState, Place
from ossicle.artefacts.files import read_json, write_text
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.filesystem.reading import read_if_there
from ossicle.core.errors import ArtefactError, OssicleError, UsageError

OPEN = frozenset({service.PENDING, service.RUNNING})
"""The states of a call that has not ended."""
_MOST_BYTES = 10_000
_MOST_CALLS_BYTES = 4_000_000
_MOST_WAIT_S = 90.0


@dataclass(frozen=True, slots=True)
class Busy:
    """Which plan works in the folder of a project, the call of its coordinator, and the machine that submitted it."""

    plan: str
    call: str
    host: str


def coordinator_states(modal: Service, target: Target, stage: Path) -> set[str]:
    """Return the states of a plan's coordinators: the one that this machine started last, and the one that leads.

    Either may be the newer one. That which leads has told its call itself, if nobody could record it.

    Parameters
    ----------
    modal
        The service.
    target
        Where the plan is.
    stage
        A local folder for files from the volume.

    Returns
    -------
    set[str]
        States of calls; empty if none was started.

    Raises
    ------
    FetchError
        Modal does not answer.
    """
    place = modal.place(target.place())
    files = place.listing().files
    newest = _newest(files, "leads")
    recorded = _json_of(place, files, stage, f"leads/{newest}.json", _MOST_BYTES).get("call", "")
    calls = sorted({target.coordinator, str(recorded), _text(place, files, stage, f"leading/{newest}")} - {""})
    states = modal.states(calls) if calls else {}
    return {states.get(call, CallState(service.UNKNOWN)).state for call in calls}


def start_coordinator(modal: Service, target: Target, folder: Path, stage: Path) -> Target:
    """Start a coordinator that leads from now on, and record it.

    Its name and that the project is busy are in the volume before it is started. So one that is started without a
    record of its call is found by its own, and ends if another one leads meanwhile.

    Parameters
    ----------
    modal
        The service.
    target
        Where the plan is.
    folder
        The folder of the plan on this machine.
    stage
        A local folder for files for the volume.

    Returns
    -------
    Target
        The target with the call of the coordinator.

    Raises
    ------
    FetchError
        Modal does not answer.
    UsageError
        Modal refuses the coordinator.
    """
    place = modal.place(target.place())
    name = lead_after(_newest(place.listing().files, "leads"))
    make_folder(stage / "leads")

    def record(call: str) -> None:
        write_text(stage / "leads" / f"{name}.json", json.dumps({"call": call}))
        send_files(place, stage, [f"leads/{name}.json"])
        take(modal, target, stage, call)

    record("")
    request = PlanRequest(target.prefix, target.plan, leader=name)
    call = modal.spawn(COORDINATE, request.words(), COORDINATOR)
    started = Target(target.volume, target.prefix, target.plan, call)
    write_target(folder, started)
    record(call)
    return started


def take(modal: Service, target: Target, stage: Path, call: str = "") -> None:
    """Record that a plan works in the folder of the project; coordinators of other plans end.

    Parameters
    ----------
    modal
        The service.
    target
        Where the plan is.
    stage
        A local folder for files for the volume.
    call
        The call of its coordinator; empty if none was started.

    Raises
    ------
    FetchError
        Modal does not answer.
    """
    make_folder(stage)
    write_text(stage / BUSY, json.dumps({"plan": target.plan, "coordinator": call, "host": socket.gethostname()}))
    send_files(modal.place(target.prefix), stage, [BUSY])


def other_plan(modal: Service, target: Target, stage: Path) -> Busy | None:
    """Return the plan that took over the folder of the project; None if it is ``target``'s, or nobody's.

    Parameters
    ----------
    modal
        The service.
    target
        Where the plan is.
    stage
        A local folder for files from the volume.

    Raises
    ------
    FetchError
        Modal does not answer.
    """
    place = modal.place(target.prefix)
    value = _json_of(place, place.listing().files, stage, BUSY, _MOST_BYTES)
    plan, call, host = (str(value.get(key, "")) for key in ("plan", "coordinator", "host"))
    return Busy(plan, call, host) if plan not in ("", target.plan) else None


def refuse_busy(modal: Service, target: Target, stage: Path) -> None:
    """Raise UsageError if jobs of another plan run in the folder of the project.

    Tasks of a plan that no coordinator follows any more are ended: they save their state, and the new plan goes on from
    there.

    Parameters
    ----------
    modal
        The service.
    target
        Where the plan is that is to work there.
    stage
        A local folder for files from the volume.

    Raises
    ------
    FetchError
        Modal does not answer.
    UsageError
        A coordinator follows another plan, or a task of it does not end.
    ArtefactError
        What the coordinator of another plan wrote is damaged.
    """
    busy = other_plan(modal, target, stage)
    if busy is None:
        return
    other = Target(target.volume, target.prefix, busy.plan, busy.call)
    if OPEN & coordinator_states(modal, other, stage):
        raise UsageError(
            f"jobs of plan {busy.plan} run in {target.volume}/{target.prefix} already, submitted on {busy.host}; wait "
            "for their end, or cancel them there: ossicle jobs cancel"
        )
    _end_tasks(modal, other, stage)


def _end_tasks(modal: Service, target: Target, stage: Path) -> None:
    place = modal.place(target.place())
    files = place.listing().files
    known = _json_of(place, files, stage, f"calls/{_newest(files, 'calls')}.json", _MOST_CALLS_BYTES)
    try:
        calls = [str(row["try"]["call"]) for row in known.get("calls", ()) if row["try"]["call"]]
    except (KeyError, TypeError) as problem:
        raise ArtefactError(
            f"what the coordinator of plan {target.plan} wrote in {target.volume}/{target.prefix} is damaged "
            f"({problem}); see on Modal's dashboard that none of its tasks runs, and remove {BUSY} there"
        ) from problem
    end = time.monotonic() + _MOST_WAIT_S
    cancelled_calls: set[str] = set()
    while left := [call for call, state in modal.states(calls).items() if state.state in OPEN]:
        if time.monotonic() > end:
            raise UsageError(
                f"{len(left)} tasks of plan {target.plan} run in {target.volume}/{target.prefix} without a coordinator "
                "and do not end; stop them on Modal's dashboard, and run again"
            )
        modal.cancel([call for call in left if call not in cancelled_calls])
        cancelled_calls |= set(left)
        time.sleep(1.0)


def _newest(files: Mapping[str, FileState], folder: str) -> str:
    names = [path.removeprefix(f"{folder}/").removesuffix(".json") for path in files if path.startswith(f"{folder}/")]
    return max((name for name in names if "/" not in name), default=FIRST_LEAD)


def _text(place: Place, files: Mapping[str, FileState], stage: Path, path: str) -> str:
    if path not in files or files[path].size > _MOST_BYTES:
        return ""
    place.bring(stage, {path: files[path]})
    return read_if_there(stage / path, _MOST_BYTES).decode(errors="replace").strip()


def _json_of(place: Place, files: Mapping[str, FileState], stage: Path, path: str, most: int) -> dict[str, Any]:
    """Return the object in a small file of the volume; an empty one if there is none, or it is damaged."""
    if path not in files or files[path].size > most:
        return {}
    place.bring(stage, {path: files[path]})
    try:
        value = read_json(stage / path)
    except OssicleError:
        return {}
    return value if isinstance(value, dict) else {}
