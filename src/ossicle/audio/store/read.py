"""Reading a store: any stretch of any recording as float32."""

import os
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ossicle.audio.store.entries import StoreEntry, read_index
from ossicle.audio.store.shard import dataset, open_shard
from ossicle.core.errors import ArtefactError

# Open shards at once; systems allow a process about a thousand files.
_OPEN_SHARDS = 128


class Store:
    """Recordings as float32 mono at one rate, from a folder that ``build_store`` has written.

    Shards are opened when first read and stay open, in each process its own, so a Store may be handed to workers.
    Raises ArtefactError where the folder is no store.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.rate, entries = read_index(self.folder)
        self.entries: tuple[StoreEntry, ...] = tuple(entries)
        self._by_id = {entry.recording_id: entry for entry in entries if entry.status != "left_out"}
        self._open: OrderedDict[str, tuple[h5py.File, dict[str, h5py.Dataset]]] = OrderedDict()
        self._process = os.getpid()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the recordings that can be read, sorted."""
        return tuple(self._by_id)

    def entry(self, recording_id: str) -> StoreEntry:
        """What is known of a recording; raises ArtefactError where it is not in the store or was left out."""
        try:
            return self._by_id[recording_id]
        except KeyError:
            raise ArtefactError(f"{self.folder}: recording {recording_id} is not in the store") from None

    def n_samples(self, recording_id: str) -> int:
        """Samples of a recording at the store's rate."""
        return self.entry(recording_id).n_samples

    def read(self, recording_id: str, start_sample: int, n_samples: int) -> NDArray[np.float32]:
        """Samples [start_sample, start_sample + n_samples) as float32, shape (n_samples,); zeros outside of it.

        ``start_sample`` may be negative.
        """
        if n_samples < 0:
            raise ValueError(f"n_samples = {n_samples} must not be negative")
        entry = self.entry(recording_id)
        out = np.zeros(n_samples, dtype=np.float32)
        low, high = max(start_sample, 0), min(start_sample + n_samples, entry.n_samples)
        if high > low:
            inside = out[low - start_sample : high - start_sample]
            inside[:] = self._dataset(entry)[low:high]
            inside *= np.float32(entry.scale)
        return out

    def _dataset(self, entry: StoreEntry) -> h5py.Dataset:
        if self._process != os.getpid():
            # A forked child must not share its parent's HDF5 handles.
            self._open, self._process = OrderedDict(), os.getpid()
        if entry.shard not in self._open:
            while len(self._open) >= _OPEN_SHARDS:
                self._open.popitem(last=False)[1][0].close()
            self._open[entry.shard] = (open_shard(self.folder, entry.shard), {})
        self._open.move_to_end(entry.shard)
        file, datasets = self._open[entry.shard]
        if entry.recording_id not in datasets:
            datasets[entry.recording_id] = dataset(file, entry.recording_id)
        return datasets[entry.recording_id]

    def close(self) -> None:
        """Close the open shards; a later read opens them again."""
        if self._process == os.getpid():
            for file, _ in self._open.values():
                file.close()
        self._open = OrderedDict()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": OrderedDict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _process=os.getpid())
