"""Input and content of a store, and the tables that describe them.

A store is a folder: ``store.json`` (format version and rate), ``store.parquet`` (one row per recording),
``decoder.json`` (decoding library and version) and ``shards/<2 digits>/<digest>.h5``. If recordings are read from
their files, ``raw.parquet`` lists them and ``raw.json`` says how they are read. ``store.json`` is written last; without
it there is no store.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.decoding.resample import QUALITY
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.info import DecoderChoice
from ossicle.core.errors import ArtefactError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.records import Status

STORE_VERSION = 2
_DECODERS: tuple[DecoderChoice, ...] = ("auto", "soundfile", "av")
_READINGS = ("seek", "whole")


@dataclass(frozen=True, slots=True)
class StoreItem:
    """A recording to decode: its id, its file, and the digest of that file's bytes.

    ``n_samples`` at the file's own ``rate`` (Hz) and ``status`` come from decoding it once; without a rate they are
    unknown and are determined when needed. ``channel`` is the one to read, as in
    :mod:`ossicle.core.model_input.channel`. ``root`` and ``below_root`` say where a recording that is not stored is
    found later; without them, its path below the folder of all recordings does.
    """

    recording_id: str
    path: Path
    digest: str
    rate: int = 0
    n_samples: int = 0
    status: Status = "ok"
    channel: str = MEAN
    root: str = ""
    below_root: str = ""


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """The stored form of a recording.

    ``n_samples`` int16 samples at the store's rate, each worth ``scale`` (sample = int16 * scale; full scale 1);
    ``shard`` is the name of its file ("" for ``left_out``); a ``status`` other than ok has a ``reason``, optional for
    ``silent``; decoding ended at ``end_s``; ``digest`` is that of the source file; ``crc`` is the CRC-32 of the
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


@dataclass(frozen=True, slots=True)
class RawEntry:
    """A recording that is read from its file: posix ``path`` below its ``root`` (or below the folder of all
    recordings), ``bytes`` and ``digest`` of that file, ``n_samples`` at the store's rate, whether decoding it ends
    early (``partial``), and the ``channel`` to read: ``mean``, or a number from 1.
    """

    recording_id: str
    path: str
    digest: str
    bytes: int
    n_samples: int
    status: Status
    channel: str = MEAN
    root: str = ""


@dataclass(frozen=True, slots=True)
class RawReading:
    """How recordings are read from their files: ``decoder`` chooses the library, ``reading`` is seek or whole."""

    decoder: DecoderChoice = "auto"
    reading: Literal["seek", "whole"] = "seek"


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
_RAW_SCHEMA = {
    "recording_id": pl.String,
    "path": pl.String,
    "digest": pl.String,
    "bytes": pl.Int64,
    "n_samples": pl.Int64,
    "status": pl.String,
    "channel": pl.String,
    "root": pl.String,
}


def named_input(item: StoreItem) -> list[str]:
    """Return what identifies the samples of a recording: its id, the digest of its file, and a channel if chosen."""
    return [item.recording_id, item.digest, *([] if item.channel == MEAN else [item.channel])]


def write_index(
    folder: Path,
    rate: int,
    entries: Iterable[StoreEntry],
    raw: Sequence[RawEntry] = (),
    reading: RawReading | None = None,
) -> None:
    """Write the tables of a store, ``store.json`` last."""
    files, reading = StoreFolder(folder), reading or RawReading()
    write_json(files.decoder_file, {"decoder": reading.decoder, "versions": decoder_versions(reading.decoder)})
    if raw:
        write_table(
            files.raw_file, pl.DataFrame([asdict(raw_entry) for raw_entry in raw], schema=_RAW_SCHEMA), ["recording_id"]
        )
        # The store's content is described by its samples; recordings in files only by the decoder that will read them.
        versions = decoder_versions(reading.decoder)
        write_json(files.raw_reading_file, {**asdict(reading), "versions": versions, "resampling": QUALITY})
    else:
        for file in (files.raw_file, files.raw_reading_file):
            remove_file(file)
    rows = [asdict(entry) for entry in entries]
    write_table(files.index_file, pl.DataFrame(rows, schema=_SCHEMA), ["recording_id"])
    write_json(files.header_file, {"store_version": STORE_VERSION, "rate": rate})


def has_index(folder: Path) -> bool:
    """Return whether a store was finished in this folder."""
    return StoreFolder(folder).header_file.is_file()


def read_index(folder: Path) -> tuple[int, list[StoreEntry]]:
    """Return the rate of a store and its entries, sorted by id; raises ArtefactError if there is no store."""
    files = StoreFolder(folder)
    header = read_json(files.header_file)
    version, rate = (header.get("store_version"), header.get("rate")) if isinstance(header, dict) else (None, None)
    if version != STORE_VERSION or not isinstance(rate, int) or rate < 1:
        raise ArtefactError(f"{files.header_file}: not a store of version {STORE_VERSION}; build the store again")
    return rate, [StoreEntry(**row) for row in _rows(files.index_file, _SCHEMA, StoreEntry)]


def read_raw(folder: Path) -> tuple[RawReading, list[RawEntry]]:
    """Return how recordings outside the store are read, and these recordings, sorted by id; most stores have none.

    Raises ArtefactError for damaged tables and for paths that leave the folder of recordings.
    """
    files = StoreFolder(folder)
    if not files.raw_file.exists():
        return RawReading(), []
    entries = [RawEntry(**row) for row in _rows(files.raw_file, _RAW_SCHEMA, RawEntry)]
    for entry in entries:
        path = PurePosixPath(entry.path)
        if path.is_absolute() or ".." in path.parts or not path.parts or entry.n_samples < 0:
            raise ArtefactError(f"{files.raw_file}: {entry.path!r} is not a path below a folder; build the store again")
    stated = read_json(files.raw_reading_file)
    decoder, reading = (stated.get("decoder"), stated.get("reading")) if isinstance(stated, dict) else (None, None)
    if decoder not in _DECODERS or reading not in _READINGS:
        raise ArtefactError(f"{files.raw_reading_file}: does not say how recordings are read; build the store again")
    return RawReading(decoder, reading), entries


def _rows(file: Path, schema: dict[str, Any], cls: type) -> Iterable[dict[str, Any]]:
    names = [spec.name for spec in fields(cls)]
    return read_table(file, schema).select(names).sort("recording_id").iter_rows(named=True)
