"""Read any stretch of any recording of a store as float32."""

import os
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.store.cache import RecordingCache
from ossicle.audio.store.entries import StoreEntry, read_index
from ossicle.audio.store.shard import ShardFile, dataset, open_shard
from ossicle.core.errors import ArtefactError

# Most shards open at the same time; systems allow a process about a thousand files.
_OPEN_SHARDS = 128


class Store:
    """Recordings as float32 mono at one rate, from a folder that ``build_store`` has written.

    Shards are opened at the first read and stay open, separately in each process, so a Store may be passed to workers.
    ``cache`` keeps whole recordings in memory. Raises ArtefactError if the folder is not a store.
    """

    def __init__(self, folder: str | os.PathLike[str], cache: RecordingCache | None = None) -> None:
        self.folder = Path(folder)
        self.rate, entries = read_index(self.folder)
        self.entries: tuple[StoreEntry, ...] = tuple(entries)
        self._by_id = {entry.recording_id: entry for entry in entries if entry.status != "left_out"}
        self._cache = cache or RecordingCache(0)
        self._shards: dict[str, ShardFile] = {}
        self._open: OrderedDict[str, ShardFile] = OrderedDict()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the recordings that can be read, sorted."""
        return tuple(self._by_id)

    def entry(self, recording_id: str) -> StoreEntry:
        """Return the entry of a recording; raises ArtefactError if it is not in the store or was left out."""
        try:
            return self._by_id[recording_id]
        except KeyError:
            raise ArtefactError(f"{self.folder}: recording {recording_id} is not in the store") from None

    def n_samples(self, recording_id: str) -> int:
        """Return the number of samples of a recording at the store's rate."""
        return self.entry(recording_id).n_samples

    def read(self, recording_id: str, start_sample: int, n_samples: int) -> NDArray[np.float32]:
        """Return samples [start_sample, start_sample + n_samples): float32 (n_samples,), zeros outside the recording.

        ``start_sample`` may be negative.
        """
        entry = self.entry(recording_id)
        low, high = within(start_sample, n_samples, entry.n_samples)
        samples = np.empty(n_samples, dtype=np.float32)
        inside = samples[low - start_sample : high - start_sample]
        inside[:] = self._integers(entry, low, high)
        inside *= np.float32(entry.scale)
        if high - low < n_samples:
            samples[: low - start_sample] = 0
            samples[high - start_sample :] = 0
        return samples

    def _integers(self, entry: StoreEntry, low: int, high: int) -> NDArray[np.int16]:
        """Return samples [low, high) of a recording as stored."""
        if high == low:
            return np.zeros(0, dtype=np.int16)
        if not self._cache.fits(2 * entry.n_samples):
            return self._shard(entry.shard).read(entry.recording_id, low, high - low)
        whole: NDArray[np.int16] | None = self._cache.get(entry.recording_id)
        if whole is None:
            whole = self._shard(entry.shard).read(entry.recording_id, 0, entry.n_samples)
            self._cache.put(entry.recording_id, whole)
        return whole[low:high]

    def _shard(self, name: str) -> ShardFile:
        if name not in self._shards:
            self._shards[name] = ShardFile(self.folder, name)
        if name not in self._open:
            while len(self._open) >= _OPEN_SHARDS:
                self._open.popitem(last=False)[1].close()
            self._open[name] = self._shards[name]
        self._open.move_to_end(name)
        return self._open[name]

    def close(self) -> None:
        """Close the open shards; a later read opens them again."""
        for shard in self._open.values():
            shard.close()
        self._open = OrderedDict()
        self._shards = {}

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        # Each process opens its own files and has its own cache.
        fresh = {"_open": OrderedDict(), "_shards": {}, "_cache": RecordingCache(self._cache.budget_bytes)}
        return {**self.__dict__, **fresh}


def within(start_sample: int, n_samples: int, length: int) -> tuple[int, int]:
    """Return the part of [start_sample, start_sample + n_samples) inside a recording as (low, high), low <= high.

    An empty part still lies within the stretch, at the end nearest to the recording.

    >>> within(-10, 30, 100), within(90, 30, 100), within(200, 30, 100), within(-50, 30, 100)
    ((0, 20), (90, 100), (200, 200), (-20, -20))
    """
    if n_samples < 0:
        raise ValueError(f"n_samples = {n_samples} must not be negative")
    low = min(max(start_sample, 0), start_sample + n_samples)
    return low, max(low, min(start_sample + n_samples, length))


def read_through_hdf5(store: Store, recording_id: str, start_sample: int, n_samples: int) -> NDArray[np.float32]:
    """Return the same as ``Store.read`` in the slow, obvious way: open HDF5 for each stretch."""
    entry = store.entry(recording_id)
    samples = np.zeros(n_samples, dtype=np.float32)
    low, high = max(start_sample, 0), min(start_sample + n_samples, entry.n_samples)
    if high > low:
        with open_shard(store.folder, entry.shard) as file:
            integers = dataset(file, recording_id)[low:high]
        samples[low - start_sample : high - start_sample] = integers.astype(np.float32) * np.float32(entry.scale)
    return samples
