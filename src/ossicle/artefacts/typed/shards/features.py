"""The artefact of the step ``features``: the embeddings of every recording, in shards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.features.entries import FeatureEntry
from ossicle.artefacts.features.shard import DTYPE, LEVEL_DTYPE, array_file, levels_file, open_array
from ossicle.artefacts.files import how_to_mend
from ossicle.artefacts.typed.shards.feature_shards import FeatureShards
from ossicle.core.errors import ArtefactError
from ossicle.core.model_input.encoder_spec import EncoderSpec


@dataclass(frozen=True)
class FeaturesFolder(FeatureShards):
    """Embeddings of the windows of recordings; window k begins at ``k * hop_s`` and lies wholly in its recording.

    In a project for acoustic units they are the frames of segments (:attr:`of_frames`).
    """

    step: ClassVar[str] = "features"

    @property
    def summary_file(self) -> Path:
        """The encoder, window, hop, and the shards; written last."""
        return self.path / "features.json"

    def write_summary(
        self, spec: EncoderSpec, window_s: float, hop_s: float, copies: int, shard_names: Sequence[str]
    ) -> None:
        """Write what all shards have in common, and their names."""
        common: dict[str, Any] = {"encoder": spec.to_json(), "window_s": window_s, "hop_s": hop_s, "copies": copies}
        self._write(common, shard_names)

    def write_frames_summary(self, spec: EncoderSpec, shard_names: Sequence[str]) -> None:
        """Write what all shards of frames have in common, and their names.

        Each entry is then a segment, and each window a frame: frame k is centred at ``origin_s + k * hop_s`` of it.
        Segments that could not be read are named here once more, so that nobody needs to open all shards for them.
        """
        grid: dict[str, Any] = {"window_s": 2 * spec.origin_s, "hop_s": spec.hop_s, "origin_s": spec.origin_s}
        lost = {key: reason for name in shard_names for key, reason in self.shard(name).left_out.items()}
        self._write({"encoder": spec.to_json(), **grid, "copies": 0, "left_out": lost}, shard_names)

    @cached_property
    def spec(self) -> EncoderSpec:
        """The encoder; raises ArtefactError if the summary is damaged."""
        try:
            return EncoderSpec(**self.summary["encoder"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(f"{self.summary_file}: {error}; {how_to_mend(self.summary_file)}") from error

    @property
    def window_s(self) -> float:
        """Length of a window in seconds."""
        return float(self.summary["window_s"])

    @property
    def hop_s(self) -> float:
        """Seconds from the start of a window to that of the next."""
        return float(self.summary["hop_s"])

    @property
    def of_frames(self) -> bool:
        """Whether the entries are segments and their windows the frames of an encoder."""
        return "origin_s" in self.summary

    @property
    def origin_s(self) -> float:
        """Centre of the first frame in seconds from the start of its segment.

        Raises
        ------
        ArtefactError
            These are embeddings of windows of recordings.
        """
        if not self.of_frames:
            raise ArtefactError(
                f"{self.summary_file}: these are embeddings of windows, not frames of segments; run: ossicle run "
                "--until features, in a project for acoustic units"
            )
        return float(self.summary["origin_s"])

    def frames(self) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
        """Yield each segment with its frames, shard by shard; segments that could not be read are left out.

        Yields
        ------
        segment_id, values, levels_db
            float32 of shape (n_frames, dim) and, in dB relative to full scale, (n_frames,). Frame k is centred at
            ``origin_s + k * hop_s`` seconds from the start of the segment.

        Raises
        ------
        ArtefactError
            These are embeddings of windows of recordings, or a shard is damaged.
        """
        _ = self.origin_s
        for name in self.shard_names:
            yield from self.shard_frames(name)

    def shard_frames(self, shard: str) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
        """Yield the segments of one shard as :meth:`frames` does."""
        index, values = self.indexes[shard], self.rows(shard)
        levels = open_array(levels_file(self.shards, shard), LEVEL_DTYPE, (index.windows,))
        for entry in index.entries:
            if entry.recording_id not in index.left_out:
                rows = slice(entry.first, entry.first + entry.windows)
                yield entry.recording_id, values[rows, 0].astype(np.float32), np.array(levels[rows])

    @property
    def copies(self) -> int:
        """Number of augmented copies of each recording."""
        return int(self.summary["copies"])

    @property
    def recording_ids(self) -> tuple[str, ...]:
        """The recordings with features, in the order of the shards."""
        return tuple(self._places)

    @property
    def left_out(self) -> dict[str, str]:
        """The reason by recording that could not be read."""
        return {key: reason for index in self.indexes.values() for key, reason in index.left_out.items()}

    def n_windows(self, recording_id: str) -> int:
        """Return the number of windows of a recording; raises ArtefactError if it has no features."""
        return self._shard_entry(recording_id)[1].windows

    def windows(self, recording_id: str) -> NDArray[np.float16]:
        """Return the embeddings of a recording, mapped: float16, shape (n_windows, tokens, dim)."""
        return self.copy(recording_id, 0)

    def copy(self, recording_id: str, k: int) -> NDArray[np.float16]:
        """Return the embeddings of an augmented copy of a recording (k from 1 to ``copies``), or of itself (0).

        Raises
        ------
        ArtefactError
            The recording has no features, there is no such copy, or the shard is damaged.
        """
        name, entry = self._shard_entry(recording_id)
        if not 0 <= k <= self.copies:
            raise ArtefactError(f"{self.path}: recording {recording_id} has no copy {k}, only {self.copies}")
        return self.rows(name, k)[entry.first : entry.first + entry.windows]

    def levels_db(self, recording_id: str) -> NDArray[np.float32]:
        """Return the level of each window of a recording in dB relative to full scale, shape (n_windows,)."""
        name, entry = self._shard_entry(recording_id)
        shape = (self.indexes[name].windows,)
        levels: NDArray[np.float32] = open_array(levels_file(self.shards, name), LEVEL_DTYPE, shape)
        return levels[entry.first : entry.first + entry.windows]

    def rows(self, shard: str, k: int = 0) -> NDArray[np.float16]:
        """Return all embeddings of a shard (0) or of a copy in it, mapped: shape (windows, tokens, dim)."""
        index = self.indexes[shard]
        return self._array(array_file(self.shards, shard, k), DTYPE, (index.windows, index.tokens, index.dim))

    def scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation of each dimension over all windows and tokens, shape (dim,) each."""
        count = sum(index.windows * index.tokens for index in self.indexes.values())
        dim = self.spec.dim
        sums = sum((np.array(index.sums) for index in self.indexes.values()), np.zeros(dim))
        squares = sum((np.array(index.squares) for index in self.indexes.values()), np.zeros(dim))
        mean = sums / max(count, 1)
        return mean, np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0.0))

    def _shard_entry(self, recording_id: str) -> tuple[str, FeatureEntry]:
        try:
            return self._places[recording_id]
        except KeyError:
            reason = self.left_out.get(recording_id, "it was not part of the corpus when they were built")
            raise ArtefactError(f"{self.path}: recording {recording_id} has no features: {reason}") from None
