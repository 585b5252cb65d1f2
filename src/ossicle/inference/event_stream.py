"""The detector as a live stream of samples at any rate: what a microphone, a file or a socket feeds."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ossicle.audio.array_stream import checked_rate, mono_samples
from ossicle.audio.resample import Resampler
from ossicle.core.decision import Decision
from ossicle.core.time import to_seconds
from ossicle.core.tracks import Event, event_order
from ossicle.inference.delivery import Delivery
from ossicle.inference.finder import EventFinder
from ossicle.inference.postprocess import refuse_in_stream
from ossicle.inference.predictor import Predictor
from ossicle.inference.second_stage.stage import SecondStage


class EventStream:
    """A stream of samples in, events out, each as soon as it is certain.

    The events are those of the same samples predicted as a whole, however they are cut into feeds. Usually made by
    ``LoadedBundle.stream``. As a context manager it is closed at the end of the block; it then takes no more samples.

    Parameters
    ----------
    predictor, decisions, second_stage, delivery
        What scores, decides, re-scores and calibrates; those of a bundle.
    rate
        Sample rate of what is fed, in Hz; None for the predictor's own.
    batch_chunks
        Chunks scored at a time; 1 gives the least latency.

    Raises
    ------
    UsageError
        The post-processing needs the whole recording (a file prior), which a stream does not have.
    ValueError
        The rate is not a positive whole number.
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
        self.rate = predictor.plan.rate if rate is None else checked_rate(rate)
        self._model_rate = predictor.plan.rate
        self._finder = EventFinder(predictor, decisions, batch_chunks, second_stage, delivery)
        self._resampler = Resampler(self.rate, self._model_rate)
        self._n_samples, self._open = 0, True

    @property
    def heard_s(self) -> float:
        """Seconds of the stream that the detector has taken so far."""
        return to_seconds(self._finder.n_samples, self._model_rate)

    def feed(self, samples: ArrayLike) -> list[Event]:
        """Take the next samples.

        Parameters
        ----------
        samples
            Real numbers in [-1, 1] at ``rate`` Hz, shape (n,) or (n, channels), any n; channels are averaged.

        Returns
        -------
        The events that became certain, sorted by time; usually none.

        Raises
        ------
        ValueError
            The samples are not finite real numbers of such a shape, or the stream has finished.
        """
        self._require_open()
        mono = mono_samples(samples)
        self._n_samples += len(mono)
        return self._finder.feed(self._resampler.feed(mono))

    def finish(self, end_s: float | None = None) -> list[Event]:
        """End the stream.

        Parameters
        ----------
        end_s
            Length of the recording in seconds where it is known otherwise; None: of the samples that were fed.

        Returns
        -------
        The remaining events, sorted by time and clipped to the end. For a bundle that decides on recordings as a whole
        these are all.

        Raises
        ------
        ValueError
            The stream has finished before.
        """
        self._require_open()
        self._open = False
        events = self._finder.feed(self._resampler.feed(np.zeros(0, dtype=np.float32), last=True))
        events += self._finder.finish(to_seconds(self._n_samples, self.rate) if end_s is None else end_s)
        return sorted(events, key=event_order)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("this stream has finished: make another one for the next recording")
