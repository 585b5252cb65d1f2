"""Symbolic links: no path that Ossicle writes to, locks, moves or removes leads through one.

A project, a data root or a folder of results may come from a stranger, and a link in it may lead to any file of the
user. So :mod:`ossicle.artefacts.filesystem.changes` rejects a path with a link in any of its parts. Links in the paths
that the user gives are the user's own: :func:`settled` replaces them once, where the path comes in.
"""

import os
from pathlib import Path
from typing import NoReturn

from ossicle.core.errors import UsageError


def first_link(path: str | os.PathLike[str]) -> Path | None:
    """Return the topmost part of a path that is a symbolic link, or None.

    The folder above a relative path is not looked at: the system reports the current folder without links.
    """
    part, topmost = os.fspath(path), None
    while part:
        if os.path.islink(part):
            topmost = part
        above = os.path.dirname(part)
        part = "" if above == part else above
    return None if topmost is None else Path(topmost)


def refuse_link_in(path: str | os.PathLike[str]) -> None:
    """Raise UsageError if any part of a path is a symbolic link, the last one included."""
    link = first_link(path)
    if link is not None:
        refuse_link(link)


def refuse_link(link: Path) -> NoReturn:
    """Raise UsageError for a symbolic link in a path that would be written to, locked, moved or removed."""
    try:
        target = f" to {os.readlink(link)}"
    except OSError:
        target = ""
    raise UsageError(f"{link} is a symbolic link{target}, and Ossicle changes nothing through links; remove it")


def refuse_shared(path: Path) -> NoReturn:
    """Raise UsageError for a file with several names (hard links): a change would also change the file of another name.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    UsageError
        Naming it, with a remedy that keeps its content.
    """
    raise UsageError(
        f"{path} is a hard link, so a change would change the file of its other name too, as in a folder copied by "
        "'cp -l'; copy its folder with 'cp -a', and go on with the copy"
    )


def settled(path: str | os.PathLike[str]) -> Path:
    """Return a path that the user gave without symbolic links; a path without any is returned as it is."""
    return Path(path) if first_link(path) is None else Path(os.path.realpath(path))


def settled_above(path: str | os.PathLike[str], project_file: str) -> Path:
    """Return a path that the user gave with the folders above its last part :func:`settled`.

    Links in a folder that holds a project file, at any depth, stay: they may have come with the project. So does a link
    in the last part, because the folder of the user may be that of a project.

    Parameters
    ----------
    path
        The path.
    project_file
        The name of the files that mark the folders of projects.
    """
    user_path = Path(path)
    if user_path.name in ("", ".."):
        return settled(user_path)
    settled_path = Path(user_path.anchor)
    for part in user_path.parent.parts[1 if user_path.anchor else 0 :]:
        settled_path /= part
        if settled_path.is_symlink() and not _in_project(settled_path, project_file):
            settled_path = Path(os.path.realpath(settled_path))
    return settled_path / user_path.name


def _in_project(link: Path, project_file: str) -> bool:
    return any((folder / project_file).is_file() for folder in Path(os.path.abspath(link)).parents)
