"""The lock of a project: one run at a time writes to it.

The lock is the system's (``flock``) on ``.ossicle.lock``, so it ends with its process, however that ends; what the file
says (pid, host, since when) is only for the message to the second one.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ossicle.core.errors import LockedError, UsageError

LOCK_FILE = ".ossicle.lock"


@contextmanager
def project_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder`` for the block.

    Raises LockedError, naming holder and remedy, while another process or an enclosing block holds it; UsageError when
    there is no such folder. The emptied file stays: removing it would let two holders lock two files of one name.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the folder of the project")
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"{folder} is in use by {_holder(handle)}; wait for it to end, or stop it") from None
        since = datetime.now(UTC).isoformat(timespec="seconds")
        owner = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()
        os.pwrite(handle, owner, 0)
        os.ftruncate(handle, len(owner))
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    try:
        owner = json.loads(os.pread(handle, 4096, 0))
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (ValueError, KeyError, TypeError):
        # The holder has the lock but has not yet signed, or is about to let go.
        return "another process"
