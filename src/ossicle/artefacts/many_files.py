"""Write a large number of small files: each complete or absent, without a wait for the disk after each.

Syncing and checking the whole path of every file takes longer than writing it. Here a folder is checked and opened
once, and the disk is synced once, at the end, by whoever writes the list of the files.
"""

import os
from collections import OrderedDict
from pathlib import Path
from types import TracebackType

from ossicle.artefacts.files import naming, part_path, whole_file
from ossicle.artefacts.filesystem.changes import folder_descriptor, remove_file, set_time, write_in_folder

# Most folders open at the same time; systems allow a process about a thousand files.
_OPEN_FOLDERS = 300
_IN_FOLDERS = {os.open, os.rename} <= os.supports_dir_fd


class ManyFiles:
    """Writes files below a folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place, ManyFiles(Path(place)) as files:
    ...     files.write("a/1.txt", b"one")
    ...     (Path(place) / "a" / "1.txt").read_bytes()
    b'one'
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(root)
        self._open: OrderedDict[str, int] = OrderedDict()
        self._part = part_path(self._root / "x").name

    def write(self, path: str, data: bytes, mtime_ns: int | None = None) -> None:
        """Write a file, which replaces an earlier one.

        Parameters
        ----------
        path
            Where to write, below the root, with forward slashes.
        data
            The content.
        mtime_ns
            The time of its last change, in nanoseconds since 1970; None for now.

        Raises
        ------
        UsageError
            A folder in the path is a symbolic link.
        OSError
            The file cannot be written, for example because the disk is full.
        """
        folder, _, name = path.rpartition("/")
        with naming(self._root / path):
            if _IN_FOLDERS:
                write_in_folder(self._folder(folder), self._part, name, data, mtime_ns)
            else:
                with whole_file(self._root / path) as part:
                    part.write_bytes(data)
                    if mtime_ns is not None:
                        set_time(part, mtime_ns)

    def _folder(self, name: str) -> int:
        if name in self._open:
            self._open.move_to_end(name)
        else:
            if len(self._open) >= _OPEN_FOLDERS:
                os.close(self._open.popitem(last=False)[1])
            self._open[name] = folder_descriptor(self._root / name)
        return self._open[name]

    def __enter__(self) -> "ManyFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the folders and remove what an error left incomplete."""
        for name, handle in self._open.items():
            os.close(handle)
            if error is not None:
                remove_file(self._root / name / self._part)
        self._open.clear()


def sync_disk() -> None:
    """Make the system write everything to its disks, where it can."""
    if hasattr(os, "sync"):
        os.sync()
