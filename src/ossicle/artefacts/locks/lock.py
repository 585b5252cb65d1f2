"""Locks: of a project, so that one run at a time writes to it, and of work units that are processed in parallel.

The lock is the system's (``flock``) on ``.ossicle.lock``, so it ends with its process in every case; the content of the
file (pid, host, start) only serves the message to a second process. On file systems shared between machines, flock must
work between them (NFS of the last decade, Lustre mounted with ``flock``). Without ``fcntl`` (Windows) the package
``filelock`` is used instead.

A place without locks (a Modal volume, a mounted object store) is named by ``OSSICLE_LOCKS=none``. Nothing is locked
there: whoever starts commands gives each piece of work to one of them at a time, as plans of jobs do.
"""

import errno
import json
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ossicle.artefacts.filesystem.changes import descriptor_to_change, make_folder, remove_file
from ossicle.core.errors import LockedError, UsageError

try:
    from ossicle.artefacts.locks.flock import try_lock
except ModuleNotFoundError:
    from ossicle.artefacts.locks.portable_lock import try_lock

LOCK_FILE = ".ossicle.lock"
LOCKS_VARIABLE = "OSSICLE_LOCKS"
"""Environment variable: ``none`` on a place without locks; empty or ``flock`` elsewhere."""
NO_LOCKS = "none"
NOT_WRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""Why a file or folder cannot be written to, where more space would not help."""

_WORK_UNIT = ".ossicle-lock-"
_POLL_S = 0.2
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def locks_used() -> bool:
    """Return whether this process locks what it writes; :data:`LOCKS_VARIABLE` decides.

    Raises
    ------
    UsageError
        The variable has another value.
    """
    value = os.environ.get(LOCKS_VARIABLE, "")
    if value not in ("", "flock", NO_LOCKS):
        raise UsageError(
            f"${LOCKS_VARIABLE} = {value!r} is not one of: flock, {NO_LOCKS}; set it to {NO_LOCKS} on a place without "
            "file locks only"
        )
    return value != NO_LOCKS


@contextmanager
def project_lock(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of ``folder`` for the block.

    With ``wait`` the block begins when the current holder ends. The emptied file stays, except where it is new and the
    block refuses to do anything (UsageError): a folder of the user gets no file then.

    Raises
    ------
    LockedError
        Naming the holder and what to do, while another process or an enclosing block holds it (without ``wait``).
    UsageError
        If the folder is missing.
    OSError
        Naming the folder if it cannot be written to, or the lock file if that is another user's.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the folder of the project")
    with _held_lock(folder / LOCK_FILE, str(folder), math.inf if wait else 0.0, leaves_no_new_file=True):
        yield


@contextmanager
def work_unit_lock(folder: Path, work_unit: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of one work unit in ``folder`` (created if missing) for the block.

    Raises LockedError if another process holds it for more than ``wait_s`` seconds. The file is not part of an
    artefact; :func:`forget_work_unit_locks` removes it with the others when all work units are finished.
    """
    path = Path(folder) / f"{_WORK_UNIT}{work_unit}"
    make_folder(path.parent)
    with _held_lock(path, f"{work_unit} in {folder}", wait_s):
        yield


@contextmanager
def file_lock(path: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of one file (created if missing) for the block; its content stays as it is.

    Raises LockedError if another process or block holds it for more than ``wait_s`` seconds.
    """
    if not locks_used():
        yield
        return
    with _locked(path, str(path), wait_s, is_removed=True):
        yield


def forget_work_unit_locks(folder: Path) -> None:
    """Remove the locks of work units directly in ``folder``; processes that wait for one find finished work."""
    for path in Path(folder).glob(f"{_WORK_UNIT}*"):
        # Windows does not remove an open file.
        with suppress(PermissionError):
            remove_file(path)


@contextmanager
def _held_lock(path: Path, subject: str, wait_s: float, *, leaves_no_new_file: bool = False) -> Iterator[None]:
    if not locks_used():
        yield
        return
    is_removable = leaves_no_new_file and not os.path.lexists(path)
    with _locked(path, subject, wait_s, is_removed=leaves_no_new_file) as handle:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        owner = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, owner)
        os.ftruncate(handle, len(owner))
        try:
            yield
        except UsageError:
            if is_removable:
                # Windows does not remove an open file.
                with suppress(PermissionError):
                    remove_file(path)
            raise
        finally:
            os.ftruncate(handle, 0)


@contextmanager
def _locked(path: Path, subject: str, wait_s: float, *, is_removed: bool) -> Iterator[int]:
    """Give the open and locked file; with ``is_removed`` others may remove it, and the one at ``path`` is locked."""
    until = time.monotonic() + wait_s
    while True:
        handle = _opened(path)
        try:
            release = _lock(handle, path, subject, until)
        except BaseException:
            os.close(handle)
            raise
        if not is_removed or _is_at(handle, path):
            break
        # Whoever held the lock removed the file: another process may hold a new one of its name.
        release()
        os.close(handle)
    try:
        try:
            yield handle
        finally:
            release()
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    try:
        return descriptor_to_change(path)
    except OSError as error:
        is_of_another = error.errno in (errno.EACCES, errno.EPERM) and os.path.lexists(path)
        if error.errno not in NOT_WRITABLE or is_of_another:
            raise
        # Users do not know the file: it is the folder that cannot be written to.
        raise OSError(error.errno, error.strerror, os.fspath(path.parent)) from error


def _is_at(handle: int, path: Path) -> bool:
    """Return whether an open file still has its name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(handle: int, path: Path, subject: str, until: float) -> Callable[[], None]:
    """Lock the file and return what releases it; raise LockedError if another holds it until this time."""
    while (release := _tried(handle, path)) is None:
        if time.monotonic() >= until:
            raise LockedError(f"{subject} is in use by {_holder(handle)}; wait for it to end, or stop it")
        time.sleep(_POLL_S)
    return release


def _tried(handle: int, path: Path) -> Callable[[], None] | None:
    """Try once to lock the file; raise UsageError if its file system has no locks."""
    try:
        return try_lock(handle, path)
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        raise UsageError(
            f"{path.parent}: this file system has no locks ({error.strerror}); if each command there has the work to "
            f"itself, as the tasks of a plan of jobs do, set {LOCKS_VARIABLE}={NO_LOCKS} (docs/jobs.md)"
        ) from error


def _holder(handle: int) -> str:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        owner = json.loads(os.read(handle, 4096))
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (ValueError, KeyError, TypeError):
        # The holder has not yet written its name, or is about to release the lock.
        return "another process"
