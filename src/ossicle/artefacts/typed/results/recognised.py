"""Single files that Ossicle writes, known by their content: pages, figures and tables that a run publishes.

A run replaces ``report.html`` and ``metrics.json`` beside the project file, and ``--html``, ``--page`` and ``-o`` name
pages. A file of that name may be the user's own.
"""

import json
import os
from pathlib import Path

from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, open_regular, read_regular
from ossicle.artefacts.typed.results.published import ENSEMBLE, METRICS, MOTIFS, PAGE, RESYNTHESIS_PAGE
from ossicle.core.errors import UsageError

SINGLE_FILES = frozenset({METRICS, MOTIFS, PAGE, RESYNTHESIS_PAGE})
"""The results of a run that are single files."""
PAGE_TITLE = " \u00b7 Ossicle</title>"
"""What the title of every page ends with."""
_HEAD_BYTES = 1 << 16
# Objects in the figures of every pipeline and of an ensemble; other programs use one of the names for numbers or words.
_OBJECTS = ("in_sample", "protocol")
_SUMMARY_KEYS = {"board", "members", "rule"}
_FIRST_COLUMNS = {MOTIFS: b"token\tunits\tcount\tsegments\t"}


def is_own_file(path: Path) -> bool:
    """Return whether a file is a result of Ossicle, by its content.

    Parameters
    ----------
    path
        The file. A page is known by its suffix, other results by their names.

    Returns
    -------
    bool
        False for any other file, a link, or a folder. True also for a result that was edited and kept what it is known
        by: its title, keys or columns.
    """
    if path.is_symlink() or not path.is_file():
        return False
    if path.suffix.lower() in (".html", ".htm") or path.name not in {METRICS, ENSEMBLE, MOTIFS}:
        return PAGE_TITLE.encode() in _head(path)
    if path.name in _FIRST_COLUMNS:
        return _head(path).startswith(_FIRST_COLUMNS[path.name])
    try:
        value = json.loads(read_regular(path, MOST_ARTEFACT_BYTES))
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    if path.name == ENSEMBLE:
        return value.keys() >= _SUMMARY_KEYS
    return all(isinstance(value.get(key), dict) for key in _OBJECTS)


def refuse_other_file(path: Path, remedy: str) -> None:
    """Check that a file may be replaced: it is missing, or a result of Ossicle.

    Parameters
    ----------
    path
        The file.
    remedy
        What to do, for the message.

    Raises
    ------
    UsageError
        There is another file, or a folder.
    """
    if os.path.lexists(path) and not path.is_symlink() and not is_own_file(path):
        kind = "a folder" if path.is_dir() else "a file that Ossicle did not write"
        raise UsageError(f"{path} would be replaced, and is {kind}; {remedy}")


def _head(path: Path) -> bytes:
    with open_regular(path) as handle:
        return handle.read(_HEAD_BYTES)
