"""The file of a new shard, as HDF5 sees it: one that it can always write and close.

HDF5 writes its own tables when a file is closed. If the system refuses that, as on a full disk, HDF5 keeps the file
half open and may end the process with a segmentation fault. Here HDF5 is not told: after the first refused write
nothing more is written, and the error is raised by :meth:`ShardOutput.require_written`.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ossicle.artefacts.filesystem.changes import descriptor_to_change


class ShardOutput:
    """A new file with the methods that h5py asks of a file object.

    Parameters
    ----------
    path
        The file; it is created.

    Raises
    ------
    OSError
        The file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._handle = descriptor_to_change(path)
        self._position = 0
        self._refused: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)

    def require_written(self) -> None:
        """Raise the OSError of the first write that the system refused, if there was one."""
        if self._refused is not None:
            raise self._refused

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position of the next read or write; return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._handle).st_size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """Return the position of the next read or write."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes from the position; all that follow if it is negative."""
        n_wanted = max(os.fstat(self._handle).st_size - self._position, 0) if size < 0 else size
        data = os.pread(self._handle, n_wanted, self._position)
        self._position += len(data)
        return data

    def readinto(self, into: memoryview) -> int:
        """Fill a buffer from the position, as far as the file goes; return the number of bytes."""
        data = self.read(len(into))
        into[: len(data)] = data
        return len(data)

    def write(self, data: bytes | memoryview) -> int:
        """Write bytes at the position, or after a refused write drop them; return their number."""
        rest = memoryview(data).cast("B")
        length = len(rest)
        try:
            while len(rest) and self._refused is None:
                done = os.pwrite(self._handle, rest, self._position + length - len(rest))
                rest = rest[done:]
        except OSError as error:
            self._refused = error
        self._position += length
        return length

    def truncate(self, size: int) -> int:
        """Set the length of the file; return it."""
        try:
            if self._refused is None:
                os.ftruncate(self._handle, size)
        except OSError as error:
            self._refused = error
        return size

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""
