"""How Ctrl-C and SIGTERM end a command: by an exception, so that it saves its state, and never in a module that loads.

An exception between the lines of a module that loads is not safe: some modules, such as those of torch, catch
everything, so that the command would go on, and others raise an error of their own for it. Commands and steps load
modules while they work. The signal then waits until the modules are loaded.
"""

import sys
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType

from ossicle.app.cli.printable import printable
from ossicle.artefacts.processes.stopping import send_to_main_thread

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

_LOADER = "<frozen importlib._bootstrap>"
_AGAIN_S = 0.05
# Modules that need longer, because their disk hangs for example, are interrupted.
_PATIENCE_S = 30.0


class EndingSignal:
    """Handles a signal: prints a word, and raises an exception, at the latest when the modules that load are loaded.

    Parameters
    ----------
    word
        What became of the command.
    error
        Makes the exception.
    outermost
        Code of the function that runs the command: what loads further out does not matter.
    once
        Whether later signals are ignored, so that they do not disturb the saving of its state.
    """

    def __init__(self, word: str, error: Callable[[], BaseException], outermost: CodeType, *, once: bool) -> None:
        self._word, self._error, self._outermost, self._once = word, error, outermost, once
        self._came_s: float | None = None
        self._raised = threading.Event()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if self._once and self._raised.is_set():
            return
        waits = is_loading(frame, self._outermost)
        if self._came_s is None:
            self._came_s = time.monotonic()
            print(printable(f"ossicle: {self._word}; run the same command again to continue"), file=sys.stderr)
            if waits:
                threading.Thread(target=self._repeat, args=(number,), daemon=True).start()
        if waits and time.monotonic() < self._came_s + _PATIENCE_S:
            return
        self._raised.set()
        raise self._error()

    def _repeat(self, number: int) -> None:
        while not self._raised.wait(_AGAIN_S):
            send_to_main_thread(number)


def is_loading(frame: FrameType | None, outermost: CodeType) -> bool:
    """Return whether a module is being loaded at ``frame``, or by a function that called it up to ``outermost``."""
    while frame is not None and frame.f_code is not outermost:
        if frame.f_code.co_filename == _LOADER:
            return True
        frame = frame.f_back
    return False
