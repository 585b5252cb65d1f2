"""Read recordings from their files as if they were in the store."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.roots import Roots
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.decoding.mono import MonoStream, crop_mono
from ossicle.audio.store.cache import RecordingCache
from ossicle.audio.store.entries import RawEntry, RawReading
from ossicle.audio.store.read import within
from ossicle.core.errors import ArtefactError

_MOST_NAMED = 5


def as_roots(audio: str | os.PathLike[str] | Roots) -> Roots:
    """Return a folder of all recordings as roots."""
    return audio if isinstance(audio, Roots) else Roots(default=[Path(audio)])


class RawFiles:
    """Recordings below their roots as float32 mono at one rate, decoded for each stretch that is read.

    With seeking, a stretch equals that of the whole resampled recording within 1e-4; with whole reading it is
    identical, and comes from the cache if possible. Files that end early are always read from their start, because a
    decoder's result for damaged data depends on the starting point. Raises ArtefactError for files that are missing or
    have another size.
    """

    def __init__(
        self, audio: Roots, entries: list[RawEntry], rate: int, reading: RawReading, cache: RecordingCache | None = None
    ) -> None:
        self.audio, self.rate, self.reading = audio, rate, reading
        self.entries = {entry.recording_id: entry for entry in entries}
        self._cache = cache or RecordingCache(0)
        self._sources: dict[str, AudioSource] = {}
        wrong = sorted((str(audio.file(entry)), reason) for entry in entries if (reason := self._changed(entry)))
        if wrong:
            named = ", ".join(f"{path} ({reason})" for path, reason in wrong[:_MOST_NAMED])
            more = f" and {len(wrong) - _MOST_NAMED} more" * (len(wrong) > _MOST_NAMED)
            raise ArtefactError(
                f"recordings outside the store have changed: {named}{more}; restore them, or run the "
                "project again to index all recordings"
            )

    def _changed(self, entry: RawEntry) -> str:
        """Return what shows, without reading it, that a file differs from the listed one; otherwise ""."""
        try:
            size = self.audio.file(entry).stat().st_size
        except OSError as error:
            return error.strerror or "cannot be read"
        return "" if size == entry.bytes else f"{size} bytes instead of {entry.bytes}"

    def read(self, recording_id: str, start_sample: int, n_samples: int) -> NDArray[np.float32]:
        """Do the same as ``Store.read``: return float32 (n_samples,), zeros outside the recording."""
        entry = self.entries[recording_id]
        low, high = within(start_sample, n_samples, entry.n_samples)
        padded = np.zeros(n_samples, dtype=np.float32)
        if high > low:
            stretch = self._stretch(entry, low, high)
            if len(stretch) != high - low:
                raise ArtefactError(
                    f"{self.audio.file(entry)}: ends before {high / self.rate:.3f} s, but was longer when it was "
                    "indexed; run the project again to index all recordings"
                )
            padded[low - start_sample : high - start_sample] = stretch
        return padded

    def _stretch(self, entry: RawEntry, low: int, high: int) -> NDArray[np.float32]:
        """Return samples [low, high), which lie within the recording."""
        path = self.audio.file(entry)
        # A source keeps what it learns of the structure of its file.
        if entry.recording_id not in self._sources:
            self._sources[entry.recording_id] = AudioSource(path, self.reading.decoder)
        source = self._sources[entry.recording_id]
        if self.reading.reading == "seek" and entry.status != "partial":
            return crop_mono(source, self.rate, low, high, channel=entry.channel)
        keep = self._cache.fits(4 * entry.n_samples)
        if not keep:
            return _decoded_from_start(source, entry.channel, self.rate, low, high)
        whole: NDArray[np.float32] | None = self._cache.get(entry.recording_id)
        if whole is None:
            whole = _decoded_from_start(source, entry.channel, self.rate, 0, entry.n_samples)
            self._cache.put(entry.recording_id, whole)
        return whole[low:high]


def _decoded_from_start(source: AudioSource, channel: str, rate: int, low: int, high: int) -> NDArray[np.float32]:
    """Return samples [low, high) of a recording decoded from its start, in memory proportional to their number."""
    samples = np.empty(high - low, dtype=np.float32)
    position = filled = 0
    for block in MonoStream(source.path, rate, info=source.info, channel=channel):
        part = block[max(low - position, 0) : max(high - position, 0)]
        samples[filled : filled + len(part)] = part
        position, filled = position + len(block), filled + len(part)
        if position >= high:
            break
    return samples[:filled]
