"""States as a live stream of samples at any rate, from a microphone, a file or a socket."""

from types import TracebackType
from typing import Self

from numpy.typing import ArrayLike

from ossicle.core.decisions.states import StateChange, StateDecision, overall_status
from ossicle.core.value_checks import number_fault
from ossicle.inference.predictor import Predictor
from ossicle.inference.sample_feed import SampleFeed
from ossicle.inference.states.finder import StateFinder


class StateStream:
    """Follow the states of appliances in a stream of samples; each change is returned as soon as it is decided.

    The changes equal those predicted from the same samples at once, whatever the size of the feeds. Its face is that of
    ``EventStream``, with :meth:`gap` for sound that was lost. As a context manager, a stream is closed at the end of
    the block and then accepts no more samples.

    Parameters
    ----------
    predictor, decision
        The model of a bundle, and its decision about states.
    rate
        Sample rate of the input in Hz; None for the predictor's own.
    batch_chunks
        Chunks scored at a time; 1 gives the lowest latency.

    Raises
    ------
    ValueError
        If the rate is not a positive whole number, or a label has no rule.
    """

    def __init__(
        self, predictor: Predictor, decision: StateDecision, rate: int | None = None, batch_chunks: int = 1
    ) -> None:
        self._feed = SampleFeed(predictor.plan, rate)
        self._finder = StateFinder(predictor, decision, batch_chunks)
        self._priority = decision.priority
        self._lost_s = 0.0

    @property
    def rate(self) -> int:
        """Sample rate in Hz of what is fed."""
        return self._feed.rate

    @property
    def heard_s(self) -> float:
        """Seconds from the start of the stream to the last sample that was processed, lost sound included."""
        return self._finder.heard_s

    @property
    def states(self) -> dict[str, str]:
        """The state of each label now: ``on``, ``off`` or ``unknown``."""
        return self._finder.states

    @property
    def status(self) -> str:
        """The overall status now, by the priority of the decision; empty without one."""
        return overall_status(self.states, self._priority)

    def feed(self, samples: ArrayLike) -> list[StateChange]:
        """Process the next samples.

        Parameters
        ----------
        samples
            Real numbers in [-1, 1] at ``rate`` Hz, shape (n,) or (n, channels), any n.

        Returns
        -------
        list of StateChange
            The changes that were decided, in this order; usually none.

        Raises
        ------
        ValueError
            If the samples are not finite real numbers of such a shape or lack the channel, or the stream has finished.
        """
        return self._finder.feed(self._feed.take(samples))

    def gap(self, lost_s: float) -> list[StateChange]:
        """Mark the next ``lost_s`` seconds as lost: no sound came, as from a microphone that was unplugged.

        Every label becomes unknown where the gap begins, until a full window has come after it, and nothing before the
        gap has an influence on what follows. Call it with 0.0 as soon as sound is missing, and again with the length
        once it is known; lengths add up.

        Parameters
        ----------
        lost_s
            Length of the gap in seconds, at least 0.

        Returns
        -------
        list of StateChange
            The changes to ``unknown``.

        Raises
        ------
        ValueError
            If the length is not a number from 0 on, or the stream has finished.
        """
        if fault := number_fault("lost_s", lost_s, 0.0):
            raise ValueError(fault)
        changes = self._finder.feed(self._feed.rest())
        self._lost_s += lost_s
        return changes + self._finder.gap(lost_s)

    def finish(self, end_s: float | None = None) -> list[StateChange]:
        """End the stream; the last states hold until then.

        Parameters
        ----------
        end_s
            Length of the recording in seconds if known from elsewhere; None: the length of what was fed and lost.

        Returns
        -------
        list of StateChange
            The changes that were still waiting.

        Raises
        ------
        ValueError
            If the stream has already finished.
        """
        changes = self._finder.feed(self._feed.rest())
        self._feed.close()
        return changes + self._finder.finish(self._feed.fed_s + self._lost_s if end_s is None else end_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.close()
