"""The ledger of a name: one JSON line for each promotion, refusal and roll-back, only ever appended.

A process killed while writing leaves an incomplete last line. It does not count, and the next :func:`append` removes
it. Writers hold the lock of the name (:mod:`ossicle.bundle.registry.registry`).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import naming, sync
from ossicle.artefacts.filesystem.changes import open_to_append, open_to_change, write_all
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_if_there
from ossicle.artefacts.plain import plain
from ossicle.core.errors import ArtefactError

PROMOTED, REFUSED, ROLLED_BACK = "promoted", "refused", "rolled back"


def read_ledger(file: Path) -> list[dict[str, Any]]:
    """Return the lines of a ledger in order, empty if there is none.

    Raises
    ------
    ArtefactError
        A complete line is not an entry; the message names the file and the line.
    """
    lines = read_if_there(file, MOST_ARTEFACT_BYTES).split(b"\n")[:-1]
    return [_entry(line, file, number) for number, line in enumerate(lines, start=1)]


def append(file: Path, entry: Mapping[str, Any]) -> None:
    """Append one line; it is on disk when this returns.

    Parameters
    ----------
    file
        The ledger; it is created if it is missing.
    entry
        Plain values.
    """
    line = json.dumps(plain(entry), sort_keys=True, ensure_ascii=False).encode() + b"\n"
    with naming(file):
        _cut_incomplete_line(file)
        fresh = not file.exists()
        with open_to_append(file) as handle:
            write_all(handle, line)
        if fresh:
            sync(file.parent)


def _cut_incomplete_line(file: Path) -> None:
    data = read_if_there(file, MOST_ARTEFACT_BYTES)
    keep = data.rfind(b"\n") + 1
    if keep == len(data):
        return
    with open_to_change(file) as handle:
        handle.truncate(keep)
        os.fsync(handle.fileno())


def _entry(line: bytes, file: Path, number: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or entry.get("event") not in (PROMOTED, REFUSED, ROLLED_BACK):
        raise ArtefactError(
            f"{file}, line {number}: is not an entry of a ledger; restore the file from a copy, or remove this line"
        )
    return entry
