"""Checking a store against its own sums."""

import zlib
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from ossicle.artefacts.files import file_digest
from ossicle.audio.store.entries import RawEntry, StoreEntry, read_index, read_raw
from ossicle.audio.store.shard import dataset, open_shard, read_entries
from ossicle.core.errors import ArtefactError

_BLOCK_SAMPLES = 1 << 20
_AGAIN = "build the store again, and only this shard is redone"


def verify_store(
    folder: Path, audio: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> list[str]:
    """What is wrong with a store, a line a problem; an empty list where every sample is as it was written.

    With ``audio``, the folder of recordings, the files of those that are not in the store are compared with their
    digests too. ``progress`` hears of shards and files done, and of all.
    """
    folder = Path(folder)
    try:
        _, entries = read_index(folder)
        _, raw = read_raw(folder)
    except ArtefactError as error:
        return [str(error)]
    present = sorted((e for e in entries if e.status != "left_out"), key=lambda e: (e.shard, e.recording_id))
    shards = {shard: list(members) for shard, members in groupby(present, key=lambda e: e.shard)}
    files = raw if audio is not None else []
    told, done = progress or (lambda done, total: None), 0
    problems: list[str] = []
    for shard, members in shards.items():
        try:
            problems += shard_problems(folder, shard, members)
        except (ArtefactError, OSError) as error:
            problems.append(str(error))
        told(done := done + 1, len(shards) + len(files))
    for one in files:
        problems += _file_problems(Path(audio or "."), one)
        told(done := done + 1, len(shards) + len(files))
    return problems


def shard_problems(folder: Path, shard: str, entries: Sequence[StoreEntry]) -> list[str]:
    """What is wrong with the recordings ``entries`` of a shard; raises ArtefactError where it cannot be opened."""
    problems: list[str] = []
    own = {entry.recording_id: entry for entry in read_entries(folder, shard)}
    with open_shard(folder, shard) as file:
        for entry in entries:
            place = f"{file.filename}: recording {entry.recording_id}"
            if own.get(entry.recording_id) != entry:
                problems.append(f"{place}: index and shard disagree; {_AGAIN}")
                continue
            stored = dataset(file, entry.recording_id)
            if stored.shape != (entry.n_samples,) or stored.dtype != np.dtype("<i2"):
                problems.append(f"{place}: it has not {entry.n_samples} samples; {_AGAIN}")
                continue
            crc = 0
            for start in range(0, entry.n_samples, _BLOCK_SAMPLES):
                crc = zlib.crc32(np.ascontiguousarray(stored[start : start + _BLOCK_SAMPLES]).data, crc)
            if crc != entry.crc:
                problems.append(f"{place}: its samples are damaged (CRC-32); {_AGAIN}")
    return problems


def _file_problems(audio: Path, entry: RawEntry) -> list[str]:
    """Whether the file of a recording that is not in the store is still the one that was listed."""
    remedy = "put it back, or run the project again, which looks at all recordings anew"
    try:
        same = file_digest(audio / entry.path) == entry.digest
    except OSError as error:
        return [f"{audio / entry.path}: {error.strerror or error}; {remedy}"]
    return [] if same else [f"{audio / entry.path}: is not the file that was listed (SHA-256); {remedy}"]
