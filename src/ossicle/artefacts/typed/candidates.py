"""The artefact of the step ``candidates``: possible choices for a review."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.scores import LossesFolder, TracksFolder

CANDIDATE_SCHEMA = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "score": pl.Float64,
    "on": pl.Float64,
    "decided": pl.Boolean,
}


@dataclass(frozen=True)
class CandidatesFolder(TracksFolder, LossesFolder):
    """Candidates, and the tracks of unannotated recordings; left-out recordings are named by path."""

    step: ClassVar[str] = "candidates"

    @property
    def table_file(self) -> Path:
        """The candidates, one row each."""
        return self.path / "candidates.parquet"

    @cached_property
    def table(self) -> pl.DataFrame:
        """The candidates, columns as in :data:`CANDIDATE_SCHEMA`."""
        return read_table(self.table_file, CANDIDATE_SCHEMA)

    def write_table(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the candidates."""
        table = pl.DataFrame(list(rows), schema=CANDIDATE_SCHEMA)
        write_table(self.table_file, table, ["recording_id", "start_s", "end_s", "label"])
