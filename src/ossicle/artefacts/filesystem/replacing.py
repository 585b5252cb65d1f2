"""Folders that are replaced as a whole: nothing of the user's may be in them.

A result such as ``bundle/`` takes the place of the one before it, which is removed. The folder of that name may be the
user's own, for example recordings in ``benchmark/``, or the whole project after ``--force``.
"""

import os
import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

from ossicle.artefacts.filesystem.links import refuse_link_in
from ossicle.artefacts.filesystem.walking import walk
from ossicle.core.errors import UsageError

# What file managers leave in every folder that was opened, settings of Git, and what killed writers left of ours.
_OF_THE_SYSTEM = re.compile(
    r"\.DS_Store|Thumbs\.db|desktop\.ini|\._.*|\.git(keep|ignore|attributes)|\.ossicle-.*", re.IGNORECASE
)


def foreign_files(folder: Path, own: Collection[str]) -> list[str]:
    """Return the files in a folder, at any depth, that do not belong to a result.

    Parameters
    ----------
    folder
        The folder; one that is missing holds nothing.
    own
        Patterns of the files that belong to the result: their paths below the folder, where ``*`` stands for any part
        of a name, and ``**`` for any folders, or at the end for anything below a folder.

    Returns
    -------
    list[str]
        The paths of the others below the folder, sorted. Files of the operating system and of Git do not count.
    """
    if not folder.is_dir():
        return []
    paths = [(base / name).relative_to(folder) for base, _, names in walk(folder) for name in names]
    return sorted(
        path.as_posix()
        for path in paths
        if not any(_OF_THE_SYSTEM.fullmatch(part) for part in path.parts)
        and not any(_matches(path.parts, tuple(pattern.split("/"))) for pattern in own)
    )


def _matches(names: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not names or not pattern:
        return names == pattern
    if pattern[0] == "**":
        return pattern == ("**",) or any(_matches(names[n:], pattern[1:]) for n in range(len(names)))
    return fnmatchcase(names[0], pattern[0]) and _matches(names[1:], pattern[1:])


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
        There is something else in it, or it is a file, or it lies behind a symbolic link.
    """
    refuse_link_in(folder)
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is a file, and a folder would replace it; {remedy}")
    foreign = foreign_files(folder, own)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise UsageError(
            f"{folder} would be replaced as a whole, and what it holds besides such a result would be lost: "
            f"{foreign[0]}{more}; {remedy}"
        )
