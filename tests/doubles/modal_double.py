"""Modal without Modal: a folder is the volume, and each container a process of its own."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.containers.coordinator import coordinate
from ossicle.app.jobs.modal.service import COORDINATE, CallState, Mount, Resources
from ossicle.app.jobs.pool import PROGRAM
from ossicle.app.remote.modal_place import ModalPlace
from ossicle.core.errors import UsageError

from .volume_double import DoubleErrors, DoubleVolume

# A container: SIGTERM stands for Modal's signal, which raises an exception in the function.
CONTAINER = """
import json, signal, sys
from pathlib import Path
from ossicle.app.jobs.modal.containers.container import run_task
class Mount:
    folder = Path(sys.argv[1])
    def reload(self): pass
    def commit(self): pass
def leave(number, frame):
    raise KeyboardInterrupt
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, leave)
sys.exit(run_task(Mount(), json.loads(sys.argv[2]), json.loads(sys.argv[3]), call=sys.argv[4]))
"""
GRACE_S = 60


@dataclass(frozen=True)
class FolderMount:
    folder: Path

    def reload(self) -> None:
        """Nothing: the folder is the volume."""

    def commit(self) -> None:
        """Nothing: the folder is the volume."""


@dataclass
class Call:
    resources: Resources
    process: "subprocess.Popen[bytes] | None" = None
    thread: threading.Thread | None = None
    problem: list[BaseException] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)


class ModalDouble:
    """Containers, and the volume; :meth:`close` ends everything."""

    poll_s = 0.05
    """Seconds between two looks of a coordinator."""

    def __init__(self, folder: Path, program: Sequence[str] = PROGRAM, token: bool = True) -> None:
        self.folder, self.program, self.token = folder, tuple(program), token
        self.calls: dict[str, Call] = {}
        self.volumes: list[str] = []
        # How many of the next coordinators die after their first look.
        self.dying = 0
        self.spawned: list[tuple[str, dict[str, object], Resources]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def named(self, volume: str) -> "ModalDouble":
        """What takes the place of ``connect``."""
        self.volumes.append(volume)
        return self

    def require(self) -> None:
        if not self.token:
            raise UsageError("no token")

    def place(self, prefix: str) -> ModalPlace:
        return ModalPlace(DoubleVolume(self.folder), prefix, DoubleErrors())

    def dashboard(self) -> str:
        return "https://modal.example/apps/ap-1"

    def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
        name, call = f"fc-{len(self.calls) + 1}", Call(resources)
        self.calls[name] = call
        self.spawned.append((function, dict(request), resources))
        if function == COORDINATE:
            if self.dying:
                self.dying -= 1
                call.stopped.set()
            call.thread = threading.Thread(
                target=self._coordinate, args=(name, call, {**request, "poll_s": self.poll_s})
            )
            call.thread.start()
        else:
            call.process = self._task(name, request)
        return name

    def states(self, ids: Sequence[str]) -> dict[str, CallState]:
        return {one: self._state(self.calls[one]) for one in ids if one in self.calls}

    def cancel(self, ids: Sequence[str]) -> None:
        for one in ids:
            call = self.calls[one]
            call.stopped.set()
            if call.process is not None and call.process.poll() is None:
                call.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        self.cancel(list(self.calls))
        for call in self.calls.values():
            if call.process is not None:
                call.process.wait(GRACE_S)
            if call.thread is not None:
                call.thread.join(GRACE_S)

    def _mount(self) -> Mount:
        return FolderMount(self.folder)

    def _task(self, name: str, request: Mapping[str, object]) -> "subprocess.Popen[bytes]":
        """Start the container of a call."""
        return subprocess.Popen(
            [
                *(sys.executable, "-P", "-c", CONTAINER),
                *(str(self.folder), json.dumps(request), json.dumps(self.program), name),
            ]
        )

    def _coordinate(self, name: str, call: Call, request: Mapping[str, object]) -> None:
        try:
            coordinate(self._mount(), self, request, _until_stopped(call.stopped), name)
        except BaseException as problem:  # noqa: BLE001 - the test reads it
            call.problem.append(problem)

    def _state(self, call: Call) -> CallState:
        if call.thread is not None:
            if call.thread.is_alive():
                return CallState(service.RUNNING)
            return CallState(service.FAILED, None, repr(call.problem)) if call.problem else CallState(service.DONE, 0)
        assert call.process is not None
        code = call.process.poll()
        if code is None:
            return CallState(service.RUNNING)
        # An exception ends the process with 1 or a signal; Modal has no value then.
        if call.stopped.is_set() or code < 0:
            return CallState(service.FAILED, None, "cancelled")
        return CallState(service.DONE, code)


def _until_stopped(stopped: threading.Event) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        if stopped.wait(seconds):
            raise SystemExit

    return sleep


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait, and fail after some time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
