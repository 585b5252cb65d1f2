"""What a sink is: it delivers one line at a time, and says how a delivery failed."""

from typing import Protocol


class SinkError(Exception):
    """A line could not be delivered now; it is tried again."""


class LineRejected(Exception):
    """The other side refuses this line for good; it counts as lost."""


class SinkClosed(Exception):
    """The other side is gone for good; all further lines count as lost."""


class Sink(Protocol):
    """Delivers lines; used by one thread."""

    @property
    def name(self) -> str:
        """The address without anything secret, for messages."""
        ...

    def deliver(self, text: str) -> None:
        """Deliver one line (JSON without a line end), and return once the other side has it.

        Raises
        ------
        SinkError
            It failed, and may work later. The next call has the same line.
        LineRejected
            It can never work with this line.
        SinkClosed
            It can never work again.
        """
        ...

    def close(self) -> None:
        """Release connections; raises nothing."""
        ...
