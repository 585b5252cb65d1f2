"""Whether a container may do the work of a task: only the call that the leading coordinator recorded for it may.

A coordinator can be taken away between the start of a call and its record. The next one starts the task again, and both
containers come up. No lock can part them, so each reads what the leading coordinator committed:

- its own call is recorded: it works, also when Modal starts the same call in another container;
- another call is recorded, or the attempt is over: it ends;
- nothing is recorded yet: it waits.

A coordinator records only what it started or found, and takes over all records of those before it. So of all calls for
a task one works at a time.
"""

import time
from collections.abc import Callable

from ossicle.app.jobs.modal.orders import VolumePlan
from ossicle.app.jobs.modal.requests import TaskRequest
from ossicle.app.jobs.modal.service import Mount
from ossicle.artefacts.files import read_json
from ossicle.core.errors import FetchError

EXIT_NOT_MINE = 75
"""The value of a call that did nothing, because its task is another call's."""
_POLL_S = 1.0
_MOST_S = 600.0


def turn(files: VolumePlan, request: TaskRequest, call: str) -> bool | None:
    """Return whether a call may do the work of a task, from what is visible now.

    Parameters
    ----------
    files
        The files of the plan.
    request
        Which task, and which attempt.
    call
        The id of the call.

    Returns
    -------
    bool or None
        None if the leading coordinator has not recorded the attempt.

    Raises
    ------
    ArtefactError
        What it recorded is damaged.
    """
    known = files.calls(files.newest_lead())
    if not known.exists():
        return None
    for row in read_json(known)["calls"]:
        if (row["job"], row["index"]) == (request.job, request.index):
            if row["try"]["attempt"] < request.attempt:
                return None
            return bool(row["try"]["attempt"] == request.attempt and row["try"]["call"] == call)
    return None


def wait_for_turn(
    mount: Mount,
    files: VolumePlan,
    request: TaskRequest,
    call: str,
    sleep: Callable[[float], None] = time.sleep,
    most_s: float = _MOST_S,
) -> bool:
    """Wait until it is known whether a call may do the work of a task, and return it.

    Parameters
    ----------
    mount
        The volume; it is loaded again meanwhile.
    files, request, call
        As for :func:`turn`.
    sleep
        Waits for some seconds.
    most_s
        How long to wait. A coordinator that comes later starts the task again.

    Raises
    ------
    ArtefactError
        What the coordinator recorded is damaged.
    """
    waited = 0.0
    while (may_work := turn(files, request, call)) is None:
        if waited >= most_s:
            return False
        sleep(_POLL_S)
        waited += _POLL_S
        try:
            mount.reload()
        except FetchError:
            # Modal answers later.
            continue
    return may_work
