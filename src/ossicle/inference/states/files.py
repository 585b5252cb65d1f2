"""The states of recordings: whole, and as from a microphone."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ossicle.audio.decoding.decode import DecodeReport
from ossicle.audio.decoding.mono import MonoStream
from ossicle.core.decisions.states import StateChange
from ossicle.core.records import Status
from ossicle.core.tracks import ScoreTrack
from ossicle.inference.batch import SampleStream, equal_blocks, feed_samples
from ossicle.inference.states.finder import StateFinder
from ossicle.inference.states.stream import StateStream


@dataclass(frozen=True, slots=True)
class FileStates:
    """Changes of state of one file in the order in which they were decided, with the outcome of reading it.

    ``end_s`` is the second up to which the file was read; a ``left_out`` file has no changes and a ``reason``.
    ``scores`` is None unless scores were requested; ``cancel_db`` is that of the decode report.
    """

    changes: tuple[StateChange, ...]
    status: Status
    reason: str
    end_s: float
    scores: ScoreTrack | None = field(default=None, compare=False)
    cancel_db: float | None = None


def states_of(stream: SampleStream, finder: StateFinder) -> FileStates:
    """Return the changes of state of one recording; raises AudioError if it must be left out."""
    changes: list[StateChange] = []
    for block in stream:
        changes += finder.feed(block)
    report = stream.report
    changes += finder.finish(report.end_s)
    return FileStates(tuple(changes), report.status, report.reason, report.end_s, finder.track(), report.cancel_db)


def stream_states(
    live: StateStream, stream: MonoStream, feed_s: float
) -> Generator[tuple[StateChange, ...], None, DecodeReport]:
    """Yield the changes of a recording that is fed to ``live`` in blocks of ``feed_s`` seconds.

    Changes that are decided at one moment come together, because they have one overall status. All changes equal those
    of :func:`states_of`. The generator returns how decoding ended.

    Raises
    ------
    AudioError
        When the stream meets samples that cannot be used; changes yielded before remain valid.
    ValueError
        If ``feed_s`` is shorter than one sample.
    """
    for block in equal_blocks(stream, feed_samples(feed_s, stream.rate)):
        yield from _moments(live.feed(block))
    yield from _moments(live.finish(stream.report.end_s))
    return stream.report


def _moments(changes: Sequence[StateChange]) -> Iterator[tuple[StateChange, ...]]:
    return (tuple(together) for _, together in groupby(changes, key=lambda change: change.decided_at_s))
