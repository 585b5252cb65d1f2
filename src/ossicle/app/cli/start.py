"""The start of the command line: handle signals while the commands are imported, which takes a second.

Only the standard library and empty packages are imported here.
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# What the system's loader says where a library does not fit into memory, and torch where an array does not.
_NO_MEMORY = ("failed to map segment", "annot allocate memory", "can't allocate memory", "not enough memory")


def main() -> None:
    """Load the command line and run a command."""
    try:
        with while_modules_load():
            from ossicle.app.cli.main import main as run
        run()
    except KeyboardInterrupt:
        # Between two handlers.
        sys.exit(128 + signal.SIGINT)
    except (MemoryError, ImportError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or any(phrase in str(error) for phrase in _NO_MEMORY)):
            raise
        print("ossicle: not enough memory; close other programs, or raise the limit (ulimit -v)", file=sys.stderr)
        sys.exit(1)
    finally:
        # While the interpreter ends, a late Ctrl-C would kill it and change the exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # A Ctrl-C in code that runs from text, as dataclasses are made while modules load, leaves a mark with which
        # `python -m ossicle` would be killed by the signal at its end. Running any text clears the mark.
        exec("")


@contextmanager
def while_modules_load() -> Iterator[None]:
    """In the block, signals end the process at once, and no garbage is collected.

    Modules consist of many thousands of objects that stay. Looking through them for garbage takes a tenth of the time
    while they load, and as long again when the process ends, so they are frozen: no later collection looks at them.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        with ending_at_signals():
            yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()


@contextmanager
def ending_at_signals() -> Iterator[None]:
    """End the process at once, with the right exit code, at SIGINT or SIGTERM in the block, while modules load.

    Only the main thread can set this; in other threads signals keep their handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in usual.items():
        # A signal that the shell makes the process ignore stays ignored.
        if handler is not signal.SIG_IGN:
            signal.signal(number, _too_early)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _too_early(number: int, frame: FrameType | None) -> None:
    """End at once: nothing has begun, and half-imported modules would raise errors of their own for an exception."""
    word = "interrupted" if number == signal.SIGINT else "terminated"
    os.write(2, f"ossicle: {word} before anything started\n".encode())
    os._exit(128 + number)
