"""The artefact of the step ``sequences``: the units of every segment, frame by frame and as runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.typed.units.in_shards import TableInShards


def rows_of(column: pl.Series) -> list[NDArray[Any]]:
    """Return the lists of a column as arrays, views of one array."""
    lengths = column.list.len().to_numpy()
    flat = column.filter(column.list.len() > 0).explode().to_numpy()
    return np.split(flat, np.cumsum(lengths)[:-1]) if len(lengths) else []


@dataclass(frozen=True, slots=True)
class SequenceRow:
    """The units of one segment.

    Attributes
    ----------
    segment_id, recording_id, group
        The segment, its recording, and the group that a split does not cut.
    start_s
        Its start in seconds from the start of the recording.
    units
        One unit a frame, int16.
    runs
        The units without repeats, int16.
    run_frames
        The frames of each run, int32.
    """

    segment_id: str
    recording_id: str
    group: str
    start_s: float
    units: NDArray[np.int16]
    runs: NDArray[np.int16]
    run_frames: NDArray[np.int32]


@dataclass(frozen=True)
class SequencesFolder(TableInShards):
    """Unit sequences in the order of the segments, and what the quantiser and its frames were."""

    step: ClassVar[str] = "sequences"
    name: ClassVar[str] = "sequences"

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "segment_id": pl.String,
        "recording_id": pl.String,
        "group": pl.String,
        "start_s": pl.Float64,
        "units": pl.List(pl.Int16),
        "runs": pl.List(pl.Int16),
        "run_frames": pl.List(pl.Int32),
    }
    """One row a segment: its start in seconds from the start of the recording, its units frame by frame, the units
    without repeats, and the frames of each of these runs."""

    def column(self, name: str) -> list[NDArray[Any]]:
        """Return ``units``, ``runs`` or ``run_frames``: an array for each segment, in order."""
        return rows_of(self.table[name])

    def rows(self) -> Iterator[SequenceRow]:
        """Yield each segment."""
        plain = self.table.select("segment_id", "recording_id", "group", "start_s").iter_rows()
        lists = (self.column(name) for name in ("units", "runs", "run_frames"))
        for row, units, runs, frames in zip(plain, *lists, strict=True):
            yield SequenceRow(row[0], row[1], row[2], row[3], units, runs, frames)

    def join_parts(self, shards: Sequence[str], summary: Mapping[str, Any]) -> None:
        """Write the table of all shards.

        Its summary has ``n_units``, ``hop_s``, ``origin_s``, ``quantiser`` (SHA-256), ``left_out``, and counts.
        """
        self._join(shards, lambda table: {**summary, "segments": len(table), **_counts(table)})


def _counts(table: pl.DataFrame) -> dict[str, int]:
    return table.select(
        frames=pl.col("units").list.len().cast(pl.Int64).sum(),
        runs=pl.col("runs").list.len().cast(pl.Int64).sum(),
    ).row(0, named=True)
