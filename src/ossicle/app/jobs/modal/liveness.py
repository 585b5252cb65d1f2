"""Whether a coordinator of a plan runs in Modal."""

from pathlib import Path

from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.service import CallState, Service
from ossicle.app.jobs.modal.target import Target
from ossicle.artefacts.files import read_json
from ossicle.core.errors import OssicleError

SUCCESSOR = "coordinator.json"
OPEN = frozenset({service.PENDING, service.RUNNING})
"""The states of a call that has not ended."""
_MOST_BYTES = 10_000


def coordinator_states(modal: Service, target: Target, stage: Path) -> set[str]:
    """Return the states of a plan's coordinators: the one that this machine started last, and the successor of one.

    Either may be the newer one.

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
    calls = sorted({target.coordinator, _successor(modal, target, stage)} - {""})
    states = modal.states(calls) if calls else {}
    return {states.get(call, CallState(service.UNKNOWN)).state for call in calls}


def _successor(modal: Service, target: Target, stage: Path) -> str:
    """Return the call that goes on in place of a coordinator at its limit; empty if there is none."""
    place = modal.place(target.place())
    found = place.listing().files.get(SUCCESSOR)
    if found is None or found.size > _MOST_BYTES:
        return ""
    place.bring(stage, {SUCCESSOR: found})
    try:
        return str(read_json(stage / SUCCESSOR)["call"])
    except (OssicleError, KeyError, TypeError):
        return ""
