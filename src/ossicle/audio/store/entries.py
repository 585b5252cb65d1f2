"""What goes into a store, what became of it, and the index table that says so.

A store is a folder: ``store.json`` (format version and rate), ``store.parquet`` (one row a recording) and
``shards/<digest>.h5``. The two files at the top are written last; without them there is no store.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Status

STORE_VERSION = 1


@dataclass(frozen=True, slots=True)
class StoreItem:
    """A recording to decode: its id, its file, and the digest of that file's bytes."""

    recording_id: str
    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """What became of a recording.

    ``n_samples`` int16 samples at the store's rate, each worth ``scale`` (sample = int16 * scale; full scale 1);
    ``shard`` is the name of its file ("" for ``left_out``); ``status`` other than ok comes with a ``reason`` or, for
    ``silent``, without; decoding ended at ``end_s``; ``digest`` is that of the source file; ``crc`` the CRC-32 of the
    samples' little-endian bytes.
    """

    recording_id: str
    shard: str
    n_samples: int
    scale: float
    status: Status
    reason: str
    end_s: float
    digest: str
    crc: int


_SCHEMA = {
    "recording_id": pl.String,
    "shard": pl.String,
    "n_samples": pl.Int64,
    "scale": pl.Float64,
    "status": pl.String,
    "reason": pl.String,
    "end_s": pl.Float64,
    "digest": pl.String,
    "crc": pl.UInt32,
}


def shard_path(folder: Path, shard: str) -> Path:
    """Where a shard lies in a store; its name must be one that Ossicle gives."""
    if not (shard.isalnum() and shard.isascii()):
        raise ArtefactError(f"{folder}: {shard!r} is no name of a shard; build the store again")
    return folder / "shards" / f"{shard}.h5"


def write_index(folder: Path, rate: int, entries: Iterable[StoreEntry]) -> None:
    """Write ``store.parquet`` and ``store.json``."""
    rows = [asdict(entry) for entry in entries]
    write_table(folder / "store.parquet", pl.DataFrame(rows, schema=_SCHEMA), ["recording_id"])
    write_json(folder / "store.json", {"store_version": STORE_VERSION, "rate": rate})


def read_index(folder: Path) -> tuple[int, list[StoreEntry]]:
    """The rate of a store and its entries, sorted by id; raises ArtefactError where there is no store."""
    header = read_json(folder / "store.json")
    version, rate = (header.get("store_version"), header.get("rate")) if isinstance(header, dict) else (None, None)
    if version != STORE_VERSION or not isinstance(rate, int) or rate < 1:
        raise ArtefactError(f"{folder / 'store.json'}: not a store of version {STORE_VERSION}; build the store again")
    frame = read_table(folder / "store.parquet", _SCHEMA)
    names = [spec.name for spec in fields(StoreEntry)]
    return rate, [StoreEntry(**row) for row in frame.select(names).sort("recording_id").iter_rows(named=True)]
