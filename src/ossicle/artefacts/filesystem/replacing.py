"""Folders that are replaced as a whole: nothing of the user's may be in them.

A result such as ``bundle/`` takes the place of the one before it, which is removed. The folder of that name may be the
user's own, for example recordings in ``benchmark/``, or the whole project after ``--force``.
"""

import os
import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

from ossicle.artefacts.filesystem.walking import walk
from ossicle.core.errors import UsageError

# What file managers leave in every folder that was opened, and what writers that were killed left of ours.
_OF_THE_SYSTEM = re.compile(r"\.DS_Store|Thumbs\.db|desktop\.ini|\._.*|\.ossicle-.*", re.IGNORECASE)


def foreign_files(folder: Path, own: Collection[str]) -> list[str]:
    """Return the files in a folder, at any depth, that do not belong to a result.

    Parameters
    ----------
    folder
        The folder; one that is missing holds nothing.
    own
        Patterns of the files that belong to the result: their paths below the folder, where ``*`` also stands for
        folders.

    Returns
    -------
    list[str]
        The paths of the others below the folder, sorted. Files of the operating system do not count.
    """
    if not folder.is_dir():
        return []
    paths = [(base / name).relative_to(folder) for base, _, names in walk(folder) for name in names]
    return sorted(
        path.as_posix()
        for path in paths
        if not any(_OF_THE_SYSTEM.fullmatch(part) for part in path.parts)
        and not any(fnmatchcase(path.as_posix(), pattern) for pattern in own)
    )


def refuse_foreign(folder: Path, own: Collection[str], remedy: str) -> None:
    """Check that a folder may be replaced: it holds only what belongs to the result.

    Parameters
    ----------
    folder
        The folder; it may be missing.
    own
        Patterns of the files that belong to the result, as for :func:`foreign_files`.
    remedy
        What to do, for the message.

    Raises
    ------
    UsageError
        There is something else in it, or it is a file.
    """
    if folder.is_symlink():
        # Whatever writes there refuses it, with its target.
        return
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is a file, and a folder would replace it; {remedy}")
    foreign = foreign_files(folder, own)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise UsageError(
            f"{folder} would be replaced as a whole, and what it holds besides such a result would be lost: "
            f"{foreign[0]}{more}; {remedy}"
        )
