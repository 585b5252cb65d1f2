"""Lines at the end of a file."""

import os
from pathlib import Path

from ossicle.artefacts.files import naming
from ossicle.artefacts.filesystem.changes import make_folder, open_to_append, write_all
from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.core.errors import OssicleError
from ossicle.live.sinks.sink import SinkError


class JsonLinesFile:
    """Append whole lines to a file, synced one by one. The file may be moved away while we write.

    Parameters
    ----------
    path
        The file; it is created if it is missing. Symbolic links, pipes and devices are rejected.

    Raises
    ------
    OssicleError, OSError
        The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        make_folder(path.parent)
        # Now, so that an unwritable place is an error of the command.
        self._append(b"")

    @property
    def name(self) -> str:
        """The address."""
        return f"jsonl:{self._path}"

    def deliver(self, text: str) -> None:
        """Append one line; raises SinkError if it cannot be written."""
        try:
            self._append(f"{text}\n".encode())
        except OSError as error:
            raise SinkError(f"{self.name}: {error.strerror or error}") from None
        except OssicleError as error:
            raise SinkError(f"{self.name}: {error}") from None

    def close(self) -> None:
        """Nothing is open between lines."""

    def _append(self, data: bytes) -> None:
        with naming(self._path), open_to_append(self._path) as handle:
            # A process that was killed may have left half a line.
            write_all(handle, b"\n" + data if data and self._is_torn() else data)

    def _is_torn(self) -> bool:
        with open_regular(self._path) as handle:
            if not handle.seek(0, os.SEEK_END):
                return False
            handle.seek(-1, os.SEEK_END)
            return handle.read(1) != b"\n"
