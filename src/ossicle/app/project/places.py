"""Where a project file may write: only in its own folder.

A project may come from a stranger. The user can see in the file what a run reads. But a run also writes, and removes
what killed runs left, so a project file must not name other folders for this. Only the user who runs the project names
those: with ``--data-root``, the environment, ``--set``, or ``ossicle.local.toml``, which is not shared with a project.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.locks.lock import LOCK_FILE, NOT_WRITABLE, project_lock
from ossicle.core.errors import OssicleError, ProjectError, UsageError


def require_below(stated: str, setting: str) -> None:
    """Raise ProjectError if the path ``stated`` is not below the project file's folder; ``setting`` names its "
    "setting."""
    windows = PureWindowsPath(stated)
    # Check this on every system: a project must not write elsewhere on another machine either.
    outside = PurePosixPath(stated).is_absolute() or windows.drive or windows.root or ".." in windows.parts
    if outside or not stated.strip():
        raise ProjectError(
            f"{setting} = {stated!r}: this folder is not below the folder of the project file; give it with "
            "--data-root, $OSSICLE_DATA_ROOT or in ossicle.local.toml"
        )


def refuse_linked_root(file: Path, stated: str) -> None:
    """Check that no part of the data root that a project file names is a symbolic link.

    Parameters
    ----------
    file
        The project file.
    stated
        The data root below it, as the project file states it.

    Raises
    ------
    ProjectError
        There is a link: it came with the project and may lead to the artefacts of another one.
    """
    folder = file.parent
    for part in Path(stated).parts:
        folder /= part
        if folder.is_symlink():
            raise ProjectError(
                f"{file}: [project] data_root: {folder} is a symbolic link to {os.readlink(folder)}, and a project may "
                "be a stranger's; name its target with --data-root, $OSSICLE_DATA_ROOT or in ossicle.local.toml"
            )


def refuse_links(data_root: Path, results: tuple[Path, ...]) -> None:
    """Check that neither the data root nor the place of a result contains a symbolic link.

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
    for base, _, names in walk(data_root) if data_root.is_dir() else ():
        for name in names:
            if (path := base / name).is_symlink():
                raise UsageError(
                    f"{path} is a symbolic link: a data root must contain its own files; remove it and run again (to "
                    "keep artefacts elsewhere, move the whole data root and name it with --data-root)"
                )
    for result in results:
        if result.is_symlink():
            raise UsageError(
                f"{result} is a symbolic link, and this run would write to its target; remove it and run again"
            )


@contextmanager
def writing(data_root: Path, results: tuple[Path, ...] = (), *, wait: bool = False) -> Iterator[None]:
    """Make the data root if it is missing, and hold its lock for the block.

    Parameters
    ----------
    data_root
        The data root.
    results
        The places outside the data root that the block writes to.
    wait
        Wait for another process that holds the lock instead of raising LockedError.

    Raises
    ------
    UsageError
        The data root or a result contains a symbolic link.
    LockedError
        Another process writes to the data root.
    OssicleError
        The data root cannot be written to.
    """
    refuse_links(data_root, results)
    with ExitStack() as held:
        try:
            make_folder(data_root)
            held.enter_context(project_lock(data_root, wait=wait))
            # The lock file of an earlier run opens in a folder that cannot be written to.
            if not os.access(data_root, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(data_root))
        except OSError as error:
            if error.errno not in NOT_WRITABLE or error.filename == str(data_root / LOCK_FILE):
                raise
            raise OssicleError(
                f"{data_root}: {error.strerror}: the outputs of steps are written there; change its permissions, copy "
                "the project to a folder that is writable, or give another folder with --data-root (finished steps are "
                "then computed again)"
            ) from error
        yield
