"""Every change of the file system: open for writing, make, move, copy and remove files and folders.

Each function rejects a path with a symbolic link in any part (:mod:`ossicle.artefacts.filesystem.links`), and a file
that is not a regular one, such as a pipe or a device. Files are not opened for writing if they are also other files
(hard links). ``tests/house/test_file_changes.py`` checks that no other module changes files by other means.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from ossicle.artefacts.filesystem.links import refuse_link, refuse_link_in, refuse_shared
from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.artefacts.filesystem.walking import walk

# Windows has neither: it has no symbolic links without special rights, and no pipes in folders.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def open_new(path: Path) -> BinaryIO:
    """Create a file and open it for writing; raises FileExistsError if there is one."""
    return _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, "wb")


def open_to_append(path: Path) -> BinaryIO:
    """Open a file for writing at its end; create it if it is missing."""
    return _opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, "ab")


def open_to_change(path: Path) -> BinaryIO:
    """Open a file for reading and writing at its start without truncating it; create it if it is missing."""
    return _opened(path, os.O_RDWR | os.O_CREAT, "r+b")


def descriptor_to_change(path: Path) -> int:
    """Return an open descriptor of a file, for reading and writing; the file is created if it is missing."""
    return _descriptor(path, os.O_RDWR | os.O_CREAT)


def _opened(path: Path, flags: int, mode: str) -> BinaryIO:
    return cast(BinaryIO, os.fdopen(_descriptor(path, flags), mode))


def _descriptor(path: Path, flags: int) -> int:
    refuse_link_in(path)
    if os.path.lexists(path) and not (stat.S_ISREG(mode := os.lstat(path).st_mode) or stat.S_ISDIR(mode)):
        raise _irregular(path)
    try:
        # Opening a pipe would wait for its other end.
        handle = os.open(path, flags | _NO_LINK | _NO_WAIT | _BINARY, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            refuse_link(Path(path))
        if error.errno == errno.ENXIO:
            raise _irregular(path) from None
        raise
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
        os.close(handle)
        if stat.S_ISREG(state.st_mode):
            refuse_shared(Path(path))
        raise _irregular(path)
    return handle


def _irregular(path: Path) -> OSError:
    return OSError(errno.EINVAL, "not a regular file but a pipe or a device; give the path of a file", os.fspath(path))


def write_all(handle: IO[bytes], data: bytes) -> None:
    """Write ``data`` at the end of a file and sync it to the disk.

    If that fails, cut off what was written of it: a full disk must not leave half a line before the next one.
    """
    end = handle.seek(0, os.SEEK_END)
    rest = memoryview(data)
    try:
        # Past the buffer of ``handle``: what a full disk refuses would stay in it, and be written when it is closed.
        while rest:
            rest = rest[os.write(handle.fileno(), rest) :]
        os.fsync(handle.fileno())
    except OSError:
        os.ftruncate(handle.fileno(), end)
        raise


def make_folder(path: Path) -> list[Path]:
    """Make a folder, and those above it, and return those that are new; nothing happens if it exists."""
    refuse_link_in(path)
    folder, missing = Path(path), list[Path]()
    # `mkdir(parents=True)` calls itself for every level.
    while not folder.is_dir():
        if missing and folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        missing.append(folder)
        folder = folder.parent
    for new_folder in reversed(missing):
        new_folder.mkdir(exist_ok=True)
    return missing[::-1]


@contextmanager
def writable_folders(paths: Sequence[Path]) -> Iterator[None]:
    """Make folders, and those above them, for a block, and check that this user can write to them.

    If that or the block fails, those that are new and empty are removed again.

    Parameters
    ----------
    paths
        The folders; they may exist.

    Raises
    ------
    OSError
        Naming a folder that cannot be made or written to.
    UsageError
        A part of a path is a symbolic link.
    """
    made: list[Path] = []
    try:
        for path in paths:
            made += make_folder(path)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        yield
    except BaseException:
        for folder in reversed(made):
            # Those that hold something stay.
            with suppress(OSError):
                remove_empty_folder(folder)
        raise


def make_new_folder(path: Path) -> None:
    """Make a folder in one that exists; raises FileExistsError if there is one."""
    refuse_link_in(path)
    Path(path).mkdir()


def move(source: Path, target: Path) -> None:
    """Rename a file or folder; a file at ``target`` is replaced atomically."""
    refuse_link_in(source)
    refuse_link_in(target)
    os.replace(source, target)


def remove_file(path: Path) -> None:
    """Remove a file if it is there."""
    refuse_link_in(path)
    Path(path).unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Remove a folder with everything in it if it is there; links in it are removed and not followed."""
    refuse_link_in(path)
    if not os.path.lexists(path):
        return
    try:
        shutil.rmtree(path)
    except RecursionError:
        # It calls itself for every level.
        for base, folders, others in reversed([*walk(path)]):
            for name in others:
                os.unlink(base / name)
            for name in folders:
                os.rmdir(base / name)
        os.rmdir(path)


def remove_empty_folder(path: Path) -> None:
    """Remove a folder; raises OSError if something is in it."""
    refuse_link_in(path)
    Path(path).rmdir()


def make_executable(path: Path) -> None:
    """Let everybody run a script."""
    refuse_link_in(path)
    Path(path).chmod(0o755)


def set_time(path: Path, mtime_ns: int) -> None:
    """Set the time of the last change of a file, in nanoseconds since 1970."""
    refuse_link_in(path)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def copy_file(source: Path, target: Path) -> None:
    """Copy the bytes of a regular file to a new file; raises OSError if ``source`` is none, UsageError for a link."""
    refuse_link_in(source)
    with open_regular(source) as read, open_new(target) as written:
        shutil.copyfileobj(read, written)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder of regular files to ``target``, which may exist; raises an error for anything else in it."""
    make_folder(target)
    for base, folders, names in walk(source):
        target_folder = target / base.relative_to(source)
        for name in folders:
            # In a folder that was looked at, or that was made here.
            (target_folder / name).mkdir(exist_ok=True)
        for name in sorted(names):
            copy_file(base / name, target_folder / name)


def folder_descriptor(path: Path) -> int:
    """Return an open descriptor of a folder, which is made if it is missing; the caller closes it."""
    make_folder(path)
    return os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK)


def write_in_folder(folder: int, part: str, name: str, data: bytes, mtime_ns: int | None = None) -> None:
    """Write a file ``name`` in an open folder, complete or not at all; it replaces an earlier one.

    Nothing is synced to the disk. Links cannot lead elsewhere: the folder is open already, and names have one part.

    Parameters
    ----------
    folder
        From :func:`folder_descriptor`.
    part
        Name of the file until it is complete.
    name
        Its name.
    data
        Its content.
    mtime_ns
        The time of its last change, in nanoseconds since 1970; None for now.
    """
    if "/" in name or "/" in part:
        raise ValueError(f"{name!r} and {part!r} must be names without folders")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINK | _BINARY, 0o666, dir_fd=folder)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(handle, left) :]
        if mtime_ns is not None:
            os.utime(handle, ns=(mtime_ns, mtime_ns))
    finally:
        os.close(handle)
    os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
