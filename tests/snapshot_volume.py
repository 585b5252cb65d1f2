"""A folder with the semantics of a Modal volume, and containers over it.

The volume shows a container what was there at its start or at its last ``reload``. What a container writes is seen by
nobody else before its ``commit``, and the last writer of a file wins. Files get the time of their commit. No process
in a container can lock a file, through any library: the system refuses it. A container is killed at its limit, and
whenever a test takes it away; what it did not commit is then lost.

Run as a script, this is a container.
"""

import ctypes
import fcntl
import json
import os
import platform
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXIT_SAVED = 143
AGAIN, KILLED = -1, -2
"""What becomes of a container besides exit codes: it is begun again, or was killed at its limit."""
Stamp = tuple[int, int, int]
"""What tells whether a file was written: time, size, inode."""


class SnapshotVolume:
    """The volume itself: files that were committed. ``folder`` also holds the views of containers."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "volume"
        self._lock = folder / "lock"
        self.files.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody commits or reloads in the block: each of both is whole or absent."""
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class SnapshotMount:
    """A container's view of the volume; see ``ossicle.app.jobs.modal.service.Mount``."""

    def __init__(self, volume: SnapshotVolume, folder: Path) -> None:
        self._volume, self.folder = volume, folder
        self._base: dict[str, Stamp] = {}
        self._seen: dict[str, Stamp] = {}
        folder.mkdir(parents=True)
        self.reload()

    def reload(self) -> None:
        """Show what is in the volume now; what was not committed is gone."""
        with self._volume.held():
            there = _stamps(self._volume.files)
            here = _stamps(self.folder)
            for name in here.keys() - there.keys():
                (self.folder / name).unlink()
            for name, stamp in there.items():
                if self._seen.get(name) != stamp or here.get(name) != self._base.get(name):
                    _copy(self._volume.files / name, self.folder / name)
            _prune(self.folder)
        self._seen, self._base = there, _stamps(self.folder)

    def commit(self) -> None:
        """Make what was written, changed and removed here visible to those who start or reload later."""
        here = _stamps(self.folder)
        changed = [name for name, stamp in here.items() if self._base.get(name) != stamp]
        gone = self._base.keys() - here.keys()
        with self._volume.held():
            for name in changed:
                # A temporary file may be renamed at this moment; the next commit finds it under its name.
                with _may_vanish():
                    _copy(self.folder / name, self._volume.files / name)
                    os.utime(self._volume.files / name)
            for name in gone:
                (self._volume.files / name).unlink(missing_ok=True)
            if gone:
                _prune(self._volume.files)
            there = _stamps(self._volume.files)
        self._seen |= {name: there[name] for name in changed if name in there}
        self._base = here


def _stamps(folder: Path) -> dict[str, Stamp]:
    out: dict[str, Stamp] = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base, name)
            with _may_vanish():
                state = path.lstat()
                out[path.relative_to(folder).as_posix()] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return out


@contextmanager
def _may_vanish() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        return


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".copy-{os.getpid()}-{target.name}"[:200])
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(source, part, follow_symlinks=False)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    """Remove the folders that hold no file."""
    for base, _, _ in os.walk(folder, topdown=False):
        if base != str(folder) and not os.listdir(base):
            os.rmdir(base)


@dataclass(frozen=True)
class Trouble:
    """What happens to a container: it is told to stop ``after_s`` seconds after its start, or taken away.

    ``saved``: it is taken away so many seconds after it first saved something, not after its start.
    """

    stops: bool
    saved: bool
    after_s: float


@dataclass
class Container:
    """A process over a view of its own, which runs one command line and ends with its exit code."""

    name: str
    view: Path
    process: "subprocess.Popen[bytes]"
    trouble: Trouble | None
    began: float = field(default_factory=time.monotonic)
    first_saved: float | None = None

    def is_due(self) -> bool:
        """Whether it is to be taken away now."""
        if self.trouble is None or self.trouble.stops:
            return False
        now, saved = time.monotonic(), saved_note(self.view)
        if self.first_saved is None and saved.exists() and saved.stat().st_size == 0 and saved.stat().st_mtime_ns > 1:
            self.first_saved = now
        since = self.first_saved if self.trouble.saved else self.began
        return since is not None and now - since > self.trouble.after_s


