"""From recordings to scores and events, through one engine in bounded memory (invariants 4, 7 and 10).

``MonoStream`` decodes and resamples in blocks, and ``EventFinder`` turns them into events; a whole recording is never
in memory. :func:`stream_file` feeds the same engine as a microphone would.
"""

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.decode import DecodeReport
from ossicle.audio.decoding.mono import MonoStream
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import AudioError, OssicleError
from ossicle.core.records import Status
from ossicle.core.time import to_samples
from ossicle.core.tracks import Event, ScoreTrack, event_order
from ossicle.core.value_checks import number_fault
from ossicle.inference.delivery import Delivery
from ossicle.inference.event_stream import EventStream
from ossicle.inference.finder import EventFinder
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer
from ossicle.inference.second_stage.stage import SecondStage

PathLike = str | os.PathLike[str]


class TrackSink(Protocol):
    """A destination of scores, written block by block; for example ``artefacts.array_files.blocks.TrackWriter``."""

    def append(self, scores: NDArray[np.float32]) -> None:
        """Add the next frames, float32 (k, n_labels)."""
        ...

    def finish(self, duration_s: float) -> None:
        """Complete the track with the recording's length in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class FilePrediction:
    """Events of one file, sorted, with the outcome of reading it (invariant 7).

    ``end_s`` is the second up to which the file was read; a ``left_out`` file has no events and a ``reason``.
    ``scores`` is None unless scores were requested; ``cancel_db`` is that of the decode report.
    """

    events: tuple[Event, ...]
    status: Status
    reason: str
    end_s: float
    scores: ScoreTrack | None = field(default=None, compare=False)
    cancel_db: float | None = None


@dataclass(frozen=True, slots=True)
class EmittedEvent:
    """An event of a stream, and the second up to which the stream had been processed when the event was decided."""

    event: Event
    emitted_s: float

    @property
    def latency_s(self) -> float:
        """Seconds from the end of the event until it was decided."""
        return self.emitted_s - self.event.end_s


def score_blocks(stream: MonoStream, predictor: Predictor, batch_chunks: int = 8) -> Iterator[NDArray[np.float32]]:
    """Yield the scores of a recording block by block, float32 (k, n_labels), k >= 0; ``stream.report`` is set
    afterwards.
    """
    scorer = Scorer(predictor, batch_chunks)
    for block in stream:
        yield scorer.feed(block)
    yield scorer.finish()


def write_scores(path: PathLike, predictor: Predictor, sink: TrackSink, batch_chunks: int = 8) -> DecodeReport:
    """Score a recording into ``sink`` block by block.

    Parameters
    ----------
    path
        The audio file.
    predictor
        The model.
    sink
        Destination of the scores, float32 (k, n_labels) each time.
    batch_chunks
        Chunks scored at a time.

    Raises
    ------
    AudioError
        If the file must be left out.
    """
    stream = MonoStream(path, predictor.plan.rate, channel=predictor.plan.channel)
    with _naming(path):
        for scores in score_blocks(stream, predictor, batch_chunks):
            sink.append(scores)
    sink.finish(stream.report.end_s)
    return stream.report


def score_recording(path: PathLike, predictor: Predictor, batch_chunks: int = 8) -> tuple[ScoreTrack, DecodeReport]:
    """Return the scores of a recording in memory (4 bytes per frame and label), and how decoding ended.

    Raises
    ------
    AudioError
        If the file must be left out.
    """
    stream = MonoStream(path, predictor.plan.rate, channel=predictor.plan.channel)
    with _naming(path):
        scores = np.concatenate(list(score_blocks(stream, predictor, batch_chunks)))
    track = ScoreTrack(tuple(predictor.labels), scores, predictor.plan.hop_s, stream.report.end_s)
    return track, stream.report


@contextmanager
def _naming(path: PathLike) -> Iterator[None]:
    """Put the file in front of what a model says that fails on it; errors of the file itself name it already."""
    try:
        yield
    except AudioError:
        raise
    except OssicleError as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from error


class SampleStream(Protocol):
    """The samples of one recording at a model's rate, block by block: ``MonoStream`` for files, ``ArrayStream`` for
    arrays.
    """

    @property
    def report(self) -> DecodeReport:
        """How reading ended; known afterwards."""
        ...

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Yield the samples, float32 (n,)."""
        ...


