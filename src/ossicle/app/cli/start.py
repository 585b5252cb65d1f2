"""Where the command line begins: before the commands are imported, which takes a second, signals are answered.

Only the standard library and empty packages are imported here.
"""

import os
import signal
from types import FrameType


def main() -> None:
    """Load the commands and run one; SIGINT and SIGTERM that come before end the process with their exit codes."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in usual.items():
        # What a shell has a process ignore stays ignored.
        if handler is not signal.SIG_IGN:
            signal.signal(number, _too_early)
    from ossicle.app.cli.main import main as run

    for number, handler in usual.items():
        signal.signal(number, handler)
    run()


def _too_early(number: int, frame: FrameType | None) -> None:
    """End at once: nothing is begun, and half-imported modules would answer an exception with errors of their own."""
    word = "interrupted" if number == signal.SIGINT else "terminated"
    os.write(2, f"ossicle: {word} before anything started\n".encode())
    os._exit(128 + number)
