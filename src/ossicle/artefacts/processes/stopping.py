"""End a command after a time of its own, before the limit of a batch system, a container or a lease kills it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stopping_after(seconds: float | None, say: Callable[[str], None]) -> Iterator[None]:
    """Send SIGTERM to this process if the block is not done in time; the process then saves its state as for any.

    Parameters
    ----------
    seconds
        Time until the signal, in seconds; None for never.
    say
        Receives a message just before the signal.
    """
    if seconds is None:
        yield
        return

    def stop() -> None:
        say(f"stopping after {seconds:g} s, as --stop-after says")
        send_to_main_thread(signal.SIGTERM)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def send_to_main_thread(number: int) -> None:
    """Send a signal to the main thread, which runs the handlers: only a signal to itself ends its waiting."""
    thread = threading.main_thread()
    if hasattr(signal, "pthread_kill") and thread.ident is not None:
        signal.pthread_kill(thread.ident, number)
    else:
        signal.raise_signal(number)
