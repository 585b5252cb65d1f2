"""The artefact of the step ``segments``: stretches of sound in the recordings of a corpus."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder


@dataclass(frozen=True)
class SegmentsFolder(ArtefactFolder):
    """Segments in the order of their recordings and starts, and how they were found."""

    step: ClassVar[str] = "segments"

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "segment_id": pl.String,
        "recording_id": pl.String,
        "number": pl.Int32,
        "start_s": pl.Float64,
        "end_s": pl.Float64,
        "group": pl.String,
        "peak_db": pl.Float32,
        "cut": pl.String,
    }
    """One row a segment: times in seconds from the start of the recording, the level of the loudest frame in dBFS, and
    why it ends (``silence``, ``longest``, ``end``, ``given``)."""

    @property
    def table_file(self) -> Path:
        """The segments, one row each."""
        return self.path / "segments.parquet"

    @property
    def parts_folder(self) -> Path:
        """Recordings that an interrupted step has done; a finished artefact has none."""
        return self.path / "parts"

    def part_file(self, name: str) -> Path:
        """Return the file with the segments of the recordings of one part."""
        return self.parts_folder / f"{name}.json"

    def is_done(self, name: str) -> bool:
        """Return whether a part is done, or all of them are and are gathered."""
        return self.part_file(name).exists() or self.summary_file.exists()

    def part(self, name: str) -> list[dict[str, Any]]:
        """Return what was found in each recording of a part."""
        content: list[dict[str, Any]] = read_json(self.part_file(name))["recordings"]
        return content

    def write_part(self, name: str, recordings: list[dict[str, Any]]) -> None:
        """Write what was found in each recording of a part."""
        write_json(self.part_file(name), {"recordings": recordings})

    @property
    def summary_file(self) -> Path:
        """Settings, thresholds, left-out and partial recordings, seconds of sound and silence; written last."""
        return self.path / "segments.json"

    def table(self) -> pl.DataFrame:
        """Return the rows of :attr:`SCHEMA`, sorted by recording and number; read once."""
        return self._table

    @cached_property
    def _table(self) -> pl.DataFrame:
        return read_table(self.table_file, self.SCHEMA)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of :attr:`summary_file`."""
        content: dict[str, Any] = read_json(self.summary_file)
        return content

    def write_table(self, rows: pl.DataFrame) -> None:
        """Write the segments."""
        write_table(
            self.table_file, rows.select(list(self.SCHEMA)).cast(pl.Schema(self.SCHEMA)), ["recording_id", "number"]
        )

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write how the segments were found."""
        write_json(self.summary_file, summary)
