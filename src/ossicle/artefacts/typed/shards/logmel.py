"""The artefact of the step ``logmel``: the log-mel spectrogram of every recording, in shards of features."""

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.features.shard import DTYPE, array_file
from ossicle.artefacts.files import how_to_mend
from ossicle.artefacts.typed.shards.feature_shards import FeatureShards
from ossicle.core.errors import ArtefactError
from ossicle.core.model_input.row_grid import RowGrid


@dataclass(frozen=True)
class LogMelFolder(FeatureShards):
    """Spectrograms of recordings: the rows of a :class:`RowGrid` that hold sound, float16 of shape (rows, n_mels).

    A shard is one of features with a row for each window (``ossicle.artefacts.features.shard``). The first row of a
    recording is ``grid.first_row``; rows outside a recording are silent and not stored.
    """

    step: ClassVar[str] = "logmel"

    @property
    def summary_file(self) -> Path:
        """Grid, number of bands, level of silence, and the shards; written last."""
        return self.path / "logmel.json"

    def write_summary(self, grid: RowGrid, n_mels: int, silence_db: float, shard_names: Sequence[str]) -> None:
        """Write what all shards have in common, and their names."""
        common: dict[str, Any] = {"grid": asdict(grid), "n_mels": n_mels, "silence_db": silence_db}
        self._write(common, shard_names)

    @cached_property
    def grid(self) -> RowGrid:
        """Where the rows lie; raises ArtefactError if the summary is damaged."""
        try:
            return RowGrid(**self.summary["grid"])
        except (KeyError, TypeError) as error:
            raise ArtefactError(f"{self.summary_file}: {error}; {how_to_mend(self.summary_file)}") from error

    @property
    def n_mels(self) -> int:
        """Number of bands."""
        return int(self.summary["n_mels"])

    @property
    def silence_db(self) -> float:
        """Level of every band of a row without sound."""
        return float(self.summary["silence_db"])

    @cached_property
    def _sound(self) -> set[str]:
        return set()

    def rows(self, recording_id: str, first: int, count: int) -> NDArray[np.float32]:
        """Return rows [first, first + count) of a recording in dB: float32, shape (count, n_mels).

        The checksum of a recording is compared before its first rows are returned.

        Raises
        ------
        ArtefactError
            The recording has no spectrogram, or it is damaged.
        """
        stored = self.recording(recording_id)
        low = min(max(first - self.grid.first_row, 0), len(stored))
        high = min(max(first - self.grid.first_row + count, 0), len(stored))
        rows = np.full((count, self.n_mels), self.silence_db, np.float32)
        first_filled = low + self.grid.first_row - first
        if high > low:
            rows[first_filled : first_filled + high - low] = stored[low:high]
        return rows

    def recording(self, recording_id: str) -> NDArray[np.float16]:
        """Return all stored rows of a recording, mapped: float16, shape (rows, n_mels)."""
        try:
            name, entry = self._places[recording_id]
        except KeyError:
            raise ArtefactError(f"{self.path}: recording {recording_id} has no spectrogram") from None
        path = array_file(self.shards, name)
        shape = (self.indexes[name].windows, 1, self.n_mels)
        rows = self._array(path, DTYPE, shape)[entry.first : entry.first + entry.windows, 0]
        if recording_id not in self._sound:
            if zlib.crc32(np.ascontiguousarray(rows).data) != entry.crc[0]:
                raise ArtefactError(
                    f"{path}: recording {recording_id}: its values are damaged (CRC-32); to "
                    "build this shard again, run: ossicle features build"
                )
            self._sound.add(recording_id)
        return rows
