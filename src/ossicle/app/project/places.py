"""Where a project file may write: below its own folder.

A project may come from a stranger. What it reads is said in it and seen by whoever runs it; but a run that writes,
and sweeps what killed runs left, must not be led to other folders. Those are named by whoever runs it: with
``--data-root``, the environment, ``--set``, or ``ossicle.local.toml``, which is not passed on with a project.
"""

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

from ossicle.core.errors import ProjectError, UsageError


def require_below(stated: str, place: str) -> None:
    """Raise ProjectError, naming ``place``, where the path ``stated`` does not lie below the project file's folder."""
    windows = PureWindowsPath(stated)
    # On every system: a project that works here and writes elsewhere on another machine is no better.
    outside = PurePosixPath(stated).is_absolute() or windows.drive or windows.root or ".." in windows.parts
    if outside or not stated.strip():
        raise ProjectError(
            f"{place} = {stated!r}: a project file names a folder below its own; "
            "name others with --data-root, $OSSICLE_DATA_ROOT or in ossicle.local.toml"
        )


def refuse_links(data_root: Path, results: tuple[Path, ...]) -> None:
    """Raise UsageError for a symbolic link anywhere below the data root, or in the place of a result.

    The data root itself may be one: whoever made it chose where it leads.
    """
    for base, folders, names in os.walk(data_root):
        for name in (*folders, *names):
            if (path := Path(base) / name).is_symlink():
                raise UsageError(
                    f"{path} is a symbolic link: a data root holds its own files; remove it and run again "
                    "(to keep artefacts elsewhere, move the whole data root and name it with --data-root)"
                )
    for result in results:
        if result.is_symlink():
            raise UsageError(
                f"{result} is a symbolic link, and this run would write to its target; remove it and run again"
            )
