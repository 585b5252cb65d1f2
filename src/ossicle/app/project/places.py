"""Where a project file may write: only in its own folder.

A project may come from a stranger. The user can see in the file what a run reads. But a run also writes, and removes
what killed runs left, so a project file must not name other folders for this. Only the user who runs the project names
those: with ``--data-root``, the environment, ``--set``, or ``ossicle.local.toml``, which is not shared with a project.
"""

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

from ossicle.core.errors import ProjectError, UsageError


def require_below(stated: str, place: str) -> None:
    """Raise ProjectError if the path ``stated`` is not below the project file's folder; ``place`` names its setting."""
    windows = PureWindowsPath(stated)
    # Check this on every system: a project must not write elsewhere on another machine either.
    outside = PurePosixPath(stated).is_absolute() or windows.drive or windows.root or ".." in windows.parts
    if outside or not stated.strip():
        raise ProjectError(
            f"{place} = {stated!r}: this folder is not below the folder of the project file; give it with "
            "--data-root, $OSSICLE_DATA_ROOT or in ossicle.local.toml"
        )


def refuse_links(data_root: Path, results: tuple[Path, ...]) -> None:
    """Check that neither the data root nor the place of a result contains a symbolic link.

    The data root itself may be a link: the user who made it chose its target.

    Parameters
    ----------
    data_root
        The data root, searched at any depth.
    results
        The places of results.

    Raises
    ------
    UsageError
        There is a link.
    """
    for base, folders, names in os.walk(data_root):
        for name in (*folders, *names):
            if (path := Path(base) / name).is_symlink():
                raise UsageError(
                    f"{path} is a symbolic link: a data root must contain its own files; remove it and run again (to "
                    "keep artefacts elsewhere, move the whole data root and name it with --data-root)"
                )
    for result in results:
        if result.is_symlink():
            raise UsageError(
                f"{result} is a symbolic link, and this run would write to its target; remove it and run again"
            )
