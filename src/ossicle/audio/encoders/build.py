"""Build feature shards: decode each recording once, encode its windows and those of its augmented copies.

A shard depends on its recordings and settings alone, so it has the same bytes whoever builds it, in whatever order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar, cast

import numpy as np

from ossicle.artefacts.features.entries import ShardIndex
from ossicle.artefacts.features.shard import ShardWriter
from ossicle.artefacts.processes.locked_jobs import locked_jobs
from ossicle.artefacts.processes.work_parts import items_per_part, work_parts
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.encoders.copies import Background, Copy
from ossicle.audio.encoders.feature_settings import FeatureSettings
from ossicle.audio.encoders.spec import Encoder
from ossicle.audio.encoders.windows import encode_recording, filled
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.model_input.channel import MEAN

SHARD_S = 300.0
"""Most seconds of sound in a shard that holds more than one recording."""

Opener = Callable[[], Encoder]
"""Opens the encoder; sent to worker processes."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Job = TypeVar("_Job", bound=_Named)


@dataclass(frozen=True, slots=True)
class FeatureItem:
    """A recording to encode; ``group`` names the backgrounds that its copies may hold."""

    recording_id: str
    path: Path
    group: str = ""


@dataclass(frozen=True, slots=True)
class ShardJob:
    """A shard to build.

    Attributes
    ----------
    folder, name
        Where to write it.
    items
        Its recordings, in order.
    settings
        Windows and copies.
    channel
        The channel to read, as in :mod:`ossicle.core.model_input.channel`.
    backgrounds
        Stretches without labels by group, for the copies.
    clip_hops
        Continue each recording with silence to whole clips of so many hops, as models of clips hear its end; 0: only
        windows that lie wholly in a recording.
    """

    folder: Path
    name: str
    items: tuple[FeatureItem, ...]
    settings: FeatureSettings
    channel: str = MEAN
    backgrounds: Mapping[str, tuple[Background, ...]] = field(default_factory=dict)
    clip_hops: int = 0


def shard_names(durations_s: Sequence[float], shard_s: float = SHARD_S, shard_items: int | None = None) -> list[str]:
    """Return the name of the shard of each recording, in order.

    Parameters
    ----------
    durations_s
        Lengths of the recordings in seconds.
    shard_s
        Longest shard in seconds; a longer recording is a shard by itself.
    shard_items
        Most recordings in a shard; None: 1/200 of them, so that an interrupted build repeats little.

    Examples
    --------
    >>> shard_names([100.0, 200.0, 10.0], shard_items=2)
    ['shard-0000', 'shard-0000', 'shard-0001']
    """
    numbers = work_parts(durations_s, shard_s, shard_items or items_per_part(len(durations_s)))
    return [f"shard-{number:04d}" for number in numbers]


def build_shard(job: ShardJob, encoder: Encoder) -> ShardIndex:
    """Build a shard, which appears when it is complete, and return its description.

    Recordings that cannot be read are listed in it with the reason.

    Raises
    ------
    UsageError
        The windows do not have a length that the encoder accepts.
    """
    spec, settings = encoder.spec, job.settings
    window, hop = settings.window_samples(spec.rate), settings.hop_samples(spec.rate)
    if fault := spec.length_fault(window):
        raise UsageError(f"[features] window_s = {settings.window_s:g}: a window {fault}; set another window_s")
    tokens = encoder.encode(np.zeros((1, window), np.float32)).shape[1]
    left_out: dict[str, str] = {}
    with ShardWriter(job.folder, job.name, tokens, spec.dim, settings.copies) as writer:
        for item in job.items:
            copies = [
                Copy(item.recording_id, k + 1, spec.rate, settings.augment, job.backgrounds.get(item.group, ()))
                for k in range(settings.copies)
            ]
            try:
                stream = MonoStream(item.path, spec.rate, channel=job.channel)
                blocks = filled(stream, job.clip_hops * hop)
                for windows in encode_recording(blocks, encoder, window, hop, copies):
                    writer.append(windows.embeddings, windows.levels_db)
            except AudioError as error:
                left_out[item.recording_id] = str(error)
            writer.end_recording(item.recording_id)
        return writer.finish(left_out)


def build_shards(
    jobs: Sequence[ShardJob],
    opener: Opener,
    workers: int = 1,
    hold: Callable[[str], AbstractContextManager[bool]] | None = None,
) -> Iterator[tuple[str, ShardIndex]]:
    """Build shards of windows in parallel processes, as :func:`build_by` does with :func:`build_shard`."""
    return build_by(build_shard, jobs, opener, workers, hold)


def build_by(
    build: Callable[[_Job, Encoder], ShardIndex],
    jobs: Sequence[_Job],
    opener: Opener,
    workers: int = 1,
    hold: Callable[[str], AbstractContextManager[bool]] | None = None,
) -> Iterator[tuple[str, ShardIndex]]:
    """Build shards in parallel processes; yield the name and description of each as it is complete.

    Parameters
    ----------
    build
        Builds a shard: a function of a module, which processes can import.
    jobs
        The shards.
    opener
        Opens the encoder, once in each process.
    workers
        Number of processes; with 1, everything happens in this one.
    hold
        Locks a shard by its name while it is built, and tells whether it is still missing; None locks nothing.

    Raises
    ------
    OssicleError
        A worker process was killed.
    """
    if workers == 1 or len(jobs) < 2:
        encoder = opener() if jobs else None
        yield from locked_jobs(jobs, lambda job: build(job, cast(Encoder, encoder)), 1, hold)
        return
    yield from locked_jobs(jobs, partial(_Worker.build, build), workers, hold, partial(_Worker.start, opener))


class _Worker:
    """What a worker process keeps between shards: an encoder may take seconds to open."""

    opener: Opener
    encoder: Encoder | None = None

    @classmethod
    def start(cls, opener: Opener) -> None:
        """Begin a worker; an encoder that cannot be opened is an error of the first shard."""
        cls.opener = opener

    @classmethod
    def build(cls, build: Callable[[_Job, Encoder], ShardIndex], job: _Job) -> ShardIndex:
        """Build a shard."""
        if cls.encoder is None:
            cls.encoder = cls.opener()
        return build(job, cls.encoder)
