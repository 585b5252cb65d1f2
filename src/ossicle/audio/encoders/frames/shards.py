"""Shards of frames: read each recording once, cut its segments from the stream, encode them one after the other.

An entry of such a shard is a segment, and each of its rows a frame. A shard holds whole recordings. It depends on them,
their segments and the encoder alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossicle.artefacts.features.entries import ShardIndex
from ossicle.artefacts.features.shard import ShardWriter
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.encoders.frames.blocks import Samples, encode_frames
from ossicle.audio.encoders.spec import Encoder
from ossicle.core.errors import AudioError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.time import to_samples


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a recording, in seconds from its start."""

    segment_id: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class SegmentedRecording:
    """A recording and its segments, in any order; they may overlap."""

    path: Path
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class FrameShardJob:
    """A shard of frames to build.

    Attributes
    ----------
    folder, name
        Where to write it.
    recordings
        The recordings, in order.
    channel
        The channel to read, as in :mod:`ossicle.core.model_input.channel`.
    """

    folder: Path
    name: str
    recordings: tuple[SegmentedRecording, ...]
    channel: str = MEAN


def build_frame_shard(job: FrameShardJob, encoder: Encoder) -> ShardIndex:
    """Build a shard, which appears when it is complete, and return its description.

    The segments of a recording that cannot be read are listed in it with the reason. A segment shorter than a frame has
    no rows.

    Raises
    ------
    UsageError
        The encoder is not one of frames.
    """
    left_out: dict[str, str] = {}
    with ShardWriter(job.folder, job.name, 1, encoder.spec.dim) as writer:
        for recording in job.recordings:
            for pass_ in passes(recording.segments):
                cutter = SegmentCutter(_samples(recording.path, encoder.spec.rate, job.channel))
                for segment in pass_:
                    try:
                        for encoded_frames in encode_frames(cutter.cut(segment, encoder.spec.rate), encoder):
                            writer.append([encoded_frames.values[:, None]], encoded_frames.levels_db)
                    except AudioError as error:
                        left_out[segment.segment_id] = str(error)
                    writer.end_recording(segment.segment_id)
        return writer.finish(left_out)


def _samples(path: Path, rate: int, channel: str) -> Iterator[Samples]:
    """Yield the samples of a recording; a file that cannot be opened fails when the first ones are asked for."""
    yield from MonoStream(path, rate, channel=channel)


def passes(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Divide segments into passes over the recording: within a pass they are sorted and do not overlap.

    Parameters
    ----------
    segments
        In any order.

    Examples
    --------
    >>> found = passes([Segment("a", 0.0, 2.0), Segment("b", 1.0, 3.0), Segment("c", 2.0, 4.0)])
    >>> [[one.segment_id for one in part] for part in found]
    [['a', 'c'], ['b']]
    """
    passes_made: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda segment: (segment.start_s, segment.end_s, segment.segment_id)):
        for part in passes_made:
            if part[-1].end_s <= segment.start_s:
                part.append(segment)
                break
        else:
            passes_made.append([segment])
    return passes_made


class SegmentCutter:
    """Cut segments from a stream of samples, in order; nothing but the rest of the current block is held.

    Parameters
    ----------
    blocks
        The samples of the recording.
    """

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = iter(blocks)
        self._error: AudioError | None = None
        self._block = np.zeros(0, dtype=np.float32)
        # The place in the recording where ``_block`` begins.
        self._first = 0

    def cut(self, segment: Segment, rate: int) -> Iterator[Samples]:
        """Yield the samples of a segment, block by block; fewer if the recording ends before it.

        Parameters
        ----------
        segment
            Begins where the segment before it ends, or later.
        rate
            Of the samples, in Hz.

        Raises
        ------
        AudioError
            The recording cannot be read up to there.
        """
        start, stop = to_samples(segment.start_s, rate), to_samples(segment.end_s, rate)
        while self._first < stop:
            if self._first + len(self._block) <= start or not len(self._block):
                if not self._next():
                    return
                continue
            begin, end = max(0, start - self._first), min(len(self._block), stop - self._first)
            yield self._block[begin:end]
            self._first, self._block = self._first + end, self._block[end:]

    def _next(self) -> bool:
        """Read the next block; return False at the end of the recording."""
        if self._error:
            # A stream that failed cannot be read on: its later segments fail for the same reason.
            raise self._error
        self._first += len(self._block)
        self._block = np.zeros(0, dtype=np.float32)
        try:
            self._block = next(self._blocks)
        except StopIteration:
            return False
        except AudioError as error:
            self._error = error
            raise
        return True
