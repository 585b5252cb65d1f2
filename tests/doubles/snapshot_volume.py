"""A folder with the semantics of a Modal volume; ``tests/doubles/modal_snapshots.py`` runs containers over it.

The volume shows a container what was there at its start or at its last ``reload``. What a container writes is seen by
nobody else before its ``commit``, and the last writer of a file wins. Files get the time of their commit. No process
in a container can lock a file, through any library: the system refuses it.

Run as a script, this starts a command that can lock nothing.
"""

import ctypes
import fcntl
import os
import platform
import re
import shutil
import signal
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

EXIT_SAVED = 143
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
        there = _counterpart(volume, below)
        if path.name == "metrics.jsonl":
            epochs = max(epochs, _n_lines(path) - _n_lines(there))
        elif not there.exists() and path.suffix not in (".log", ".jsonl"):
            files[str(below.parent)] = files.get(str(below.parent), 0) + 1
    return Lost(name, epochs, files)


def _counterpart(volume: Path, below: Path) -> Path:
    """The file in the volume; that of a step which is complete here only is in its working folder there."""
    if (volume / below).exists():
        return volume / below
    parts = [f".work-{one}" if re.fullmatch("[0-9a-f]{16}", one) else one for one in below.parts]
    return volume.joinpath(*parts)


def _n_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


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
    forbid_locks()
    os.execv(sys.argv[1], sys.argv[1:])