class Troubles:
    """Troubles of random commands at random moments, at most one for each command until one is done before it comes.

    Parameters
    ----------
    taken, stops
        How many containers are taken away, and how many are told to stop.
    seed
        Which, and when.
    """

    def __init__(self, taken: int = 0, stops: int = 0, seed: int = 0) -> None:
        self._left = [False] * taken + [True] * stops
        self._draw, self._met = random.Random(seed), set[str]()
        self._draw.shuffle(self._left)

    def next(self, name: str) -> Trouble | None:
        """Return the trouble of a new container that runs this command; None for none."""
        if not self._left or name in self._met:
            return None
        self._met.add(name)
        stops, saved = self._left.pop(), self._draw.random() < 0.5
        after_s = self._draw.uniform(1.0, 9.0) if stops else self._draw.uniform(0.0, 2.0 if saved else 9.0)
        return Trouble(stops, saved and not stops, after_s)

    def escaped(self, trouble: Trouble) -> None:
        """Keep the trouble of a container that was done before it came for another one."""
        self._left.append(trouble.stops)


@dataclass(frozen=True)
class Lost:
    """What a container that was taken away had not committed: epochs of a training, and finished files by folder."""

    name: str
    epochs: int
    files: Mapping[str, int]


def lost(name: str, view: Path, volume: Path) -> Lost:
    """Return what a view has that the volume lacks; temporary and growing files do not count."""
    epochs, files = 0, dict[str, int]()
    for path in view.rglob("*"):
        below = path.relative_to(view)
        if not path.is_file() or any(part.startswith(".ossicle-") for part in below.parts):
            continue
        there = volume / below
        if path.name == "metrics.jsonl":
            epochs = max(epochs, _n_lines(path) - _n_lines(there))
        elif not there.exists() and path.suffix not in (".log", ".jsonl"):
            files[str(below.parent)] = files.get(str(below.parent), 0) + 1
    return Lost(name, epochs, files)


def _n_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@dataclass(frozen=True)
class Ended:
    """How a command ended: its code, None if the container was killed at its limit; and how often it was begun."""

    code: int | None
    starts: int


class Fleet:
    """Runs command lines in containers, a few at a time, and takes some away.

    Parameters
    ----------
    folder
        Where the volume and the views of containers lie.
    program
        The command that runs ``ossicle``.
    most
        How many containers run at a time.
    limit_s
        Seconds after which a container is killed.
    troubles
        What happens to containers before they are done; nothing by default.
    """

    def __init__(
        self,
        folder: Path,
        program: Sequence[str],
        most: int = 3,
        limit_s: float = 600.0,
        troubles: "Troubles | None" = None,
    ) -> None:
        self.volume = SnapshotVolume(folder)
        self._folder, self._program, self._most, self._limit_s = folder, tuple(program), most, limit_s
        self._troubles, self._number = troubles or Troubles(), 0
        self.lost: list[Lost] = []
        """What each container that was taken away had not committed."""
        self.stopped: list[str] = []
        """Names of the commands that stopped at their limit, once for each time."""

    def run(self, commands: Mapping[str, Sequence[str]], where: str) -> dict[str, Ended]:
        """Run commands in the folder ``where`` of the volume; one that was taken away or stopped is begun again."""
        waiting, running, out = list(commands), list[Container](), dict[str, Ended]()
        starts = dict.fromkeys(commands, 0)
        try:
            while waiting or running:
                while waiting and len(running) < self._most:
                    name = waiting.pop(0)
                    starts[name] += 1
                    running.append(self._start(name, tuple(commands[name]), where))
                for one in tuple(running):
                    if (end := self._end(one)) is None:
                        continue
                    running.remove(one)
                    if end == AGAIN:
                        waiting.append(one.name)
                    else:
                        out[one.name] = Ended(None if end == KILLED else end, starts[one.name])
                time.sleep(0.02)
        finally:
            for one in running:
                self._kill(one)
        return out

    def _end(self, one: Container) -> int | None:
        """Return how a container ended: an exit code, :data:`AGAIN` or :data:`KILLED`; None while it runs."""
        code = one.process.poll()
        if code is None and one.is_due():
            self._kill(one)
            self.lost.append(lost(one.name, one.view, self.volume.files))
            return AGAIN
        if code is None and time.monotonic() - one.began > self._limit_s:
            self._kill(one)
            return KILLED
        if code is not None and one.trouble is not None:
            if one.trouble.stops and code == EXIT_SAVED:
                self.stopped.append(one.name)
                return AGAIN
            self._troubles.escaped(one.trouble)
        return code

    def _start(self, name: str, argv: tuple[str, ...], where: str) -> Container:
        self._number += 1
        view = self._folder / f"view-{self._number}"
        trouble = self._troubles.next(name)
        stop = [f"--stop-after={trouble.after_s:.2f}"] if trouble is not None and trouble.stops else []
        order = {
            "volume": str(self._folder),
            "view": str(view),
            "where": where,
            "argv": [*self._program, *argv, *stop],
            "log": f"logs/{name}.log",
        }
        process = subprocess.Popen(
            [sys.executable, __file__, "container", json.dumps(order)], stdin=subprocess.DEVNULL, start_new_session=True
        )
        return Container(name, view, process, trouble)

    def _kill(self, one: Container) -> None:
        # A commit is whole or absent.
        with self.volume.held():
            one.process.kill()
            one.process.wait(60)


