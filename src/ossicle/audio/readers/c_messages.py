"""Keep the messages of C libraries off the terminal.

mpg123, which is inside libsndfile and cannot be told to be quiet there, prints notes about MP3 files to the standard
error of the C library, even about files that are whole; libsndfile prints some about damaged ALAC to the standard
output, where they would end among the results. What matters of them is in the report of a recording.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _CStream:
    """The variable ``stdout`` or ``stderr`` of the C library, which belongs to the whole process, and its diverters.

    Python's own ``sys.stdout`` and ``sys.stderr`` do not use it. Where the variable cannot be set (musl, Windows),
    nothing is diverted.
    """

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self._callers = 0
        self._variable = _variable(name)
        self._before: int | None = None
        self._nowhere: int | None = None

    def divert(self) -> None:
        """Send messages nowhere until as many calls of :meth:`restore` follow."""
        with self._lock:
            self._callers += 1
            if self._callers > 1 or self._variable is None:
                return
            self._nowhere = self._nowhere or _open_nowhere()
            if self._nowhere:
                self._before, self._variable.value = self._variable.value, self._nowhere

    def restore(self) -> None:
        """End what one call of :meth:`divert` began."""
        with self._lock:
            self._callers -= 1
            if self._callers == 0 and self._variable is not None and self._before is not None:
                self._variable.value, self._before = self._before, None


def _variable(name: str) -> ctypes.c_void_p | None:
    symbol = name if _has_glibc() else f"__{name}p" if sys.platform == "darwin" else ""
    try:
        return ctypes.c_void_p.in_dll(ctypes.CDLL(None), symbol) if symbol else None
    except (OSError, TypeError, ValueError):
        return None


def _has_glibc() -> bool:
    try:
        return "glibc" in (os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, OSError, ValueError):
        return False


def _open_nowhere() -> int | None:
    """Return a C stream that discards what is written to it; it stays open as long as the process."""
    fopen = ctypes.CDLL(None).fopen
    fopen.restype, fopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_char_p)
    stream: int | None = fopen(os.fsencode(os.devnull), b"w")
    return stream


_STREAMS = (_CStream("stdout"), _CStream("stderr"))


@contextmanager
def no_c_messages() -> Iterator[None]:
    """Discard what C libraries print to standard output and standard error while the body runs, in any thread."""
    for stream in _STREAMS:
        stream.divert()
    try:
        yield
    finally:
        for stream in _STREAMS:
            stream.restore()
