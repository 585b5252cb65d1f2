"""Every line to every sink."""

from collections.abc import Iterable

from ossicle.live.lines import Line
from ossicle.live.sinks.queue import SinkQueue, SinkReport


class FanOut:
    """All sinks of a session.

    Parameters
    ----------
    queues
        A queue for each sink.
    """

    def __init__(self, queues: Iterable[SinkQueue]) -> None:
        self._queues = tuple(queues)

    def put(self, line: Line) -> None:
        """Add a line to every sink; never waits."""
        for queue in self._queues:
            queue.put(line)

    @property
    def all_gone(self) -> bool:
        """Whether there are sinks, and all of them are gone for good."""
        return bool(self._queues) and all(queue.gone for queue in self._queues)

    def failing(self) -> list[str]:
        """Return why lines are not delivered at present, for each sink that fails."""
        return [queue.failing for queue in self._queues if queue.failing]

    def reports(self) -> list[SinkReport]:
        """Return the present figures of every sink."""
        return [queue.report() for queue in self._queues]

    def end(self, patience_s: float = 2.0) -> list[SinkReport]:
        """Deliver what waits and stop; each sink has at most ``patience_s`` seconds."""
        return [queue.end(patience_s) for queue in self._queues]
