"""All recordings of a project through one reading interface, whether they are in its store or not."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.store.cache import RecordingCache
from ossicle.audio.store.composition import Composition, composed
from ossicle.audio.store.entries import read_raw
from ossicle.audio.store.raw import RawFiles
from ossicle.audio.store.read import Store
from ossicle.core.errors import ArtefactError

_MB = 1_000_000


class MixedStore:
    """A store folder, and what was left out of it for want of room or by choice, read from files below ``audio``.

    ``cache_mb`` megabytes hold whole recordings in memory; they change no bit of what is read, and each process that
    is handed a MixedStore fills its own. Raises ArtefactError where the folder is no store, where ``audio`` is needed
    and not given, and for files below it that changed.
    """

    def __init__(
        self, folder: str | os.PathLike[str], audio: str | os.PathLike[str] | None = None, cache_mb: float = 0.0
    ) -> None:
        self.folder, self._audio = Path(folder), audio
        self._cache = RecordingCache(round(cache_mb * _MB))
        self._store = Store(self.folder, self._cache)
        how, entries = read_raw(self.folder)
        if entries and audio is None:
            raise ArtefactError(
                f"{self.folder}: {len(entries)} recordings are not in this store; say where the recordings lie"
            )
        self._files = RawFiles(Path(audio or "."), entries, self._store.rate, how, self._cache)
        self._ids = tuple(sorted((*self._store.ids, *self._files.entries)))

    @property
    def rate(self) -> int:
        """Samples a second of everything that is read, in Hz."""
        return self._store.rate

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the recordings that can be read, sorted."""
        return self._ids

    @property
    def composition(self) -> Composition:
        """How many come from the store, and how many from files."""
        present = [self._store.entry(one) for one in self._store.ids]
        return composed(self.rate, present, list(self._files.entries.values()), self._files.how.decoder)

    def n_samples(self, recording_id: str) -> int:
        """Samples of a recording at the store's rate; raises ArtefactError for one that is not there."""
        raw = self._files.entries.get(recording_id)
        return self._store.n_samples(recording_id) if raw is None else raw.n_samples

    def read(self, recording_id: str, start_sample: int, n_samples: int) -> NDArray[np.float32]:
        """Samples [start_sample, start_sample + n_samples) as float32, shape (n_samples,); zeros outside of it.

        ``start_sample`` may be negative. Raises ArtefactError for a recording that is not there, AudioError for a file
        that cannot be decoded any more.
        """
        if recording_id in self._files.entries:
            return self._files.read(recording_id, start_sample, n_samples)
        return self._store.read(recording_id, start_sample, n_samples)

    def close(self) -> None:
        """Close what is open and empty the cache; a later read opens it again."""
        self._store.close()
        self._cache.clear()

    def __enter__(self) -> "MixedStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        # A process opens its own files and holds its own recordings.
        return MixedStore, (self.folder, self._audio, self._cache.budget_bytes / _MB)
