"""Audio files to scores and events, through one engine in bounded memory (invariants 4, 7 and 10).

``MonoStream`` decodes and resamples in blocks, ``Scorer`` reads them on the chunk grid, ``Decider`` folds the scores
into events, or ``Rescorer`` where there is a second stage; a whole recording is never held. :func:`stream_file` is the
same engine fed as a microphone would feed it.
"""

import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decode import DecodeReport
from ossicle.audio.mono import MonoStream
from ossicle.core.decision import Decision
from ossicle.core.errors import AudioError
from ossicle.core.records import Status
from ossicle.core.time import to_samples, to_seconds
from ossicle.core.tracks import Event, ScoreTrack, event_order
from ossicle.inference.delivery import Delivery
from ossicle.inference.postprocess import refuse_in_stream
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer
from ossicle.inference.second_stage.stage import Rescorer, SecondStage

PathLike = str | os.PathLike[str]


class TrackSink(Protocol):
    """Where scores are written block by block; ``artefacts.blocks.TrackWriter`` is one."""

    def append(self, scores: NDArray[np.float32]) -> None:
        """Take the next frames, float32 (k, n_labels)."""
        ...

    def finish(self, duration_s: float) -> None:
        """Take the recording's length in seconds and make the track whole."""
        ...


@dataclass(frozen=True, slots=True)
class FilePrediction:
    """Events of one file, sorted, with how reading it went (invariant 7).

    ``end_s`` is the second up to which it was read; a ``left_out`` file has no events and a ``reason``.
    """

    events: tuple[Event, ...]
    status: Status
    reason: str
    end_s: float


@dataclass(frozen=True, slots=True)
class EmittedEvent:
    """An event of a stream, and the second of the stream that had been heard when it was decided."""

    event: Event
    emitted_s: float

    @property
    def latency_s(self) -> float:
        """Seconds from the end of the event until it was known."""
        return self.emitted_s - self.event.end_s


def score_blocks(stream: MonoStream, predictor: Predictor, batch_chunks: int = 8) -> Iterator[NDArray[np.float32]]:
    """The scores of a recording in turn, float32 (k, n_labels), k >= 0; ``stream.report`` is known afterwards."""
    scorer = Scorer(predictor, batch_chunks)
    for block in stream:
        yield scorer.feed(block)
    yield scorer.finish()


def write_scores(path: PathLike, predictor: Predictor, sink: TrackSink, batch_chunks: int = 8) -> DecodeReport:
    """Score a recording into ``sink`` block by block; raises AudioError where the file must be left out."""
    stream = MonoStream(path, predictor.plan.rate)
    for scores in score_blocks(stream, predictor, batch_chunks):
        sink.append(scores)
    sink.finish(stream.report.end_s)
    return stream.report


def score_recording(path: PathLike, predictor: Predictor, batch_chunks: int = 8) -> tuple[ScoreTrack, DecodeReport]:
    """The scores of a recording in memory (4 bytes a frame and label); raises AudioError if it must be left out."""
    stream = MonoStream(path, predictor.plan.rate)
    scores = np.concatenate(list(score_blocks(stream, predictor, batch_chunks)))
    track = ScoreTrack(tuple(predictor.labels), scores, predictor.plan.hop_s, stream.report.end_s)
    return track, stream.report


