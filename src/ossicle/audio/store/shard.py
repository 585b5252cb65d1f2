"""One shard: an HDF5 file with one int16 dataset per recording, and its entries as JSON.

Datasets are contiguous and the file contains no times, so equal recordings give equal bytes. A shard holds its own
entries and can be read without the index.
"""

import json
import os
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

import h5py
import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.reading import require_regular
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.info import DecoderChoice
from ossicle.audio.store.choice import SPOOL_BYTES
from ossicle.audio.store.entries import StoreEntry, StoreItem
from ossicle.audio.store.shard_output import ShardOutput
from ossicle.core.errors import ArtefactError, AudioError

_BLOCK_SAMPLES = 1 << 18
_NATIVE_SCALE = 1 / 32768
# The smallest scale: float32 is not precise enough below.
_SCALE_MIN = 1e-30


def write_shard(
    folder: Path, shard: str, items: Sequence[StoreItem], rate: int, decoder: DecoderChoice = "auto"
) -> list[StoreEntry]:
    """Decode ``items`` into a shard of the store ``folder``, atomically; return an entry for each of them.

    A file that cannot be read becomes an entry ``left_out`` with its reason; only errors such as a full disk raise.
    """
    entries: list[StoreEntry] = []
    path = StoreFolder(folder).shard_file(shard)
    with whole_file(path) as part, ShardOutput(part) as output:
        with h5py.File(output, "w", libver=("v110", "v110")) as file:
            samples = file.create_group("samples", track_times=False)
            for item in items:
                with SpooledTemporaryFile(SPOOL_BYTES, dir=str(path.parent)) as spool:
                    entry = _decode(item, rate, spool, decoder)
                    if entry.status != "left_out":
                        entry = replace(_write_samples(samples, entry, spool), shard=shard)
                output.require_written()
                entries.append(entry)
            text = json.dumps([asdict(entry) for entry in entries], sort_keys=True).encode()
            file.create_dataset("entries", data=np.frombuffer(text, dtype=np.uint8), track_times=False)
        output.require_written()
    return entries


def read_entries(folder: Path, shard: str) -> list[StoreEntry]:
    """Return the entries of a shard; raises ArtefactError if it is missing or damaged."""
    path = StoreFolder(folder).shard_file(shard)
    try:
        with open_shard(folder, shard) as file:
            return [StoreEntry(**entry) for entry in json.loads(file["entries"][...].tobytes())]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"{path}: not a whole shard ({error}); build the store again") from error


def open_shard(folder: Path, shard: str) -> h5py.File:
    """Open a shard for reading; raises ArtefactError."""
    path = StoreFolder(folder).shard_file(shard)
    try:
        # Shards never change once in place, so no lock is needed, and network file systems often have none.
        require_regular(path)
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be opened ({error}); build the store again") from error


class ShardFile:
    """A shard opened for reading, with the positions of the samples of each recording in its file.

    Datasets are contiguous, so samples are read directly from the file without HDF5. This is faster, and unlike with a
    memory map a file that shrinks is an error and does not end the process. Positions are looked up once; a closed file
    is opened again at the next read.
    """

    def __init__(self, folder: Path, shard: str) -> None:
        self.path = StoreFolder(folder).shard_file(shard)
        self._handle: int | None = None
        self._closing: weakref.finalize[[int], ShardFile] | None = None
        with open_shard(folder, shard) as file:
            try:
                self._places = _places(file)
            except (KeyError, RuntimeError, ValueError) as error:
                raise ArtefactError(f"{self.path}: not a whole shard ({error}); build the store again") from error

    def read(self, recording_id: str, start: int, n_samples: int) -> NDArray[np.int16]:
        """Return samples [start, start + n_samples) of a recording, all of which must exist: int16 (n_samples,)."""
        try:
            offset, length = self._places[recording_id]
        except KeyError:
            raise ArtefactError(f"{self.path}: no recording {recording_id} in it; build the store again") from None
        samples = np.empty(n_samples, dtype="<i2")
        inside = start >= 0 and start + n_samples <= length
        if not inside or _read_at(self._opened(), samples, offset + 2 * start) != 2 * n_samples:
            raise ArtefactError(f"{self.path}: ends within recording {recording_id}; build the store again")
        return samples

    def _opened(self) -> int:
        if self._handle is None:
            try:
                require_regular(self.path)
                self._handle = os.open(self.path, os.O_RDONLY)
                # Many trainings may run in one process: what nobody reads any more is closed.
                self._closing = weakref.finalize(self, os.close, self._handle)
            except OSError as error:
                raise ArtefactError(f"{self.path}: cannot be opened ({error}); build the store again") from error
        return self._handle

    def close(self) -> None:
        """Close the file until the next read."""
        if self._closing is not None:
            self._closing()
            self._handle = self._closing = None


