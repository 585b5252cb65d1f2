"""Read all recordings of a project through one interface, whether or not they are in its store."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.roots import Roots
from ossicle.audio.store.cache import RecordingCache
from ossicle.audio.store.composition import Composition, composed
from ossicle.audio.store.entries import read_raw
from ossicle.audio.store.raw import RawFiles, as_roots
from ossicle.audio.store.read import Store
from ossicle.core.errors import ArtefactError

_MB = 1_000_000


class MixedStore:
    """A store folder, and the recordings outside it (by choice or for lack of room), read from files below ``audio``.

    ``audio`` is one folder or the roots of the recordings. ``cache_mb`` megabytes keep whole recordings in memory; they
    never change the result, and each process that gets a MixedStore fills its own cache. Raises ArtefactError if the
    folder is not a store, ``audio`` is needed but missing, or files below it have changed.
    """

    def __init__(
        self, folder: str | os.PathLike[str], audio: str | os.PathLike[str] | Roots | None = None, cache_mb: float = 0.0
    ) -> None:
        self.folder, self._audio = Path(folder), audio
        self._cache = RecordingCache(round(cache_mb * _MB))
        self._store = Store(self.folder, self._cache)
        reading, entries = read_raw(self.folder)
        if entries and audio is None:
            raise ArtefactError(
                f"{self.folder}: {len(entries)} recordings are not in this store; give the folder of the recordings"
            )
        self._files = RawFiles(as_roots(audio or "."), entries, self._store.rate, reading, self._cache)
        self._ids = tuple(sorted((*self._store.ids, *self._files.entries)))

    @property
    def rate(self) -> int:
        """Sample rate of everything that is read, in Hz."""
        return self._store.rate

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the recordings that can be read, sorted."""
        return self._ids

    @property
    def composition(self) -> Composition:
        """How many recordings come from the store, and how many from files."""
        present = [self._store.entry(recording_id) for recording_id in self._store.ids]
        return composed(self.rate, present, list(self._files.entries.values()), self._files.reading.decoder)

    def n_samples(self, recording_id: str) -> int:
        """Return the number of samples of a recording at the store's rate; raises ArtefactError for an unknown one."""
        raw = self._files.entries.get(recording_id)
        return self._store.n_samples(recording_id) if raw is None else raw.n_samples

    def read(self, recording_id: str, start_sample: int, n_samples: int) -> NDArray[np.float32]:
        """Return samples [start_sample, start_sample + n_samples): float32 (n_samples,), zeros outside the recording.

        ``start_sample`` may be negative. Raises ArtefactError for an unknown recording, AudioError for a file that can
        no longer be decoded.
        """
        if recording_id in self._files.entries:
            return self._files.read(recording_id, start_sample, n_samples)
        return self._store.read(recording_id, start_sample, n_samples)

    def close(self) -> None:
        """Close open files and empty the cache; a later read opens them again."""
        self._store.close()
        self._cache.clear()

    def __enter__(self) -> "MixedStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        # Each process opens its own files and has its own cache.
        return MixedStore, (self.folder, self._audio, self._cache.budget_bytes / _MB)
