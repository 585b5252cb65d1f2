"""Files of this machine that are read: their state, their SHA-256, and whether they are still as they were listed."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from ossicle.app.remote.place import FileState, state_of
from ossicle.artefacts.filesystem.reading import open_unlinked

_BLOCK_BYTES = 1 << 20


class Changed(Exception):
    """A file no longer has the size and time that were listed."""


def hashed_copy(read: IO[bytes], write: Callable[[bytes], object], size: int) -> str:
    """Copy a stream to its end; one that goes on beyond its size is not read on, because it may grow for ever.

    Parameters
    ----------
    read
        The stream.
    write
        Gets each block.
    size
        The most bytes that it may have.

    Returns
    -------
    str
        The SHA-256 of the bytes, as 64 hexadecimal digits.

    Raises
    ------
    Changed
        It has more bytes.
    """
    sha256, left = hashlib.sha256(), size + 1
    while block := read.read(min(_BLOCK_BYTES, left)):
        left -= len(block)
        if left <= 0:
            raise Changed
        sha256.update(block)
        write(block)
    return sha256.hexdigest()


def local_state(folder: Path, path: str) -> FileState | None:
    """Return the state of a file below a folder; None if it is missing.

    Parameters
    ----------
    folder
        The folder.
    path
        The path below it.

    Returns
    -------
    FileState or None
        The file itself, also if it is a link.
    """
    try:
        return state_of(os.lstat(folder / path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def local_digest(folder: Path, path: str, state: FileState | None = None) -> str:
    """Return the SHA-256 of a file below a folder.

    Parameters
    ----------
    folder
        The folder.
    path
        The path below it.
    state
        What the file must be like, before and after it is read; None for anything.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    Changed
        The file is not as stated.
    OSError
        The file cannot be read, or is a link.
    """
    with open_unlinked(folder / path) as read:
        require_state(read, state)
        file_digest = hashed_copy(read, len, os.fstat(read.fileno()).st_size)
        require_state(read, state)
    return file_digest


def local_digests(folder: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of files below a folder; those that cannot be read are left out.

    Parameters
    ----------
    folder
        The folder.
    paths
        The paths below it.

    Returns
    -------
    dict[str, str]
        By path.
    """
    digests = {}
    for path in paths:
        try:
            digests[path] = local_digest(folder, path)
        except (OSError, Changed):
            # The transfer then copies the file, and names what is wrong with it.
            continue
    return digests


def require_state(file: IO[bytes], state: FileState | None) -> None:
    """Raise Changed unless an open file has a size and time.

    Parameters
    ----------
    file
        The file.
    state
        What it must be like; None for anything.

    Raises
    ------
    Changed
        It is not.
    """
    if state is not None and state_of(os.fstat(file.fileno())) != state:
        raise Changed
