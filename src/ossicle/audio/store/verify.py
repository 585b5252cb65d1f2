"""Checking a store against its own sums."""

import zlib
from itertools import groupby
from pathlib import Path

import numpy as np

from ossicle.audio.store.entries import StoreEntry, read_index
from ossicle.audio.store.shard import dataset, open_shard, read_entries
from ossicle.core.errors import ArtefactError

_BLOCK_SAMPLES = 1 << 20


def verify_store(folder: Path) -> list[str]:
    """What is wrong with a store, a line a problem; an empty list where every sample is as it was written."""
    folder = Path(folder)
    try:
        _, entries = read_index(folder)
    except ArtefactError as error:
        return [str(error)]
    present = sorted((e for e in entries if e.status != "left_out"), key=lambda e: (e.shard, e.recording_id))
    problems: list[str] = []
    for shard, members in groupby(present, key=lambda e: e.shard):
        try:
            problems += _shard_problems(folder, shard, list(members))
        except (ArtefactError, OSError) as error:
            problems.append(str(error))
    return problems


def _shard_problems(folder: Path, shard: str, entries: list[StoreEntry]) -> list[str]:
    problems: list[str] = []
    own = {entry.recording_id: entry for entry in read_entries(folder, shard)}
    with open_shard(folder, shard) as file:
        for entry in entries:
            if own.get(entry.recording_id) != entry:
                problems.append(f"{file.filename}: index and shard disagree on recording {entry.recording_id}")
                continue
            stored = dataset(file, entry.recording_id)
            if stored.shape != (entry.n_samples,) or stored.dtype != np.dtype("<i2"):
                problems.append(f"{file.filename}: recording {entry.recording_id} has not {entry.n_samples} samples")
                continue
            crc = 0
            for start in range(0, entry.n_samples, _BLOCK_SAMPLES):
                crc = zlib.crc32(np.ascontiguousarray(stored[start : start + _BLOCK_SAMPLES]).data, crc)
            if crc != entry.crc:
                problems.append(f"{file.filename}: the samples of recording {entry.recording_id} are damaged (CRC-32)")
    return problems
