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
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

    def uncommitted(self) -> list[str]:
        """The names of files that would be lost now, without temporary ones."""
        here = _stamps(self.folder)
        return sorted(
            name for name, stamp in here.items() if self._base.get(name) != stamp and "/.ossicle-" not in name
        )


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


@dataclass
class Container:
    """A process over a view of its own, which runs one command line and ends with its exit code."""

    name: str
    argv: tuple[str, ...]
    process: "subprocess.Popen[bytes]"
    began: float = field(default_factory=time.monotonic)
    taken_at: float | None = None


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
    taken
        Returns after how many seconds a new container is taken away; None for never.
    """

    def __init__(
        self,
        folder: Path,
        program: Sequence[str],
        most: int = 3,
        limit_s: float = 600.0,
        taken: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.volume = SnapshotVolume(folder)
        self._folder, self._program, self._most, self._limit_s = folder, tuple(program), most, limit_s
        self._taken, self._number = taken, 0
        self.preempted: list[str] = []
        self.starts = 0

    def run(self, commands: Mapping[str, Sequence[str]], where: str, again: Sequence[int] = (143,)) -> dict[str, Ended]:
        """Run commands in the folder ``where`` of the volume; those that end with a code of ``again`` go on."""
        waiting, running, out = list(commands), list[Container](), dict[str, Ended]()
        starts = dict.fromkeys(commands, 0)
        try:
            while waiting or running:
                while waiting and len(running) < self._most:
                    name = waiting.pop(0)
                    starts[name] += 1
                    running.append(self._start(name, tuple(commands[name]), where))
                for one in tuple(running):
                    code, now = one.process.poll(), time.monotonic()
                    if code is None and one.taken_at is not None and now > one.taken_at:
                        self._kill(one)
                        self.preempted.append(one.name)
                        running.remove(one)
                        waiting.append(one.name)
                    elif code is None and now - one.began > self._limit_s:
                        self._kill(one)
                        running.remove(one)
                        out[one.name] = Ended(None, starts[one.name])
                    elif code is not None:
                        running.remove(one)
                        if code in again:
                            waiting.append(one.name)
                        else:
                            out[one.name] = Ended(code, starts[one.name])
                time.sleep(0.02)
        finally:
            for one in running:
                self._kill(one)
        return out

    def _start(self, name: str, argv: tuple[str, ...], where: str) -> Container:
        self._number += 1
        self.starts += 1
        order = {
            "volume": str(self._folder),
            "view": str(self._folder / f"view-{self._number}"),
            "where": where,
            "argv": [*self._program, *argv],
            "log": f"logs/{name}.log",
        }
        process = subprocess.Popen(
            [sys.executable, __file__, "container", json.dumps(order)], stdin=subprocess.DEVNULL, start_new_session=True
        )
        after = self._taken()
        return Container(name, argv, process, taken_at=None if after is None else time.monotonic() + after)

    def _kill(self, one: Container) -> None:
        # A commit is whole or absent.
        with self.volume.held():
            one.process.kill()
            one.process.wait(60)


def contain(order: Mapping[str, Any]) -> int:
    """Run a command over a view of its own, and commit whenever it saved something, and at its end."""
    view = Path(order["view"])
    mount = SnapshotMount(SnapshotVolume(Path(order["volume"])), view)
    saved = view.with_name(f"{view.name}-saved")
    saved.touch()
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
