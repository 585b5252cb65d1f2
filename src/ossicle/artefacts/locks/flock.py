"""Lock an open file with ``flock``, where the system has it."""

import fcntl
from collections.abc import Callable
from pathlib import Path


def try_lock(handle: int, path: Path) -> Callable[[], None] | None:
    """Lock the open file ``handle``, without waiting.

    Parameters
    ----------
    handle
        File descriptor of ``path``. The lock ends when it is closed, so also when the process is killed.
    path
        Unused: this lock belongs to the descriptor.

    Returns
    -------
    callable or None
        Releases the lock. None if somebody else holds it.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return _released_by_closing


def _released_by_closing() -> None:
    """Do nothing: whoever opened the file closes it."""
