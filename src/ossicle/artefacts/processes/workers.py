"""Worker processes that depend on their run: only the run handles Ctrl-C, and workers end with it."""

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
    """Block SIGINT during the block; processes started in it never receive it.

    Ctrl-C goes to every process of the terminal's group. The run handles it and ends its workers; a worker that ended
    by itself would look like a crash.
    """
    # The first spawned process starts multiprocessing's tracker, which unblocks SIGINT when it returns.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """End this worker process at once when its parent is gone.

    A killed run cannot end its workers, and the next run must not find them still writing.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def keep_freed_memory() -> None:
    """Make this process keep the memory it frees for later use (glibc; no effect elsewhere).

    A training step allocates and frees the same hundred megabytes again and again. By default glibc returns each large
    block to the system, which must then clear it again page by page: a tenth of a step on two cores.
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
