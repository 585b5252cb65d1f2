"""Worker processes that answer to their run alone: Ctrl-C reaches them through it, and they do not outlive it."""

import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

# Names in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold SIGINT back for the block; processes started in it never get it.

    Ctrl-C goes to every process of the terminal's group. The run answers it and ends its workers; a worker that died by
    itself would look like a crash.
    """
    # The first spawned process starts multiprocessing's tracker, which unblocks SIGINT as it leaves.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """End this worker process at once when its parent has gone.

    A killed run cannot end its workers, and the next one must not meet them writing.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def keep_freed_memory() -> None:
    """Make this process keep the memory it frees, for its next step to use (glibc; elsewhere nothing happens).

    A training step takes and frees the same hundred megabytes again and again. Left alone, glibc hands each large block
    back to the system, which must then clear it anew page by page: a tenth of a step on two cores.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
