"""The artefacts of the benchmark's decisions and results."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.artefacts.tables import read_table, write_csv, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.artefacts.typed.results.published import PAGE


@dataclass(frozen=True)
class BenchmarkDecisionsFolder(ArtefactFolder):
    """The artefact of the step ``benchmark-decisions``: tables of figures, and a folder of events for each decision."""

    step: ClassVar[str] = "benchmark-decisions"

    @property
    def events(self) -> Path:
        """The folder of the folders of events."""
        return self.path / "events"

    def table(self, name: str) -> pl.DataFrame:
        """Return a table by its name."""
        return read_table(self._table_file(name))

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Write a table, whose rows are in order."""
        write_table(self._table_file(name), table, [])

    def _table_file(self, name: str) -> Path:
        return self.path / f"{name}.parquet"


@dataclass(frozen=True)
class DecisionEventsFolder:
    """Events of one decision of a benchmark: settings, an index of all, figures, and tables for other programs."""

    path: Path

    @property
    def settings_file(self) -> Path:
        """The settings with which the events were made."""
        return self.path / "settings.json"

    @property
    def index_file(self) -> Path:
        """All events, with whether they were matched and the table that contains them."""
        return self.path / "predictions.parquet"

    @property
    def metrics_file(self) -> Path:
        """The figures of this decision."""
        return self.path / "metrics.csv"

    @property
    def events_file(self) -> Path:
        """All events as CSV."""
        return self.path / "events.csv"


@dataclass(frozen=True)
class BenchmarkResultsFolder(ArtefactFolder):
    """The artefact of the step ``benchmark-results``, and the published folder ``benchmark/``."""

    step: ClassVar[str] = "benchmark-results"

    @property
    def summary_file(self) -> Path:
        """What was evaluated."""
        return self.path / "benchmark.json"

    @property
    def page(self) -> Path:
        """The page."""
        return self.path / PAGE

    @property
    def notebook(self) -> Path:
        """The notebook, if Jupyter is installed."""
        return self.path / "analysis.ipynb"

    @property
    def models(self) -> Path:
        """The folder of the folders of events, by model and reading; only in the published folder."""
        return self.path / "models"

    def table_file(self, name: str) -> Path:
        """Return the path of a table as CSV."""
        return self.path / f"{name}.csv"

    def table(self, name: str) -> pl.DataFrame:
        """Return a table by its name."""
        return pl.read_csv(read_regular(self.table_file(name), MOST_ARTEFACT_BYTES), infer_schema_length=None)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What was evaluated: readings, recordings, labels, overlap, criteria."""
        content: dict[str, Any] = read_json(self.summary_file)
        return content

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Write a table as CSV."""
        write_csv(self.table_file(name), table)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write what was evaluated."""
        write_json(self.summary_file, summary)
