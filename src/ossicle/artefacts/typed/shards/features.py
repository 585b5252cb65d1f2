"""The artefact of the step ``features``: the embeddings of every recording, in shards."""

from collections.abc import Sequence
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
    """Embeddings of the windows of recordings; window k begins at ``k * hop_s`` and lies wholly in its recording."""

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
        return self._place(recording_id)[1].windows

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
        name, entry = self._place(recording_id)
        if not 0 <= k <= self.copies:
            raise ArtefactError(f"{self.path}: recording {recording_id} has no copy {k}, only {self.copies}")
        return self.rows(name, k)[entry.first : entry.first + entry.windows]

    def levels_db(self, recording_id: str) -> NDArray[np.float32]:
        """Return the level of each window of a recording in dB relative to full scale, shape (n_windows,)."""
        name, entry = self._place(recording_id)
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
        sums = sum((np.array(one.sums) for one in self.indexes.values()), np.zeros(dim))
        squares = sum((np.array(one.squares) for one in self.indexes.values()), np.zeros(dim))
        mean = sums / max(count, 1)
        return mean, np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0.0))

    def _place(self, recording_id: str) -> tuple[str, FeatureEntry]:
        try:
            return self._places[recording_id]
        except KeyError:
            reason = self.left_out.get(recording_id, "it was not part of the corpus when they were built")
            raise ArtefactError(f"{self.path}: recording {recording_id} has no features: {reason}") from None
