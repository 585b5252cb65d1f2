"""Lock a file with the package ``filelock``, where the system has no ``fcntl`` (Windows)."""

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

_SUFFIX = ".held"


def try_lock(handle: int, path: Path) -> Callable[[], None] | None:
    """Lock ``path`` without waiting, through a second file beside it.

    A locked file cannot be read on Windows, and ``path`` must stay readable: it names the holder.

    Parameters
    ----------
    handle
        Unused: this lock belongs to the second file, ``path`` with ``.held`` appended.
    path
        The file to lock.

    Returns
    -------
    callable or None
        Releases the lock. None if somebody else holds it.
    """
    lock = FileLock(path.with_name(path.name + _SUFFIX))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock.release
