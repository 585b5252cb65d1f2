"""The ledger of a name: one JSON line for each promotion, refusal and roll-back, only ever appended.

Writers hold the lock of the name (:mod:`ossicle.bundle.registry.registry`).
"""

from pathlib import Path
from typing import Any

from ossicle.artefacts.logs.lines import read_lines
from ossicle.core.errors import ArtefactError

PROMOTED, REFUSED, ROLLED_BACK = "promoted", "refused", "rolled back"


def read_ledger(file: Path) -> list[dict[str, Any]]:
    """Return the lines of a ledger in order, empty if there is none.

    Raises
    ------
    ArtefactError
        A complete line is not an entry; the message names the file and the line.
    """
    entries = []
    for number, entry in read_lines(file):
        if entry.get("event") not in (PROMOTED, REFUSED, ROLLED_BACK):
            raise ArtefactError(
                f"{file}, line {number}: is not an entry of a ledger; restore the file from a copy, or remove this line"
            )
        entries.append(entry)
    return entries