def _places(file: h5py.File) -> dict[str, tuple[int, int]]:
    """Return offset in bytes and number of samples of each recording of a shard."""
    group = file["samples"].id
    places = {}
    for name in file["samples"]:
        dataset = h5py.h5d.open(group, name.encode())
        if dataset.dtype != np.dtype("<i2") or dataset.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS:
            raise ValueError(f"recording {name} is not stored as one piece of int16")
        # An empty dataset has no position.
        places[name] = (dataset.get_offset() or 0, dataset.shape[0])
    return places


def _read_at(handle: int, samples: NDArray[np.int16], offset: int) -> int:
    """Fill ``samples`` from a byte position of a file; return the number of bytes read."""
    into = samples.view(np.uint8).data
    done = 0
    # The system may return less than requested, and Linux never returns more than 2 GiB at once.
    while done < len(into):
        got = os.preadv(handle, [into[done:]], offset + done)
        if got == 0:
            break
        done += got
    return done


def dataset(file: h5py.File, recording_id: str) -> h5py.Dataset:
    """Return the samples of a recording in an open shard, int16 of shape (n_samples,)."""
    try:
        return file["samples"][recording_id]
    except KeyError as error:
        raise ArtefactError(f"{file.filename}: no recording {recording_id} in it; build the store again") from error


def _decode(item: StoreItem, rate: int, spool: IO[bytes], decoder: DecoderChoice) -> StoreEntry:
    """Decode a recording as float32 into ``spool``; the entry lacks shard and CRC."""
    peak, n_samples = 0.0, 0
    try:
        stream = MonoStream(item.path, rate, decoder=decoder, channel=item.channel)
        blocks = iter(stream)
    except AudioError as error:
        return left_out(item, error)
    while True:
        try:
            block = next(blocks, None)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a decoder throws, a bad file costs only itself
            return left_out(item, error)
        if block is None:
            break
        peak = max(peak, float(np.abs(block).max()))
        n_samples += len(block)
        spool.write(np.ascontiguousarray(block).data)
    info, report = stream.info, stream.report
    exact = 0 < info.bits <= 16 and info.channels == 1 and info.rate == rate
    scale = _NATIVE_SCALE if exact or peak == 0 else max(peak / 32767, _SCALE_MIN)
    return StoreEntry(
        item.recording_id, "", n_samples, scale, report.status, report.reason, report.end_s, item.digest, crc=0
    )


def left_out(item: StoreItem, error: Exception) -> StoreEntry:
    """Return the entry of a recording that cannot be read."""
    # A shard must not depend on the location of its recordings.
    reason = str(error).removeprefix(f"{item.path}: ") or type(error).__name__
    return StoreEntry(item.recording_id, "", 0, _NATIVE_SCALE, "left_out", reason, 0.0, item.digest, crc=0)


def _write_samples(group: h5py.Group, entry: StoreEntry, spool: IO[bytes]) -> StoreEntry:
    """Quantise the samples in ``spool`` into a dataset; return the entry with its CRC."""
    stored = group.create_dataset(entry.recording_id, shape=(entry.n_samples,), dtype="<i2", track_times=False)
    spool.seek(0)
    crc = 0
    for start in range(0, entry.n_samples, _BLOCK_SAMPLES):
        stop = min(start + _BLOCK_SAMPLES, entry.n_samples)
        block = np.frombuffer(spool.read(4 * (stop - start)), dtype=np.float32)
        integers = np.clip(np.rint(block.astype(np.float64) / entry.scale), -32768, 32767).astype("<i2")
        stored[start:stop] = integers
        crc = zlib.crc32(integers.data, crc)
    return replace(entry, crc=crc)