class EventFinder:
    """The whole detector as a fold of one recording's samples into its events; ``second_stage`` may re-score them.

    ``delivery`` says how scores are given out, by default frame by frame and as they are. Raises ValueError where both
    are asked for.
    """

    def __init__(
        self,
        predictor: Predictor,
        decisions: Mapping[str, Decision],
        batch_chunks: int = 8,
        second_stage: SecondStage | None = None,
        delivery: Delivery | None = None,
    ) -> None:
        if second_stage is not None and delivery is not None and not delivery.plain:
            raise ValueError("a second stage judges events frame by frame by the model's scores, and calibrates itself")
        labels, hop_s = tuple(predictor.labels), predictor.plan.hop_s
        self._scorer = Scorer(predictor, batch_chunks)
        self._delivery = delivery or Delivery()
        self._decider = self._delivery.decider(labels, decisions, hop_s)
        self._rescorer = None if second_stage is None else Rescorer(labels, decisions, hop_s, second_stage)

    @property
    def n_samples(self) -> int:
        """Samples taken so far."""
        return self._scorer.n_samples

    def feed(self, samples: NDArray[np.float32]) -> list[Event]:
        """Take the next samples, float32 (n,) at the plan's rate; returns the events that became certain."""
        scores = self._scorer.feed(samples)
        if self._rescorer is not None:
            return self._rescorer.feed(samples, scores)
        return self._delivery.given(self._decider.feed(scores))

    def finish(self, duration_s: float) -> list[Event]:
        """The remaining events, clipped to ``duration_s`` seconds."""
        scores = self._scorer.finish()
        if self._rescorer is not None:
            return self._rescorer.finish(scores, duration_s)
        return self._delivery.given(self._decider.feed(scores) + self._decider.finish(duration_s))


def predict_file(
    path: PathLike,
    predictor: Predictor,
    decisions: Mapping[str, Decision],
    batch_chunks: int = 8,
    second_stage: SecondStage | None = None,
    delivery: Delivery | None = None,
) -> FilePrediction:
    """The events of one file. A file that cannot be used costs only itself: it comes back ``left_out``."""
    finder = EventFinder(predictor, decisions, batch_chunks, second_stage, delivery)
    events: list[Event] = []
    try:
        stream = MonoStream(path, predictor.plan.rate)
        for block in stream:
            events += finder.feed(block)
        events += finder.finish(stream.report.end_s)
    except (AudioError, OSError) as error:
        return FilePrediction((), "left_out", str(error), 0.0)
    report = stream.report
    return FilePrediction(tuple(sorted(events, key=event_order)), report.status, report.reason, report.end_s)


def stream_file(
    path: PathLike,
    predictor: Predictor,
    decisions: Mapping[str, Decision],
    feed_s: float,
    batch_chunks: int = 1,
    second_stage: SecondStage | None = None,
    delivery: Delivery | None = None,
) -> Generator[EmittedEvent, None, DecodeReport]:
    """The events of a file as a microphone would give them, in blocks of ``feed_s`` seconds, each when it is decided.

    The same events as :func:`predict_file`, in the order of their becoming certain. Raises AudioError when the stream
    meets samples that cannot be used; what was yielded before stands. The generator returns how decoding ended.
    """
    if to_samples(feed_s, predictor.plan.rate) < 1:
        raise ValueError(f"feed_s = {feed_s:g} s is shorter than one sample at {predictor.plan.rate} Hz")
    if delivery is not None:
        refuse_in_stream(delivery.postprocess)
    stream = MonoStream(path, predictor.plan.rate)
    finder = EventFinder(predictor, decisions, batch_chunks, second_stage, delivery)
    for block in equal_blocks(stream, to_samples(feed_s, stream.rate)):
        events = finder.feed(block)
        heard_s = to_seconds(finder.n_samples, stream.rate)
        yield from (EmittedEvent(event, heard_s) for event in events)
    end_s = stream.report.end_s
    yield from (EmittedEvent(event, end_s) for event in sorted(finder.finish(end_s), key=event_order))
    return stream.report


def equal_blocks(stream: MonoStream, block_samples: int) -> Iterator[NDArray[np.float32]]:
    """The samples of ``stream`` in blocks of ``block_samples``, the last one shorter; all are new arrays or views."""
    rest = np.zeros(0, dtype=np.float32)
    for block in stream:
        known = np.concatenate([rest, block])
        whole = len(known) - len(known) % block_samples
        for start in range(0, whole, block_samples):
            yield known[start : start + block_samples]
        rest = known[whole:]
    if len(rest):
        yield rest
