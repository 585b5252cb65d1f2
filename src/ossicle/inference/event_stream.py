"""The detector as a live stream of samples at any rate, from a microphone, a file or a socket."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from numpy.typing import ArrayLike

from ossicle.core.decisions.decision import Decision
from ossicle.core.time import to_seconds
from ossicle.core.tracks import Event, event_order
from ossicle.inference.delivery import Delivery
from ossicle.inference.finder import EventFinder
from ossicle.inference.postprocess import refuse_in_stream
from ossicle.inference.predictor import Predictor
from ossicle.inference.sample_feed import SampleFeed
from ossicle.inference.second_stage.stage import SecondStage


class EventStream:
    """Detect events in a stream of samples and return each event as soon as it is certain.

    The events equal those predicted from the same samples at once, whatever the size of the feeds. Streams are usually
    created by ``LoadedBundle.stream``. As a context manager, a stream is closed at the end of the block and then
    accepts no more samples.

    Parameters
    ----------
    predictor, decisions, second_stage, delivery
        Scoring, decision, re-scoring and calibration of a bundle.
    rate
        Sample rate of the input in Hz; None for the predictor's own.
    batch_chunks
        Chunks scored at a time; 1 gives the lowest latency.

    Raises
    ------
    UsageError
        If the post-processing needs the whole recording (a file prior), which a stream does not have.
    ValueError
        If the rate is not a positive whole number.

    Examples
    --------
    >>> import numpy as np
    >>> import ossicle
    >>> bundle = ossicle.load_bundle("tests/data/bundles/0.1.0/bundle")
    >>> with bundle.stream(rate=16000) as live:
    ...     events = live.feed(np.zeros(8000)) + live.feed(np.zeros((4000, 2))) + live.finish()
    >>> live.rate, live.heard_s
    (16000, 0.75)
    """

    def __init__(
        self,
        predictor: Predictor,
        decisions: Mapping[str, Decision],
        rate: int | None = None,
        second_stage: SecondStage | None = None,
        delivery: Delivery | None = None,
        batch_chunks: int = 1,
    ) -> None:
        if delivery is not None:
            refuse_in_stream(delivery.postprocess)
        self._feed = SampleFeed(predictor.plan, rate)
        self._model_rate = predictor.plan.rate
        self._finder = EventFinder(predictor, decisions, batch_chunks, second_stage, delivery)

    @property
    def rate(self) -> int:
        """Sample rate in Hz of what is fed."""
        return self._feed.rate

    @property
    def heard_s(self) -> float:
        """Seconds of the stream that the detector has processed so far."""
        return to_seconds(self._finder.n_samples, self._model_rate)

    def feed(self, samples: ArrayLike) -> list[Event]:
        """Process the next samples.

        Parameters
        ----------
        samples
            Real numbers in [-1, 1] at ``rate`` Hz, shape (n,) or (n, channels), any n; of several channels the
            one of the predictor's plan is read, by default their mean.

        Returns
        -------
        list of Event
            The events that became certain, sorted by time; usually none.

        Raises
        ------
        ValueError
            If the samples are not finite real numbers of such a shape or lack the channel, or the stream has finished.
            Of several channels the loudest is not known before the end.
        """
        return self._finder.feed(self._feed.take(samples))

    def finish(self, end_s: float | None = None) -> list[Event]:
        """End the stream.

        Parameters
        ----------
        end_s
            Length of the recording in seconds if known from elsewhere; None: the length of the samples that were fed.

        Returns
        -------
        list of Event
            The remaining events, sorted by time and clipped to the end. A bundle that decides on whole recordings
            returns all its events here.

        Raises
        ------
        ValueError
            If the stream has already finished.
        """
        events = self._finder.feed(self._feed.rest())
        self._feed.close()
        events += self._finder.finish(self._feed.fed_s if end_s is None else end_s)
        return sorted(events, key=event_order)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.close()
