"""What every place of files can do, and the values that it gives and takes.

Paths are those below the place, with forward slashes. Names that begin with ``.ossicle-`` (unfinished files, records of
transfers) and locks (``.ossicle.lock``) are Ossicle's own and are never listed.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ossicle.artefacts.locks.lock import LOCK_FILE

HIDDEN = ".ossicle-"
"""Begins the names of files that are no content."""
RECORDS = f"{HIDDEN}sent"
"""The folder at a place with one file of records for each batch that arrived there."""


@dataclass(frozen=True, slots=True)
class FileState:
    """The size of a file in bytes, and the time of its last change in nanoseconds since 1970."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The regular files of a place by path, why other entries are left out, whether it exists, and its folders."""

    files: Mapping[str, FileState] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    exists: bool = True
    folders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of the files of a batch.

    Parameters
    ----------
    digests
        SHA-256 of each file that arrived, as 64 hexadecimal digits.
    failed
        Why a file cannot be read or written. A file in neither of the two changed while it was copied.
    refused
        Those of ``failed`` that the target did not take.
    """

    digests: dict[str, str]
    failed: dict[str, str]
    refused: set[str] = field(default_factory=set)


class Place(Protocol):
    """A folder that files are copied to or from: on this machine, on another one over ssh, or in a Modal volume.

    Methods raise UsageError for what another attempt cannot help (no such machine, a link in the way), and FetchError
    or OSError for what may be gone at the next attempt.
    """

    keeps_times: bool
    """Whether a file keeps the time of its last change when it is sent here."""

    def listing(self) -> Listing:
        """Return the files of the place; a place that does not exist has none. Links are not followed."""
        ...

    def digests(self, paths: Sequence[str]) -> dict[str, str]:
        """Read files again and return the SHA-256 of each; unreadable and missing files are left out."""
        ...

    def send(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files of a local folder to the same paths here, each complete or not at all."""
        ...

    def bring(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files from here to the same paths of a local folder, each complete or not at all, with their times."""
        ...

    def records(self) -> bytes:
        """Return the JSON lines of all records, the oldest first."""
        ...

    def add_record(self, name: str, data: bytes) -> None:
        """Store JSON lines under a new name, which sorts behind earlier ones."""
        ...


def state_of(stat: os.stat_result) -> FileState:
    """Return size and time from the system's answer.

    Parameters
    ----------
    stat
        From ``os.lstat`` or ``os.fstat``.

    Returns
    -------
    FileState
        Bytes and nanoseconds.
    """
    return FileState(stat.st_size, stat.st_mtime_ns)


def is_own(path: str) -> bool:
    """Return whether a file or folder of a place belongs to Ossicle itself.

    Parameters
    ----------
    path
        The path below the place, with forward slashes.

    Returns
    -------
    bool
        Whether a part of it has a name of Ossicle's own, or the file is a lock.

    Examples
    --------
    >>> is_own(".ossicle-sent/1.jsonl"), is_own("a/.ossicle.lock"), is_own("a/b.wav")
    (True, True, False)
    """
    return any(part.startswith(HIDDEN) for part in path.split("/")) or path.rpartition("/")[2] == LOCK_FILE


def is_safe(path: str) -> bool:
    """Return whether a path that another machine gave stays below the folder it is joined to.

    Parameters
    ----------
    path
        The path, with forward slashes.

    Returns
    -------
    bool
        Whether it is relative and has no empty part, no ``.`` and no ``..``.

    Examples
    --------
    >>> is_safe("a/b c.wav"), is_safe("/etc/x"), is_safe("a/../../x")
    (True, False, False)
    """
    return bool(path) and "\0" not in path and all(part not in ("", ".", "..") for part in path.split("/"))
