"""The sound that int8 ranges are taken from: chunks of training recordings, read as in training."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.store.mixed import MixedStore
from ossicle.core.digest import seed_of
from ossicle.core.errors import OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Annotation
from ossicle.core.time import to_samples


def training_chunks(
    store: MixedStore,
    recordings: Sequence[str],
    annotations: Mapping[str, Sequence[Annotation]],
    plan: ChunkPlan,
    count: int,
    seed: int,
) -> Iterator[NDArray[np.float32]]:
    """Yield chunks of training recordings.

    Every other chunk is centred on an annotation if its recording has any, because calls are rare in long tapes. Draw i
    depends only on ``seed`` and i.

    Parameters
    ----------
    store
        The store that holds the recordings.
    recordings
        Ids of the recordings to draw from.
    annotations
        Annotations by recording id.
    plan
        The chunk plan of the model.
    count
        How many chunks to yield.
    seed
        Seed of the draws.

    Yields
    ------
    numpy.ndarray
        Samples of a chunk, shape (plan.chunk_samples,), float32.

    Raises
    ------
    OssicleError
        No recording can be read.
    """
    ids = set(store.ids)
    readable = [key for key in sorted(recordings) if key in ids and store.n_samples(key) > 0]
    if not readable:
        raise OssicleError("int8 needs training recordings to find its ranges, but none can be read")
    for draw in range(count):
        rng = np.random.default_rng(seed_of(seed, "export ranges", draw))
        key = readable[int(rng.integers(len(readable)))]
        notes = annotations.get(key, ())
        if draw % 2 == 0 and notes:
            note = notes[int(rng.integers(len(notes)))]
            middle = to_samples((note.start_s + note.end_s) / 2, plan.rate)
        else:
            middle = int(rng.integers(store.n_samples(key)))
        yield store.read(key, middle - plan.chunk_samples // 2, plan.chunk_samples)
