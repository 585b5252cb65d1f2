"""Modal without Modal over a volume of snapshots: nobody sees what was not committed, and containers are taken away."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ossicle.app.jobs.modal.service import CallState, Mount
from ossicle.app.jobs.pool import PROGRAM
from ossicle.app.remote.modal_place import ModalPlace

from .modal_double import Call, ModalDouble
from .snapshot_volume import EXIT_SAVED, Lost, SnapshotMount, SnapshotVolume, lost
from .volume_double import DoubleEntry, DoubleErrors, DoubleUpload, DoubleVolume

LIMIT, PREEMPTED, KILLED, DIED = "limit", "preempted", "killed", "died"
"""Asked to save at its limit; taken away with a warning; without one; and only the coordinator starts it again."""
GUARD = (sys.executable, "-S", str(Path(__file__).with_name("snapshot_volume.py")))


class HeldVolume(DoubleVolume):
    """The volume of containers as this machine sees it: what is committed, and nothing half committed."""

    def __init__(self, volume: SnapshotVolume) -> None:
        super().__init__(volume.files)
        self._volume = volume

    @contextmanager
    def batch_upload(self, force: bool = False) -> Iterator[DoubleUpload]:
        upload = DoubleUpload()
        yield upload
        with self._volume.held():
            self.put(upload, force)

    def listdir(self, path: str, *, recursive: bool = False) -> list[DoubleEntry]:
        with self._volume.held():
            return super().listdir(path, recursive=recursive)


@dataclass(frozen=True)
class Trouble:
    """What happens to a container, so many seconds after its start, or after it first saved something."""

    kind: str
    saved: bool
    after_s: float


class Troubles:
    """Troubles of random tasks at random moments, at most two for each task.

    Parameters
    ----------
    kinds
        How many of each kind.
    seed
        Which tasks meet them, and when.
    """

    def __init__(self, kinds: Mapping[str, int] | None = None, seed: int = 0) -> None:
        self._left = [kind for kind, number in (kinds or {}).items() for _ in range(number)]
        self._draw, self._met = random.Random(seed), dict[str, int]()
        self._escaped = Counter[str]()
        self._draw.shuffle(self._left)
        self.came: list[str] = []

    def next(self, task: str) -> Trouble | None:
        """Return the trouble of a new container that runs this task; None for none."""
        if not self._left or self._met.get(task, 0) >= 2:
            return None
        self._met[task] = self._met.get(task, 0) + 1
        kind, saved = self._left.pop(), self._draw.random() < 0.5
        if self._escaped[kind]:
            self._escaped[kind] -= 1
            return Trouble(kind, False, 1.0 if kind == LIMIT else self._draw.uniform(0.1, 1.0))
        if kind == LIMIT:
            return Trouble(kind, False, self._draw.uniform(1.0, 9.0))
        return Trouble(kind, saved, self._draw.uniform(0.1, 2.0 if saved else 9.0))

    def escaped(self, trouble: Trouble) -> None:
        """Keep the trouble of a container that was done before it came for the next one, to which it comes early."""
        self._left.append(trouble.kind)
        self._escaped[trouble.kind] += 1


@dataclass
class Container:
    """A process over a view of its own, and what is to happen to it."""

    view: Path
    process: "subprocess.Popen[bytes]"
    trouble: Trouble | None
    began: float = field(default_factory=time.monotonic)
    noted: int = 0
    saved: float | None = None

    @property
    def scratch(self) -> Path:
        """Its folder for temporary files, in which the task notes when it saves something."""
        return self.view.with_name(f"{self.view.name}-tmp")

    def is_due(self) -> bool:
        """Whether its trouble is to come now."""
        if self.trouble is None or self.trouble.kind == LIMIT:
            return False
        now, since = time.monotonic(), self.began
        if self.trouble.saved:
            for note in self.scratch.glob("*/saved"):
                changed = note.stat().st_mtime_ns
                self.noted = self.noted or changed
                if self.saved is None and changed != self.noted:
                    self.saved = now
            if self.saved is None:
                return False
            since = self.saved
        return now - since > self.trouble.after_s


class SnapshotModal(ModalDouble):
    """Containers over snapshots of a volume; see :class:`ModalDouble`.

    Parameters
    ----------
    folder
        Where the volume and the views of containers lie.
    program
        The command that runs ``ossicle``.
    troubles
        What happens to containers before they are done; nothing by default.
    """

    poll_s = 0.2

    def __init__(self, folder: Path, program: Sequence[str] = PROGRAM, troubles: Troubles | None = None) -> None:
        self.volume = SnapshotVolume(folder)
        super().__init__(self.volume.files, (*GUARD, *program))
        self.troubles = troubles or Troubles()
        self.lost: list[Lost] = []
        """What each container that was killed had not committed."""
        self.most = 0
        """The most containers that ran tasks at a time."""
        self._views, self._running = folder / "views", dict[str, Container]()
        self._requests: dict[str, dict[str, Any]] = {}
        self._number = 0
        self._guard = threading.RLock()
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    def place(self, prefix: str) -> ModalPlace:
        return ModalPlace(HeldVolume(self.volume), prefix, DoubleErrors())

    def cancel(self, ids: Sequence[str]) -> None:
        with self._guard:
            super().cancel(ids)

    def close(self) -> None:
        self._closed.set()
        self._watcher.join()
        super().close()

    def _mount(self) -> Mount:
        return SnapshotMount(self.volume, self._view())

    def _task(self, name: str, request: Mapping[str, object]) -> "subprocess.Popen[bytes]":
        with self._guard:
            self._requests[name] = dict(request)
            return self._contained(name)

    def _view(self) -> Path:
        with self._guard:
            self._number += 1
            return self._views / str(self._number)

    def _contained(self, name: str) -> "subprocess.Popen[bytes]":
        request, view = self._requests[name], self._view()
        trouble = self.troubles.next(f"{request['job']}/{request['index']}")
        order = {
            "volume": str(self.volume.files.parent),
            "view": str(view),
            "request": request,
            "program": self.program,
            "call": name,
            "limit_s": trouble.after_s if trouble is not None and trouble.kind == LIMIT else 0.0,
        }
        scratch = view.with_name(f"{view.name}-tmp")
        scratch.mkdir(parents=True)
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("modal_container.py")), json.dumps(order)],
            env={**os.environ, "TMPDIR": str(scratch)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running[name] = Container(view, process, trouble)
        self.most = max(self.most, sum(container.process.poll() is None for container in self._running.values()))
        return process

    def _watch(self) -> None:
        while not self._closed.wait(0.02):
            with self._guard:
                for name, container in list(self._running.items()):
                    self._look(name, container)

    def _look(self, name: str, one: Container) -> None:
        """Bring the trouble of a container, and start one again that Modal took away."""
        call, trouble = self.calls.get(name), one.trouble
        if call is None or call.stopped.is_set():
            return
        if one.process.poll() is not None:
            if trouble is not None:
                limited = trouble.kind == LIMIT and one.process.returncode == EXIT_SAVED
                self.troubles.came.append(LIMIT) if limited else self.troubles.escaped(trouble)
            self._forget(name, one)
            return
        if not one.is_due() or trouble is None:
            return
        self.troubles.came.append(trouble.kind)
        if trouble.kind == PREEMPTED:
            one.process.terminate()
            one.process.wait(60)
        else:
            # A commit is whole or absent.
            with self.volume.held():
                one.process.kill()
                one.process.wait(60)
            self.lost.append(lost(name, one.view, self.volume.files))
        self._forget(name, one)
        if trouble.kind != DIED:
            # The same call goes on in another container.
            call.process = self._contained(name)

    def _forget(self, name: str, one: Container) -> None:
        del self._running[name]
        shutil.rmtree(one.view, ignore_errors=True)
        shutil.rmtree(one.scratch, ignore_errors=True)

    def _state(self, call: Call) -> CallState:
        with self._guard:
            return super()._state(call)
