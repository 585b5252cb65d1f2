"""Lines on standard output."""

import os
import select

from ossicle.live.sinks.sink import SinkClosed


class StandardOutput:
    """Write lines to a descriptor, past Python's own buffer: a reader that stopped would hold its lock for ever.

    Parameters
    ----------
    descriptor
        An open descriptor; 1 is standard output.
    """

    name = "stdout"

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor

    def deliver(self, text: str) -> None:
        """Write one line; raises SinkClosed if the reader has closed it."""
        data = f"{text}\n".encode()
        try:
            while data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:
                    # Another program may have made a shared terminal or pipe non-blocking.
                    select.select([], [self._descriptor], [], 1.0)
        except OSError as error:
            raise SinkClosed(f"stdout: {error.strerror}") from None

    def close(self) -> None:
        """Leave the descriptor open; it is not ours."""
