"""``ossicle.local.toml`` next to the project file: settings of this machine that the user wrote, and that are trusted.

Whoever sends a project may have left such a file in it, so every command names the file that is in force.
"""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ossicle.app.project.file_names import LOCAL_FILE
from ossicle.app.project.toml import read_toml

_MOST_NAMED = 5


class LocalFileWarning(UserWarning):
    """A local file is in force; the message names it and its settings."""


def read_local_file(project: Path) -> tuple[dict[str, Any], Path] | None:
    """Return the tables and the path of the local file next to the project file ``project``; None if there is none.

    Warns
    -----
    LocalFileWarning
        Naming the file and its settings.
    """
    local = project.parent / LOCAL_FILE
    if not os.path.lexists(local):
        return None
    tables = read_toml(local)
    keys = list(_keys(tables, ""))
    more = f" and {len(keys) - _MOST_NAMED} more" if len(keys) > _MOST_NAMED else ""
    content = f"{', '.join(keys[:_MOST_NAMED])}{more}" if keys else "no setting"
    warnings.warn(
        f"{local} is in force ({content}); if you did not write it, remove it", LocalFileWarning, stacklevel=2
    )
    return tables, local


def _keys(tables: dict[str, Any], above: str) -> Iterator[str]:
    for key, value in tables.items():
        if isinstance(value, dict) and value:
            yield from _keys(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"
