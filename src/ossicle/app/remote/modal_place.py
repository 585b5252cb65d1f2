"""A Modal volume as a place, ``modal:VOLUME/PREFIX``.

A volume has no locks, keeps no times of files, and takes a batch as a whole. Only the four calls of :class:`Volume` are
used, so that a folder with the same semantics stands for a volume in tests.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from ossicle.app.remote.local_files import each_file, write_file
from ossicle.app.remote.local_reading import Changed, local_digest
from ossicle.app.remote.place import RECORDS, FileState, Listing, Moved, is_own
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES
from ossicle.artefacts.many_files import sync_disk
from ossicle.core.errors import FetchError, UsageError

_SECOND_NS = 1_000_000_000
_FILE, _FOLDER, _LINK = 1, 2, 3


class Entry(Protocol):
    """A file or folder of a volume: its path, its kind (1 file, 2 folder, 3 link), seconds since 1970, and bytes."""

    @property
    def path(self) -> str:
        """The path from the top of the volume."""
        ...

    @property
    def type(self) -> int:
        """The kind."""
        ...

    @property
    def mtime(self) -> int:
        """The time of its last change, in whole seconds."""
        ...

    @property
    def size(self) -> int:
        """Its bytes."""
        ...


class Upload(Protocol):
    """A batch that a volume gets."""

    def put_file(self, local_file: Any, remote_path: str) -> None:
        """Add a file, from a path or an open file."""
        ...


class Volume(Protocol):
    """What a transfer needs of ``modal.Volume``."""

    def batch_upload(self, force: bool = False) -> AbstractContextManager[Upload]:
        """Begin a batch; its files are in the volume when the block ends."""
        ...

    def listdir(self, path: str, *, recursive: bool = False) -> Sequence[Entry]:
        """Return what is below a path."""
        ...

    def read_file(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        ...


class Errors(Protocol):
    """The classes of Modal's errors that are told apart."""

    @property
    def absent(self) -> tuple[type[Exception], ...]:
        """There is no such file or folder."""
        ...

    @property
    def refused(self) -> tuple[type[Exception], ...]:
        """There is no token, or it may not be used for this."""
        ...

    @property
    def passing(self) -> tuple[type[Exception], ...]:
        """Everything else, which may be gone at the next attempt."""
        ...


class ModalPlace:
    """A folder of a volume; see :class:`ossicle.app.remote.place.Place`.

    Parameters
    ----------
    volume
        The volume.
    prefix
        The folder in it; empty for the whole volume.
    errors
        Its errors.
    """

    keeps_times = False

    def __init__(self, volume: Volume, prefix: str, errors: Errors) -> None:
        self._volume, self._prefix, self._errors = volume, prefix.strip("/"), errors

    def listing(self) -> Listing:
        """Return the files of the folder.

        Returns
        -------
        Listing
            Links and special files are left out; times are those of the volume, in whole seconds.

        Raises
        ------
        UsageError
            There is no token.
        FetchError
            Modal does not answer.
        """
        files: dict[str, FileState] = {}
        left_out: dict[str, str] = {}
        folders: set[str] = set()
        entries = self._below("")
        if entries is None:
            return Listing(exists=False)
        for path, entry in entries:
            if int(entry.type) == _FOLDER and not is_own(f"{path}/"):
                folders.add(path)
            elif is_own(path):
                continue
            elif int(entry.type) == _FILE:
                files[path] = FileState(entry.size, int(entry.mtime) * _SECOND_NS)
            else:
                link = int(entry.type) == _LINK
                left_out[path] = "is a symbolic link, which is not followed" if link else "is not a regular file"
        return Listing(files, left_out, folders=frozenset(folders))

    def digests(self, paths: Sequence[str]) -> dict[str, str]:
        """Read files of the volume and return the SHA-256 of each; missing ones are left out.

        Parameters
        ----------
        paths
            Paths below the folder.

        Returns
        -------
        dict[str, str]
            By path.

        Raises
        ------
        FetchError
            Modal does not answer.
        """
        digests = {}
        for path in paths:
            try:
                digests[path] = self._read(path, len)
            except FileNotFoundError:
                continue
        return digests

    def send(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files of a local folder to the volume, as one batch.

        Parameters
        ----------
        folder
            The local folder.
        files
            Files by path, as listed there.

        Returns
        -------
        Moved
            What arrived.

        Raises
        ------
        UsageError
            There is no token.
        FetchError
            The batch did not arrive.
        """
        moved = each_file(files, lambda path, state: local_digest(folder, path, state))
        with self._naming_errors(), self._volume.batch_upload(force=True) as batch:
            for path in moved.digests:
                batch.put_file(os.fspath(folder / path), self._volume_path(path))
        return moved

    def bring(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files of the volume to the same paths of a local folder.

        Parameters
        ----------
        folder
            The local folder.
        files
            Files by path, as listed in the volume.

        Returns
        -------
        Moved
            What arrived.

        Raises
        ------
        FetchError
            Modal does not answer.
        UsageError
            A folder in the path of a copy is a symbolic link.
        OSError
            The disk is full or does not work.
        """

        def copy(path: str, state: FileState) -> str:
            return write_file(folder / path, state, lambda write: self._read(path, write))

        moved = each_file(files, copy)
        sync_disk()
        return moved

    def records(self) -> bytes:
        """Return the lines of all records.

        Returns
        -------
        bytes
            JSON lines, the oldest first.

        Raises
        ------
        UsageError
            There is no token.
        FetchError
            Modal does not answer.
        """
        blocks: list[bytes] = []
        rows = self._below(RECORDS) or ()
        names = sorted(path for path, entry in rows if int(entry.type) == _FILE and entry.size < MOST_ARTEFACT_BYTES)
        for path in names:
            self._read(path, blocks.append)
            blocks.append(b"\n")
        return b"".join(blocks)

    def add_record(self, name: str, data: bytes) -> None:
        """Store lines of records.

        Parameters
        ----------
        name
            A new name.
        data
            The lines.

        Raises
        ------
        FetchError
            Modal does not answer.
        """
        with self._naming_errors(), self._volume.batch_upload(force=True) as batch:
            batch.put_file(BytesIO(data), self._volume_path(f"{RECORDS}/{name}"))

    def _volume_path(self, path: str) -> str:
        return "/" + "/".join(part for part in (self._prefix, path) if part)

    def _below(self, path: str) -> list[tuple[str, Entry]] | None:
        """Return what is below a path, with its paths below the folder; None if it is missing."""
        start = f"{self._prefix}/" if self._prefix else ""
        try:
            with self._naming_errors():
                entries = self._volume.listdir(self._volume_path(path), recursive=True)
        except FileNotFoundError:
            return None
        named = ((entry.path.lstrip("/"), entry) for entry in entries)
        return [(name.removeprefix(start), entry) for name, entry in named if name.startswith(start)]

    def _read(self, path: str, write: Callable[[bytes], object]) -> str:
        file_sha256 = sha256()
        with self._naming_errors():
            for block in self._volume.read_file(self._volume_path(path).lstrip("/")):
                file_sha256.update(block)
                write(block)
        return file_sha256.hexdigest()

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        """Turn Modal's errors into ours."""
        try:
            yield
        except (UsageError, FetchError, Changed):
            raise
        except self._errors.absent as problem:
            raise FileNotFoundError(2, "is not in the volume") from problem
        except self._errors.refused as problem:
            raise UsageError(f"Modal: no token, or not allowed: {problem}; run `modal token new`") from problem
        except self._errors.passing as problem:
            raise FetchError(f"Modal: {problem}") from problem
