"""Open files that others made: regular files of bounded size, never a pipe or a device.

Opening a pipe waits for its other end, and a device such as ``/dev/zero`` has no end. A file that claims more than its
kind ever needs, for instance a sparse one of terabytes, would fill the memory. Both are rejected here, before a byte is
read. Links are followed: a folder of recordings may hold links to recordings.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_BLOCK_BYTES = 1 << 16

MOST_TABLE_BYTES = 512 << 20
"""The largest table of annotations or of files that is read; three million events take about 300 MB."""
MOST_ARTEFACT_BYTES = 1 << 30
"""The largest JSON, journal or log of an artefact that is read."""


def what_is_at(path: str | os.PathLike[str]) -> str:
    """Return in words what is at a path where a file or a folder was expected, for messages.

    Parameters
    ----------
    path
        The path; links are followed.

    Examples
    --------
    >>> what_is_at("/nowhere/at/all"), what_is_at("/")
    ('does not exist', 'is a folder')
    """
    place = Path(path)
    if place.is_dir():
        return "is a folder"
    if place.is_symlink() and not place.exists():
        return f"is a broken link to {os.readlink(place)}"
    if place.is_file():
        return "is a file"
    return "is not a regular file, but a pipe or a device" if place.exists() else "does not exist"


def open_regular(path: str | os.PathLike[str], most_bytes: int | None = None) -> BufferedReader:
    """Open a file for reading.

    Parameters
    ----------
    path
        The file; links are followed.
    most_bytes
        The largest size in bytes; None sets no limit, for files that are read in blocks.

    Raises
    ------
    OSError
        The file cannot be opened, is not a regular file, or is larger.
    """
    # Opening a device may already do something, so look at it first.
    _require_regular(os.stat(path), path, most_bytes)
    handle = os.open(path, os.O_RDONLY | _NO_WAIT | _BINARY)
    try:
        _require_regular(os.fstat(handle), path, most_bytes)
    except OSError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def open_unlinked(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading that is not a link itself.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    OSError
        The file cannot be opened, is a link, or is not a regular file.
    """
    _require_regular(os.lstat(path), path, None)
    handle = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT | _BINARY)
    try:
        _require_regular(os.fstat(handle), path, None)
    except OSError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def read_regular(path: str | os.PathLike[str], most_bytes: int) -> bytes:
    """Return the bytes of a file of at most ``most_bytes`` bytes; raises OSError as :func:`open_regular` does."""
    with open_regular(path, most_bytes) as file:
        data = file.read(os.fstat(file.fileno()).st_size)
        # Files of the system (below /proc) have no size, and a log may be written to meanwhile.
        while more := file.read(_BLOCK_BYTES):
            data += more
            if len(data) > most_bytes:
                raise _too_large(path, most_bytes)
    return data


def require_regular(path: str | os.PathLike[str], most_bytes: int | None = None) -> None:
    """Check a file that a library is about to open by its name; raises OSError as :func:`open_regular` does."""
    _require_regular(os.stat(path), path, most_bytes)


def _require_regular(state: os.stat_result, path: str | os.PathLike[str], most_bytes: int | None) -> None:
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    if most_bytes is not None and state.st_size > most_bytes:
        raise _too_large(path, most_bytes)


def _too_large(path: str | os.PathLike[str], most_bytes: int) -> OSError:
    size = f"{most_bytes >> 20} MiB" if most_bytes >= 1 << 20 else f"{most_bytes} bytes"
    return OSError(errno.EINVAL, f"larger than {size}", os.fspath(path))


def read_if_there(path: Path, most_bytes: int) -> bytes:
    """Return :func:`read_regular` of a file, or no bytes if it is missing."""
    try:
        return read_regular(path, most_bytes)
    except FileNotFoundError:
        return b""
