"""What the runner needs of Modal: calls in containers, and a volume that they share. Only ``sdk`` imports Modal.

Two functions run in containers, both with the volume mounted. :data:`TASK` runs the command line of one task
(:mod:`ossicle.app.jobs.modal.containers.container`). :data:`COORDINATE` starts the tasks of the jobs of a plan one
after the other, and writes their states (:mod:`ossicle.app.jobs.modal.containers.coordinator`). So a run goes on
without the machine that submitted it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ossicle.app.remote.place import Place

TASK, COORDINATE = "run_task", "coordinate"
PENDING, RUNNING, DONE, FAILED, UNKNOWN = "pending", "running", "done", "failed", "unknown"


@dataclass(frozen=True, slots=True)
class Resources:
    """What a container gets.

    Parameters
    ----------
    cpus
        Cores; 0 for Modal's default (an eighth of a core, more if the machine has some free).
    memory_mb
        Memory in MiB; 0 for Modal's default.
    gpu
        Kind and number of GPUs, as ``L4`` or ``A100:2``; empty for none.
    timeout_s
        Seconds after which Modal ends the container.
    max_containers
        How many containers of this kind may run at a time; 0 for no limit.
    """

    cpus: float = 0.0
    memory_mb: int = 0
    gpu: str = ""
    timeout_s: int = 3600
    max_containers: int = 0


@dataclass(frozen=True, slots=True)
class CallState:
    """A call: ``pending``, ``running``, ``done`` with the value ``code``, ``failed`` with a reason, or ``unknown``.

    ``failed`` means that the container did not return (killed, out of memory, timeout, cancelled).
    """

    state: str
    code: int | None = None
    reason: str = ""


class Containers(Protocol):
    """Starts calls in containers and follows them."""

    def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
        """Start :data:`TASK` or :data:`COORDINATE` with keyword arguments, and return the id of the call."""
        ...

    def states(self, ids: Sequence[str]) -> Mapping[str, CallState]:
        """Return the states of calls; raises FetchError if Modal does not answer."""
        ...

    def cancel(self, ids: Sequence[str]) -> None:
        """End calls; containers that run are asked to save. Calls that ended already are passed over."""
        ...


class Service(Containers, Protocol):
    """Containers, and the volume as this machine sees it."""

    def require(self) -> None:
        """Raise UsageError if there is no token, or Modal refuses it."""
        ...

    def place(self, prefix: str) -> Place:
        """Return a folder of the volume, which is made when it is first written to."""
        ...

    def dashboard(self) -> str:
        """Return the address of a page that shows the containers; empty if it is not known."""
        ...


class Mount(Protocol):
    """The volume in a container: a folder whose contents are those of its start or of the last ``reload``."""

    @property
    def folder(self) -> Path:
        """Where the volume is mounted."""
        ...

    def reload(self) -> None:
        """Show what other containers committed; no file may be open. Raises FetchError if Modal does not answer."""
        ...

    def commit(self) -> None:
        """Make what was written visible; the last writer of a file wins. Raises FetchError if Modal does not answer."""
        ...
