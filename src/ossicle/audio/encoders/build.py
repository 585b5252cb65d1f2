"""Build feature shards: decode each recording once, encode its windows and those of its augmented copies.

A shard depends on its recordings and settings alone, so it has the same bytes whoever builds it, in whatever order.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ossicle.artefacts.features.entries import ShardIndex
from ossicle.artefacts.features.shard import ShardWriter
from ossicle.artefacts.processes.work_parts import items_per_part, work_parts
from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.encoders.copies import Background, Copy
from ossicle.audio.encoders.feature_settings import FeatureSettings
from ossicle.audio.encoders.spec import Encoder
from ossicle.audio.encoders.windows import encode_recording, filled
from ossicle.core.errors import AudioError, OssicleError, UsageError
from ossicle.core.model_input.channel import MEAN

SHARD_S = 300.0
"""Most seconds of sound in a shard that holds more than one recording."""

Opener = Callable[[], Encoder]
"""Opens the encoder; sent to worker processes."""


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
                for found in encode_recording(blocks, encoder, window, hop, copies):
                    writer.append(found.embeddings, found.levels_db)
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
    """Build shards in parallel processes; yield the name and description of each as it is complete.

    Parameters
    ----------
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
    held = hold or _unlocked
    if workers == 1 or len(jobs) < 2:
        encoder = opener() if jobs else None
        for job in jobs:
            with held(job.name) as missing:
                if missing and encoder is not None:
                    yield job.name, build_shard(job, encoder)
        return
    waiting = list(jobs)
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=spawn, initializer=_Worker.start, initargs=(opener,))
    with ExitStack() as locks:
        running: dict[Future[ShardIndex], tuple[str, ExitStack]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job, lock = waiting.pop(0), locks.enter_context(ExitStack())
                    if not lock.enter_context(held(job.name)):
                        lock.close()
                        continue
                    with interrupts_held():
                        running[pool.submit(_Worker.build, job)] = (job.name, lock)
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for work in ended:
                    name, lock = running.pop(work)
                    index = work.result()
                    lock.close()
                    yield name, index
        except BrokenProcessPool as error:
            raise OssicleError(
                f"{jobs[0].folder}: a worker was killed, perhaps because memory ran out; run it again with fewer "
                "workers to resume"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """What a worker process keeps between shards: an encoder may take seconds to open."""

    opener: Opener
    encoder: Encoder | None = None

    @classmethod
    def start(cls, opener: Opener) -> None:
        """Begin a worker; an encoder that cannot be opened is an error of the first shard."""
        end_with_parent()
        cls.opener = opener

    @classmethod
    def build(cls, job: ShardJob) -> ShardIndex:
        """Build a shard."""
        if cls.encoder is None:
            cls.encoder = cls.opener()
        return build_shard(job, cls.encoder)


def _unlocked(name: str) -> AbstractContextManager[bool]:
    return nullcontext(True)