def saved_note(view: Path) -> Path:
    """The file whose time a command sets when it saves something."""
    return view.with_name(f"{view.name}-saved")


def contain(order: Mapping[str, Any]) -> int:
    """Run a command over a view of its own, and commit whenever it saved something, and at its end."""
    view = Path(order["view"])
    mount = SnapshotMount(SnapshotVolume(Path(order["volume"])), view)
    saved = saved_note(view)
    saved.touch()
    os.utime(saved, ns=(1, 1))
    log = view / order["log"]
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-S", __file__, "guard", *order["argv"]],
            cwd=view / order["where"],
            env={**os.environ, "OSSICLE_LOCKS": "none", "OSSICLE_SAVED": str(saved)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    committed = saved.stat().st_mtime_ns
    while (code := process.poll()) is None:
        if (now := saved.stat().st_mtime_ns) != committed:
            committed = now
            mount.commit()
        time.sleep(0.02)
    mount.commit()
    shutil.rmtree(view)
    return code if code >= 0 else 128 - code


_NUMBERS = {"x86_64": (73, 72), "aarch64": (32, 25)}
"""The system calls ``flock`` and ``fcntl`` of Linux."""
_LOCKING = (6, 7, 37, 38)
"""F_SETLK, F_SETLKW and those of open file descriptions."""
_NOT_SUPPORTED = 95
_LOAD, _EQUAL, _RETURN, _ALLOW, _REFUSE = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000 | _NOT_SUPPORTED


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def forbid_locks() -> None:
    """Have the system refuse file locks to this process and all that it starts, and end it with its parent."""
    flock, control = _NUMBERS[platform.machine()]
    n_locking = len(_LOCKING)
    # Jumps are counted from the next step: flock goes to the last one, other calls than fcntl to the one before.
    steps = [
        (_LOAD, 0, 0, 0),
        (_EQUAL, n_locking + 3, 0, flock),
        (_EQUAL, 0, n_locking + 1, control),
        (_LOAD, 0, 0, 24),
    ]
    steps += [(_EQUAL, n_locking - place, 0, number) for place, number in enumerate(_LOCKING)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    library = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(steps), ctypes.cast(text, ctypes.c_void_p))
    asked = [(1, int(signal.SIGKILL), 0), (38, 1, 0), (22, 2, ctypes.byref(program))]
    for option, first, second in asked:
        if library.prctl(option, first, second, 0, 0):
            raise OSError(ctypes.get_errno(), f"prctl {option}")


if __name__ == "__main__":
    if sys.argv[1] == "guard":
        forbid_locks()
        os.execv(sys.argv[2], sys.argv[2:])
    sys.exit(contain(json.loads(sys.argv[2])))
