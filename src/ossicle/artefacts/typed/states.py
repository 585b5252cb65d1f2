"""The artefacts of the steps that only pipelines for states have, and the tables that they add to the dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_csv, write_table
from ossicle.artefacts.typed.dataset import DatasetFolder


@dataclass(frozen=True)
class StateDatasetFolder(DatasetFolder):
    """A dataset with two more tables: the files for people, and the windows that heads are trained on."""

    WINDOW_SCHEMA: ClassVar[Mapping[str, Any]] = {
        "recording_id": pl.String,
        "path": pl.String,
        "start_s": pl.Float64,
        "end_s": pl.Float64,
        "rms": pl.Float64,
        "labels": pl.List(pl.String),
        "unknown": pl.List(pl.String),
    }

    @property
    def files_file(self) -> Path:
        """Every recording with its labels and its overall state, for people and other programs."""
        return self.path / "files.csv"

    @property
    def windows_file(self) -> Path:
        """The windows of the reviewed recordings with level and labels, without the loudest ones."""
        return self.path / "windows.parquet"

    @property
    def window_counts_file(self) -> Path:
        """Windows, and dropped windows, of each recording."""
        return self.path / "windows.json"

    @cached_property
    def windows(self) -> pl.DataFrame:
        """Rows of :attr:`WINDOW_SCHEMA`, sorted by recording and start."""
        return read_table(self.windows_file, self.WINDOW_SCHEMA)

    @cached_property
    def window_counts(self) -> dict[str, Any]:
        """``windows`` and ``dropped`` by recording path, and ``without``: paths shorter than a window."""
        found: dict[str, Any] = read_json(self.window_counts_file)
        return found

    def write_files(self, table: pl.DataFrame) -> None:
        """Write the table of files."""
        write_csv(self.files_file, table)

    def write_windows(self, table: pl.DataFrame) -> None:
        """Write the table of windows."""
        write_table(self.windows_file, table, ["recording_id", "start_s"])

    def write_window_counts(self, counts: Mapping[str, Any]) -> None:
        """Write how many windows there are, and how many were dropped."""
        write_json(self.window_counts_file, counts)
