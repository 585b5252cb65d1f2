"""A sink behind a bounded queue and a thread of its own, so that it never slows the engine."""

import json
import threading
import time
from collections import deque
from dataclasses import dataclass

from ossicle.live.backoff import Backoff
from ossicle.live.lines import Line
from ossicle.live.sinks.sink import LineRejected, Sink, SinkClosed, SinkError

MOST_LINES = 1000
"""The lines that may wait for a sink, unless the user says otherwise."""
LOST = "lost_lines"
"""The key in a delivered line that counts the lines lost before it."""


@dataclass(frozen=True, slots=True)
class SinkReport:
    """What became of the lines of one sink: its name, delivered and lost lines, and the last failure (or empty)."""

    name: str
    delivered: int
    lost: int
    last_error: str


class SinkQueue:
    """Deliver lines to a sink from a thread; the oldest line is dropped where the queue is full.

    Parameters
    ----------
    sink
        The sink.
    most_lines
        Lines that may wait.
    backoff
        Pauses between attempts to deliver a line.

    Notes
    -----
    The number of lines lost since the last delivery stands in the next delivered line (:data:`LOST`).
    """

    def __init__(self, sink: Sink, most_lines: int = MOST_LINES, backoff: Backoff = Backoff(0.5, 30.0)) -> None:
        self._sink, self._most_lines, self._backoff = sink, most_lines, backoff
        self._lines: deque[Line] = deque()
        self._change = threading.Condition()
        self._delivered = self._lost = self._unreported = 0
        self._busy = self._ending = self._closed = self._gone = False
        self._last_error = self._failing = ""
        # A daemon: a delivery that never returns must not keep the process.
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    def put(self, line: Line) -> None:
        """Add a line; never waits for the sink."""
        with self._change:
            if self._closed:
                self._lose(1)
                return
            if len(self._lines) >= self._most_lines:
                self._lines.popleft()
                self._lose(1)
            self._lines.append(line)
            self._change.notify_all()

    @property
    def gone(self) -> bool:
        """Whether the other side is gone for good."""
        return self._gone

    @property
    def failing(self) -> str:
        """Why the present line is not delivered yet; empty if nothing fails."""
        return self._failing

    def report(self) -> SinkReport:
        """Return what became of the lines so far; lines that wait are neither delivered nor lost."""
        with self._change:
            return SinkReport(self._sink.name, self._delivered, self._lost, self._last_error)

    def end(self, patience_s: float = 2.0) -> SinkReport:
        """Deliver what waits, for at most ``patience_s`` seconds, and stop; what is left counts as lost."""
        deadline = time.monotonic() + patience_s
        with self._change:
            self._ending = True
            self._change.notify_all()
            while (self._lines or self._busy) and (left_s := deadline - time.monotonic()) > 0:
                self._change.wait(left_s)
            self._lose(len(self._lines) + self._busy)
            self._lines.clear()
            self._closed = True
            self._change.notify_all()
        self._thread.join(max(0.0, deadline - time.monotonic()) + 0.1)
        return self.report()

    def _lose(self, count: int) -> None:
        self._lost += count
        self._unreported += count

    def _run(self) -> None:
        while (line := self._next()) is not None:
            self._deliver(line)
            with self._change:
                self._busy = False
                self._change.notify_all()
        self._sink.close()

    def _next(self) -> Line | None:
        with self._change:
            while not self._lines:
                if self._ending or self._closed:
                    return None
                self._change.wait()
            self._busy = True
            return self._lines.popleft()

    def _deliver(self, line: Line) -> None:
        """Deliver a line, with pauses between attempts, until it works or the queue is closed."""
        failures, reported = 0, 0
        # The text stays the same for all attempts: the other side may have taken the first.
        with self._change:
            reported = self._unreported
        text = json.dumps({**line, LOST: reported} if reported else line, ensure_ascii=False)
        while True:
            try:
                self._sink.deliver(text)
            except SinkError as error:
                with self._change:
                    self._last_error = self._failing = str(error)
                    if self._change.wait_for(lambda: self._closed, self._backoff.pause_s(failures)):
                        return
                failures += 1
            except LineRejected as error:
                with self._change:
                    self._last_error = str(error)
                    self._lose(1)
                return
            except SinkClosed as error:
                with self._change:
                    self._last_error, self._closed, self._gone = str(error), True, True
                    self._lose(1 + len(self._lines))
                    self._lines.clear()
                return
            else:
                with self._change:
                    self._failing = ""
                    if not self._closed:
                        self._delivered += 1
                        self._unreported -= reported
                return
