"""Files of JSON lines that are only ever appended to, each line complete or absent.

A process killed while writing leaves an incomplete last line. It does not count, and the next :func:`append_line`
removes it. One writer at a time.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import naming, sync
from ossicle.artefacts.filesystem.changes import open_to_append, open_to_change, write_all
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_if_there
from ossicle.artefacts.plain import plain
from ossicle.core.errors import ArtefactError


def append_line(file: Path, entry: Mapping[str, Any]) -> None:
    """Append one line of plain values; it is on disk when this returns. The file is created if it is missing."""
    line = json.dumps(plain(entry), sort_keys=True, ensure_ascii=False).encode() + b"\n"
    with naming(file):
        _cut_incomplete_line(file)
        fresh = not file.exists()
        with open_to_append(file) as handle:
            write_all(handle, line)
        if fresh:
            sync(file.parent)


def read_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the complete lines of a file with their numbers from 1; nothing if it is missing.

    Raises
    ------
    ArtefactError
        A complete line is not a JSON object; the message names the file and the line.
    """
    for number, line in enumerate(read_if_there(file, MOST_ARTEFACT_BYTES).split(b"\n")[:-1], start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise ArtefactError(f"{file}, line {number}: is damaged; restore the file from a copy, or remove this line")
        yield number, entry


def _cut_incomplete_line(file: Path) -> None:
    data = read_if_there(file, MOST_ARTEFACT_BYTES)
    keep = data.rfind(b"\n") + 1
    if keep == len(data):
        return
    with open_to_change(file) as handle:
        handle.truncate(keep)
        os.fsync(handle.fileno())
