"""Copies between two folders of this machine, with the SHA-256 of the bytes that were copied."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ossicle.app.remote.local_reading import Changed, hashed_copy, require_state
from ossicle.app.remote.place import FileState, Moved
from ossicle.artefacts.files import naming, part_path
from ossicle.artefacts.filesystem.changes import make_folder, move, open_new, remove_file, set_time
from ossicle.artefacts.filesystem.reading import open_unlinked
from ossicle.artefacts.many_files import ManyFiles, sync_disk
from ossicle.core.errors import UsageError

# Up to this size, checks of the path of each file would take longer than its copy.
_SMALL_BYTES = 4 << 20
_DISK_IS_UNUSABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE})


class Refused(OSError):
    """The target does not take a file."""


@contextmanager
def _refusing(target: Path) -> Iterator[None]:
    """Turn an error of the system in the block, which writes a file, into :class:`Refused`."""
    try:
        yield
    except OSError as error:
        raise Refused(error.errno, error.strerror or str(error), os.fspath(target)) from error


def copy_files(source: Path, target: Path, files: Mapping[str, FileState]) -> Moved:
    """Copy files of one folder to the same paths of another, each complete or not at all; then sync the disk.

    Parameters
    ----------
    source, target
        The folders.
    files
        The files by path, with the states that were listed.

    Returns
    -------
    Moved
        What arrived, and what cannot be copied.

    Raises
    ------
    UsageError
        A folder in the path of a copy is a symbolic link.
    OSError
        The disk is full or does not work.
    """
    with ManyFiles(target) as small, ThreadPoolExecutor(1) as reading:
        ahead = _ReadAhead(source, files, reading)

        def copy(path: str, state: FileState) -> str:
            if state.size > _SMALL_BYTES:
                return _copy(source / path, target / path, state)
            data, file_digest = ahead.content(path)
            _refuse_link_at(target / path)
            with _refusing(target / path):
                small.write(path, data, state.mtime_ns)
            return file_digest

        done = each_file(files, copy)
    sync_disk()
    return done


def each_file(files: Mapping[str, FileState], copy: Callable[[str, FileState], str]) -> Moved:
    """Copy files one by one; a file that cannot be read or written costs only itself.

    Parameters
    ----------
    files
        The files by path, with the states that were listed.
    copy
        Copies one file and returns its SHA-256.

    Returns
    -------
    Moved
        What was copied, and what cannot be.

    Raises
    ------
    OSError
        The disk is full or does not work.
    """
    moved = Moved({}, {})
    for path, state in files.items():
        try:
            moved.digests[path] = copy(path, state)
        except Changed:
            continue
        except OSError as error:
            if error.errno in _DISK_IS_UNUSABLE:
                raise
            moved.failed[path] = error.strerror or str(error)
            if isinstance(error, Refused):
                moved.refused.add(path)
    return moved


def place_file(part: Path, target: Path, mtime_ns: int) -> None:
    """Move a complete file to its place, with the time of its last change.

    Parameters
    ----------
    part
        The file.
    target
        Where it belongs; a file there is replaced.
    mtime_ns
        The time in nanoseconds since 1970.

    Raises
    ------
    UsageError
        A folder in the path is a symbolic link.
    """
    with _refusing(target):
        set_time(part, mtime_ns)
        make_folder(target.parent)
        move(part, target)


def _copy(source: Path, target: Path, state: FileState) -> str:
    with open_unlinked(source) as read:
        require_state(read, state)
        return write_file(target, state, lambda write: _copied(read, write, state))


def _content(file: Path, state: FileState) -> bytes:
    with open_unlinked(file) as read:
        require_state(read, state)
        data = read.read(state.size + 1)
        require_state(read, state)
    if len(data) != state.size:
        raise Changed
    return data


class _ReadAhead:
    """Small files with their SHA-256, of which the next one is read while the last one is written."""

    def __init__(self, source: Path, files: Mapping[str, FileState], pool: ThreadPoolExecutor) -> None:
        self._source, self._files, self._pool = source, files, pool
        self._paths = iter([path for path, state in files.items() if state.size <= _SMALL_BYTES])
        self._next: Future[tuple[bytes, str]] | None = None
        self._start_next()

    def content(self, path: str) -> tuple[bytes, str]:
        """Return the next small file, which is ``path``; raises what reading it raised."""
        waiting = self._next
        if waiting is None:
            raise ValueError(f"{path} is not the next small file")
        # Let the reader begin with the one after it as soon as this one is read.
        self._start_next()
        return waiting.result()

    def _start_next(self) -> None:
        path = next(self._paths, None)
        self._next = None if path is None else self._pool.submit(self._read, path)

    def _read(self, path: str) -> tuple[bytes, str]:
        data = _content(self._source / path, self._files[path])
        return data, hashlib.sha256(data).hexdigest()


def _refuse_link_at(path: Path) -> None:
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link, and Ossicle changes nothing through links; remove it")


def _copied(read: IO[bytes], write: Callable[[bytes], object], state: FileState) -> str:
    stream_digest = hashed_copy(read, write, state.size)
    require_state(read, state)
    return stream_digest


def write_file(target: Path, state: FileState, copy: Callable[[Callable[[bytes], object]], str]) -> str:
    """Write a file beside its place and move it there when it is complete.

    Parameters
    ----------
    target
        Where it belongs.
    state
        Its size and time.
    copy
        Gets a function that writes a block, and returns the SHA-256 of all of them.

    Returns
    -------
    str
        The SHA-256.

    Raises
    ------
    Changed
        The file has another size.
    UsageError
        A folder in the path is a symbolic link.
    OSError
        The file cannot be written.
    """
    _refuse_link_at(target)
    part = part_path(target)
    with _refusing(target):
        make_folder(target.parent)
    try:
        with naming(target):
            with _refusing(target):
                opened = open_new(part)
            with opened as file:

                def write(block: bytes) -> None:
                    if file.tell() + len(block) > state.size:
                        raise Changed
                    with _refusing(target):
                        file.write(block)

                file_digest = copy(write)
                if file.tell() != state.size:
                    raise Changed
            place_file(part, target, state.mtime_ns)
    except BaseException:
        remove_file(part)
        raise
    return file_digest
