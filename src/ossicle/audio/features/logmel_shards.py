"""Build shards of log-mel spectrograms from a store: the rows of every recording that training reads.

A shard depends on the samples of its recordings, the front end and the grid alone, so it has the same bytes whoever
builds it, in whatever order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.features.entries import ShardIndex
from ossicle.artefacts.features.shard import ShardWriter
from ossicle.artefacts.processes.locked_jobs import locked_jobs
from ossicle.artefacts.roots import Roots
from ossicle.audio.features.logmel import log_mel
from ossicle.audio.store.mixed import MixedStore
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.model_input.row_grid import RowGrid

_BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class LogMelJob:
    """A shard to build.

    Attributes
    ----------
    folder, name
        Where to write it.
    recording_ids
        Its recordings, in order.
    front
        The front end.
    grid
        Which rows each recording has.
    """

    folder: Path
    name: str
    recording_ids: tuple[str, ...]
    front: FrontEndSettings
    grid: RowGrid


def build_logmel_shard(job: LogMelJob, store: MixedStore) -> ShardIndex:
    """Build a shard, which appears when it is complete, and return its description.

    The level of a row is that of its loudest band.

    Raises
    ------
    AudioError
        A recording outside the store can no longer be decoded.
    """
    with ShardWriter(job.folder, job.name, 1, job.front.n_mels) as writer:
        for recording_id in job.recording_ids:
            for rows in _rows(store, recording_id, job.front, job.grid):
                writer.append([rows[:, None]], rows.max(axis=1))
            writer.end_recording(recording_id)
        return writer.finish({})


def _rows(
    store: MixedStore, recording_id: str, front: FrontEndSettings, grid: RowGrid
) -> Iterator[NDArray[np.float32]]:
    count = grid.n_rows(store.n_samples(recording_id))
    for first in range(0, count, _BLOCK_ROWS):
        n_rows = min(_BLOCK_ROWS, count - first)
        n_samples = (n_rows - 1) * grid.hop_samples + grid.n_fft
        yield log_mel(store.read(recording_id, grid.start_sample(grid.first_row + first), n_samples), front)


def build_logmel_shards(
    jobs: Sequence[LogMelJob],
    store: Path,
    audio: Path | Roots,
    workers: int = 1,
    hold: Callable[[str], AbstractContextManager[bool]] | None = None,
) -> Iterator[tuple[str, ShardIndex]]:
    """Build shards in parallel processes; yield the name and description of each as it is complete.

    Parameters
    ----------
    jobs
        The shards.
    store, audio
        Folder of the store, and folder or roots of the recordings that are not in it.
    workers, hold
        As in :func:`ossicle.artefacts.processes.locked_jobs.locked_jobs`.

    Raises
    ------
    OssicleError
        A worker process was killed.
    """
    if workers == 1 or len(jobs) < 2:
        with MixedStore(store, audio) as opened:
            yield from locked_jobs(jobs, partial(build_logmel_shard, store=opened), 1, hold)
        return
    yield from locked_jobs(jobs, _Worker.build, workers, hold, partial(_Worker.start, store, audio))


class _Worker:
    """What a worker process keeps between shards: the index of a large store takes long to read."""

    store: ClassVar[MixedStore]

    @classmethod
    def start(cls, store: Path, audio: Path | Roots) -> None:
        """Open the store."""
        cls.store = MixedStore(store, audio)

    @classmethod
    def build(cls, job: LogMelJob) -> ShardIndex:
        """Build a shard."""
        return build_logmel_shard(job, cls.store)