def predict_stream(stream: SampleStream, finder: EventFinder) -> FilePrediction:
    """Return the events of one recording; raises AudioError if it must be left out."""
    events: list[Event] = []
    for block in stream:
        events += finder.feed(block)
    report = stream.report
    events += finder.finish(report.end_s)
    return FilePrediction(
        events=tuple(sorted(events, key=event_order)),
        status=report.status,
        reason=report.reason,
        end_s=report.end_s,
        scores=finder.track(),
        cancel_db=report.cancel_db,
    )


def predict_file(
    path: PathLike,
    predictor: Predictor,
    decisions: Mapping[str, Decision],
    batch_chunks: int = 8,
    second_stage: SecondStage | None = None,
    delivery: Delivery | None = None,
    *,
    keep_scores: bool = False,
) -> FilePrediction:
    """Return the events of one file; a file that cannot be read is returned as ``left_out`` with a reason.

    Parameters
    ----------
    path
        The audio file.
    predictor, decisions, second_stage, delivery
        Scoring, decision, re-scoring and calibration of a bundle.
    batch_chunks
        Chunks scored at a time.
    keep_scores
        Also return the model's scores (4 bytes per frame and label).

    Raises
    ------
    OssicleError
        The model fails on this file, or returns NaN; the message names the file.
    """
    finder = EventFinder(predictor, decisions, batch_chunks, second_stage, delivery, keep_scores=keep_scores)
    try:
        with _naming(path):
            return predict_stream(MonoStream(path, predictor.plan.rate, channel=predictor.plan.channel), finder)
    except (AudioError, OSError) as error:
        return FilePrediction((), "left_out", str(error), 0.0)


def stream_file(
    path: PathLike,
    predictor: Predictor,
    decisions: Mapping[str, Decision],
    feed_s: float,
    batch_chunks: int = 1,
    second_stage: SecondStage | None = None,
    delivery: Delivery | None = None,
) -> Generator[EmittedEvent, None, DecodeReport]:
    """Yield the events of a file as from a microphone, each as soon as it is decided.

    The events equal those of :func:`predict_file`, in the order in which they become certain. The generator returns how
    decoding ended.

    Parameters
    ----------
    path
        The audio file.
    predictor, decisions, second_stage, delivery
        Scoring, decision, re-scoring and calibration of a bundle.
    feed_s
        Length of the fed blocks in seconds.
    batch_chunks
        Chunks scored at a time.

    Raises
    ------
    AudioError
        When the stream meets samples that cannot be used; events yielded before remain valid.
    """
    live = EventStream(predictor, decisions, None, second_stage, delivery, batch_chunks)
    return (
        yield from stream_through(live, MonoStream(path, predictor.plan.rate, channel=predictor.plan.channel), feed_s)
    )


def stream_through(live: EventStream, stream: MonoStream, feed_s: float) -> Generator[EmittedEvent, None, DecodeReport]:
    """Yield the events of a recording that is fed to ``live`` in blocks of ``feed_s`` seconds; see
    :func:`stream_file`.
    """
    for block in equal_blocks(stream, feed_samples(feed_s, stream.rate)):
        events = live.feed(block)
        heard_s = live.heard_s
        yield from (EmittedEvent(event, heard_s) for event in events)
    end_s = stream.report.end_s
    yield from (EmittedEvent(event, end_s) for event in live.finish(end_s))
    return stream.report


def feed_samples(feed_s: float, rate: int) -> int:
    """Return the samples of a block of ``feed_s`` seconds; raises ValueError if there are none."""
    if fault := number_fault("feed_s", feed_s):
        raise ValueError(fault)
    if to_samples(feed_s, rate) < 1:
        raise ValueError(f"feed_s = {feed_s:g} s is shorter than one sample at {rate} Hz")
    return to_samples(feed_s, rate)


def equal_blocks(stream: MonoStream, block_samples: int) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of ``stream`` in blocks of ``block_samples``, the last one shorter; all are new arrays or
    views.
    """
    rest = np.zeros(0, dtype=np.float32)
    for block in stream:
        known = np.concatenate([rest, block])
        whole = len(known) - len(known) % block_samples
        for start in range(0, whole, block_samples):
            yield known[start : start + block_samples]
        rest = known[whole:]
    if len(rest):
        yield rest
