"""A folder of feature shards with a summary: what embeddings and spectrograms have in common."""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.features.entries import FeatureEntry, ShardIndex, read_shard_index
from ossicle.artefacts.features.shard import index_file, open_array
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.typed.artefact import ArtefactFolder

# Most arrays mapped at the same time; systems allow a process about a thousand files.
_OPEN_ARRAYS = 128


@dataclass(frozen=True)
class FeatureShards(ArtefactFolder):
    """Values of recordings in shards (``ossicle.artefacts.features.shard``), and a summary of all of them."""

    @property
    @abstractmethod
    def summary_file(self) -> Path:
        """What all shards have in common, and their names; written last."""

    @property
    def shards(self) -> Path:
        """The folder of the shards."""
        return self.path / "shards"

    def has_shard(self, name: str) -> bool:
        """Return whether a shard is complete."""
        return index_file(self.shards, name).exists()

    def shard(self, name: str) -> ShardIndex:
        """Return the description of a shard; raises ArtefactError if it is missing or damaged."""
        return read_shard_index(index_file(self.shards, name))

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of the summary file."""
        content: dict[str, Any] = read_json(self.summary_file)
        return content

    @property
    def shard_names(self) -> tuple[str, ...]:
        """Names of the shards, in the order of their recordings."""
        return tuple(self.summary["shards"])

    @cached_property
    def indexes(self) -> dict[str, ShardIndex]:
        """The description of each shard by its name."""
        return {name: self.shard(name) for name in self.shard_names}

    @cached_property
    def _places(self) -> dict[str, tuple[str, FeatureEntry]]:
        return {entry.recording_id: (name, entry) for name, index in self.indexes.items() for entry in index.entries}

    @cached_property
    def _mapped(self) -> OrderedDict[Path, NDArray[Any]]:
        return OrderedDict()

    def _array(self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Map an array of a shard, or return it if it is mapped; the one used least recently is given up."""
        mapped = self._mapped
        if path not in mapped:
            if len(mapped) >= _OPEN_ARRAYS:
                mapped.popitem(last=False)
            mapped[path] = open_array(path, dtype, shape)
        mapped.move_to_end(path)
        return mapped[path]

    def _write(self, common: dict[str, Any], shard_names: Sequence[str]) -> None:
        write_json(self.summary_file, {**common, "shards": list(shard_names)})
