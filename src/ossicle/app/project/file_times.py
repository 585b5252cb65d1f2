"""Size and time of files, also on a place that keeps no times, where a table from the machine they came from has them.

The digest of a folder of recordings covers names, sizes and times. A copy in a Modal volume or an object store has the
time of its arrival. So that the copy has the same digest, ``OSSICLE_FILE_TIMES`` names a JSON table of the times.
"""

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ossicle.artefacts.files import read_json
from ossicle.core.errors import ArtefactError

TIMES_VARIABLE = "OSSICLE_FILE_TIMES"
FORMAT_VERSION = 1


def file_state(file: Path) -> tuple[int, int]:
    """Return size in bytes and time of the last change in nanoseconds; (-1, 0) for a file that cannot be looked at.

    Parameters
    ----------
    file
        The file. If the table of :data:`TIMES_VARIABLE` has it with the same size, the time is that of the table.

    Returns
    -------
    tuple[int, int]
        Size and time.

    Raises
    ------
    ArtefactError
        The table is not one.
    """
    try:
        file_stat = file.stat()
    except OSError:
        return -1, 0
    table = os.environ.get(TIMES_VARIABLE, "")
    if table:
        stated = _times(table).get(os.path.relpath(file, os.path.dirname(table)))
        if stated is not None and stated[0] == file_stat.st_size:
            return stated
    return file_stat.st_size, file_stat.st_mtime_ns


def times_table(states: Mapping[str, tuple[int, int]]) -> bytes:
    """Return a table of times as JSON.

    Parameters
    ----------
    states
        Size and time by path, relative to the folder that the table will be in.

    Returns
    -------
    bytes
        The JSON.
    """
    return json.dumps({"format": FORMAT_VERSION, "files": dict(sorted(states.items()))}).encode()


@lru_cache(maxsize=4)
def _times(table: str) -> dict[str, tuple[int, int]]:
    value = read_json(Path(table))
    try:
        if value["format"] != FORMAT_VERSION:
            raise ValueError(f"format {value['format']!r} is not {FORMAT_VERSION}")
        return {str(path): (int(size), int(mtime_ns)) for path, (size, mtime_ns) in value["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ArtefactError(f"{table} is not a table of times ({problem}); submit the jobs again") from problem
