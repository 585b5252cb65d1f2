"""A folder of this machine as a place, ``file:PATH``: a disk, or a share that is mounted here."""

import os
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ossicle.app.remote.local_files import copy_files
from ossicle.app.remote.local_reading import local_digests
from ossicle.app.remote.place import HIDDEN, RECORDS, FileState, Listing, Moved, is_own, state_of
from ossicle.artefacts.filesystem.changes import remove_empty_folder, remove_file
from ossicle.artefacts.filesystem.links import refuse_link_in
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_if_there
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.many_files import ManyFiles
from ossicle.core.errors import UsageError

_PART = f"{HIDDEN}part-"
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S


def remove_unfinished(folder: Path, older_than_s: float) -> None:
    """Remove old files in a folder of unfinished files, and the folders in which nothing is left.

    Parameters
    ----------
    folder
        The folder.
    older_than_s
        How long nothing may have changed a file that is removed, in seconds.

    Raises
    ------
    UsageError
        A folder in its path is a symbolic link.
    OSError
        A file cannot be removed.
    """
    for base, _, names in reversed([*walk(folder)]):
        for name in names:
            if _unchanged_s(base / name) > older_than_s:
                remove_file(base / name)
        with suppress(OSError):
            # A folder that is not empty stays.
            remove_empty_folder(base)


def _unchanged_s(file: Path) -> float:
    try:
        return time.time() - os.lstat(file).st_ctime
    except FileNotFoundError:
        return 0.0


def _record(file: Path) -> bytes:
    try:
        return read_if_there(file, MOST_ARTEFACT_BYTES)
    except OSError:
        # As if it were missing: what it recorded is read again.
        return b""


class FolderPlace:
    """A folder; see :class:`ossicle.app.remote.place.Place`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
    ...     _ = (Path(one) / "a.wav").write_bytes(b"abc")
    ...     here = FolderPlace(Path(one))
    ...     moved = FolderPlace(Path(other)).send(Path(one), here.listing().files)
    ...     moved.digests == here.digests(["a.wav"])
    True
    """

    keeps_times = True

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._parts: list[Path] = []
        self._part_folders: list[Path] = []

    def listing(self) -> Listing:
        """Return the files of the folder.

        Returns
        -------
        Listing
            Links, pipes, devices and sockets are left out.

        Raises
        ------
        UsageError
            It is not a folder.
        OSError
            A folder in it cannot be opened.
        """
        if not self.folder.exists():
            return Listing(exists=False)
        if not self.folder.is_dir():
            raise UsageError(f"{self.folder} is not a folder; give the folder of the files")
        files: dict[str, FileState] = {}
        left_out: dict[str, str] = {}
        below: set[str] = set()
        self._parts, self._part_folders = [], []
        for base, folders, names in walk(self.folder):
            self._part_folders += [base / name for name in folders if name.startswith(_PART)]
            folders[:] = sorted(name for name in folders if not name.startswith(HIDDEN))
            below.update((base / name).relative_to(self.folder).as_posix() for name in folders)
            for name in names:
                path = (base / name).relative_to(self.folder).as_posix()
                if name.startswith(_PART):
                    self._parts.append(base / name)
                elif not is_own(name):
                    self._add(path, files, left_out)
        return Listing(files, left_out, folders=frozenset(below))

    def _add(self, path: str, files: dict[str, FileState], left_out: dict[str, str]) -> None:
        try:
            entry_stat = os.lstat(self.folder / path)
        except FileNotFoundError:
            return
        if stat.S_ISREG(entry_stat.st_mode):
            files[path] = state_of(entry_stat)
        else:
            link = stat.S_ISLNK(entry_stat.st_mode)
            left_out[path] = "is a symbolic link, which is not followed" if link else "is not a regular file"

    def digests(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the SHA-256 of files; those that cannot be read are left out.

        Parameters
        ----------
        paths
            Paths below the folder.

        Returns
        -------
        dict[str, str]
            By path.
        """
        return local_digests(self.folder, paths)

    def send(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files of another folder to the same paths of this one.

        Parameters
        ----------
        folder
            The other folder.
        files
            Files by path, as listed there.

        Returns
        -------
        Moved
            What arrived.

        Raises
        ------
        UsageError
            A folder in the path of a copy is a symbolic link.
        OSError
            The disk is full or does not work.
        """
        return copy_files(folder, self.folder, files)

    def remove_leftovers(self) -> None:
        """Remove unfinished files that :meth:`listing` found and that nothing changed for a day.

        A killed transfer left them. Those in folders of unfinished files, where rsync continues, stay for a week. The
        time of the last change of the inode counts: unfinished files may have the time of their source already.

        Raises
        ------
        UsageError
            A folder in the path is a symbolic link.
        OSError
            A file cannot be removed.
        """
        for part in self._parts:
            if _unchanged_s(part) > _DAY_S:
                remove_file(part)
        for folder in self._part_folders:
            if folder.is_dir() and _unchanged_s(folder) > _DAY_S:
                remove_unfinished(folder, _WEEK_S)
        self._parts, self._part_folders = [], []

    def bring(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files of this folder to the same paths of another one.

        Parameters
        ----------
        folder
            The other folder.
        files
            Files by path, as listed here.

        Returns
        -------
        Moved
            What arrived.

        Raises
        ------
        UsageError
            A folder in the path of a copy is a symbolic link.
        OSError
            The disk is full or does not work.
        """
        return copy_files(self.folder, folder, files)

    def records(self) -> bytes:
        """Return the lines of all records.

        Returns
        -------
        bytes
            JSON lines, the oldest first; none if there are none.

        Raises
        ------
        UsageError
            Their folder is a symbolic link.
        """
        records_folder = self.folder / RECORDS
        refuse_link_in(records_folder)
        if not records_folder.is_dir():
            return b""
        names = sorted(
            name for name in os.listdir(records_folder) if name.endswith(".jsonl") and not name.startswith(".")
        )
        regular = [
            records_folder / name
            for name in names
            if (records_folder / name).is_file() and not (records_folder / name).is_symlink()
        ]
        return b"\n".join(_record(path) for path in regular)

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
        UsageError
            The folder of the records is a symbolic link.
        OSError
            The file cannot be written.
        """
        # Not synced: a record that a power cut takes costs only a look at the bytes.
        with ManyFiles(self.folder) as files:
            files.write(f"{RECORDS}/{name}", data)
