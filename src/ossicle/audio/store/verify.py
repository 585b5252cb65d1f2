"""Verify a store against its own checksums."""

import zlib
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from ossicle.artefacts.files import file_digest
from ossicle.artefacts.roots import Roots
from ossicle.audio.store.entries import RawEntry, StoreEntry, read_index, read_raw
from ossicle.audio.store.raw import as_roots
from ossicle.audio.store.shard import dataset, open_shard, read_entries
from ossicle.core.errors import ArtefactError

_BLOCK_SAMPLES = 1 << 20
_AGAIN = "build the store again (only this shard is rebuilt)"


def verify_store(
    folder: Path, audio: Path | Roots | None = None, progress: Callable[[int, int], None] | None = None
) -> list[str]:
    """Return the problems of a store, one line each; empty if every sample is as it was written.

    Parameters
    ----------
    folder
        The store.
    audio
        Folder or roots of recordings; if given, files that are not in the store are compared with their digests too.
    progress
        Called with the number of finished and of all shards and files.
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
    report, done = progress or (lambda done, total: None), 0
    problems: list[str] = []
    for shard, members in shards.items():
        try:
            problems += shard_problems(folder, shard, members)
        except (ArtefactError, OSError) as error:
            problems.append(str(error))
        report(done := done + 1, len(shards) + len(files))
    for raw_entry in files:
        problems += _file_problems(as_roots(audio or ".").file(raw_entry), raw_entry)
        report(done := done + 1, len(shards) + len(files))
    return problems


def shard_problems(folder: Path, shard: str, entries: Sequence[StoreEntry]) -> list[str]:
    """Return the problems of the recordings ``entries`` of a shard; raises ArtefactError if it cannot be opened."""
    problems: list[str] = []
    stored_entries = {entry.recording_id: entry for entry in read_entries(folder, shard)}
    with open_shard(folder, shard) as file:
        for entry in entries:
            where = f"{file.filename}: recording {entry.recording_id}"
            if stored_entries.get(entry.recording_id) != entry:
                problems.append(f"{where}: index and shard disagree; {_AGAIN}")
                continue
            stored = dataset(file, entry.recording_id)
            if stored.shape != (entry.n_samples,) or stored.dtype != np.dtype("<i2"):
                problems.append(f"{where}: it does not have {entry.n_samples} samples; {_AGAIN}")
                continue
            crc = 0
            for start in range(0, entry.n_samples, _BLOCK_SAMPLES):
                crc = zlib.crc32(np.ascontiguousarray(stored[start : start + _BLOCK_SAMPLES]).data, crc)
            if crc != entry.crc:
                problems.append(f"{where}: its samples are damaged (CRC-32); {_AGAIN}")
    return problems


def _file_problems(path: Path, entry: RawEntry) -> list[str]:
    """Check whether the file of a recording outside the store is still the listed one."""
    remedy = "restore it, or run the project again to index all recordings"
    try:
        same = file_digest(path) == entry.digest
    except OSError as error:
        return [f"{path}: {error.strerror or error}; {remedy}"]
    return [] if same else [f"{path}: differs from the indexed file (SHA-256); {remedy}"]
