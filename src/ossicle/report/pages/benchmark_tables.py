"""Content of the page and the notebook of a benchmark, selected from its tables: pure functions on data frames.

The tables are those that the benchmark writes as CSV: ``metrics``, ``per_tape``, ``per_quality``, ``boundaries`` and
``leaderboard``. A *reading* is a model with one window and step. Its *best row* is the one with the highest F1 in the
grid (the lowest threshold of equals). It is in-sample: it was chosen on the recordings on which it is evaluated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.artefacts.typed.benchmark import BenchmarkResultsFolder

TABLES = ("metrics", "per_tape", "per_quality", "boundaries", "leaderboard")
SETTINGS = ("smoothing", "smoothing_s", "off_ratio", "min_length_s", "min_gap_s")
READING = ("model", "reading", "layer")
GRID, ALL, FIRST = "grid", "all", "first"
_TEXT = frozenset(
    {"model", "reading", "decision", "smoothing", "layer", "criterion", "label", "tape", "quality", "boundary"}
    | {"basis", "decisions", "interval", "marks"}
)
_COUNTS = frozenset({"tp", "fp", "fn", "n_reference", "n_predicted", "found", "annotated", "pairs", "tapes"})


@dataclass(frozen=True)
class Chosen:
    """A reading and its best row: the threshold and the other settings of its decision."""

    model: str
    reading: str
    layer: str
    row: dict[str, object]

    @property
    def name(self) -> str:
        """The model, with its window if one was requested, and its second stage if that is meant."""
        name = self.model if self.reading == "own" else f"{self.model} {self.reading}"
        return name if self.layer == FIRST else f"{name}, {self.layer} stage"

    @property
    def threshold(self) -> float:
        """The threshold of the best row."""
        return float(str(self.row["threshold"]))


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Return the tables of a folder of results by name."""
    results = BenchmarkResultsFolder(folder)
    return {name: read_table(results.table_file(name)) for name in TABLES}


def read_summary(folder: Path) -> dict[str, Any]:
    """Return what was evaluated in a folder of results: readings, recordings, labels, overlap, criteria."""
    return BenchmarkResultsFolder(folder).summary


def read_table(file: Path) -> pl.DataFrame:
    """Return one table with its types: empty cells are undefined figures, names are text in all cases."""
    data = read_regular(file, MOST_ARTEFACT_BYTES)
    names = pl.read_csv(data, n_rows=0).columns
    kinds = {
        column: pl.String if column in _TEXT else pl.Int64 if column in _COUNTS else pl.Float64 for column in names
    }
    return pl.read_csv(data, schema_overrides=kinds)


def chosen(metrics: pl.DataFrame, criterion: str) -> list[Chosen]:
    """Return every reading with its best row under a criterion, the best reading first."""
    rows = _grid(metrics, criterion).with_columns(pl.col("f1").fill_null(-1.0))
    readings = []
    for (model, reading, layer), reading_rows in rows.group_by(READING, maintain_order=True):
        best = reading_rows.sort(["f1", "threshold"], descending=[True, False], maintain_order=True)
        readings.append(Chosen(str(model), str(reading), str(layer), best.row(0, named=True)))
    return sorted(readings, key=lambda reading: (-float(str(reading.row["f1"])), reading.name))


def curve(metrics: pl.DataFrame, reading: Chosen, criterion: str) -> pl.DataFrame:
    """Return the rows of a reading against the threshold, with the other settings of its best row; thresholds rise."""
    return _same_settings(_grid(metrics, criterion), reading).sort("threshold")


def tape_map(per_tape: pl.DataFrame, reading: Chosen, criterion: str) -> pl.DataFrame:
    """Return the recall of every tape with references at every threshold: ``tape``, ``threshold``, ``recall``."""
    rows = _same_settings(_grid(per_tape, criterion), reading).filter(pl.col("n_reference") > 0)
    return rows.sort(["tape", "threshold"]).select("tape", "threshold", "recall", "n_reference")


def boundary_rows(boundaries: pl.DataFrame, readings: Sequence[Chosen], criterion: str) -> pl.DataFrame:
    """Return quantiles of the errors of start and end of every reading at its best row, with ``name``."""
    row_parts = [
        _same_settings(_grid(boundaries, criterion), reading)
        .filter(pl.col("threshold") == reading.threshold)
        .with_columns(pl.lit(reading.name).alias("name"))
        for reading in readings
    ]
    return pl.concat(row_parts) if row_parts else boundaries.head(0).with_columns(pl.lit("").alias("name"))


def hardest_tapes(per_tape: pl.DataFrame, readings: Sequence[Chosen], criterion: str) -> pl.DataFrame:
    """Return tapes, hardest first, over all readings at their best rows: ``tape``, ``recall``,
    ``false_alarms_per_hour``.

    Recall is pooled over readings; tapes without references come last, by their false alarms.
    """
    row_parts = [
        _same_settings(_grid(per_tape, criterion), reading).filter(pl.col("threshold") == reading.threshold)
        for reading in readings
    ] or [per_tape.head(0)]
    summed = pl.concat(row_parts).group_by("tape").agg(pl.col("tp", "fp", "fn", "hours").sum())
    return (
        summed.with_columns(
            n_reference=pl.col("tp") + pl.col("fn"),
            recall=pl.when(pl.col("tp") + pl.col("fn") > 0).then(pl.col("tp") / (pl.col("tp") + pl.col("fn"))),
            false_alarms_per_hour=pl.when(pl.col("hours") > 0).then(pl.col("fp") / pl.col("hours")),
        )
        .sort(["recall", "false_alarms_per_hour", "tape"], descending=[False, True, False], nulls_last=True)
        .select("tape", "recall", "false_alarms_per_hour", "tp", "fn", "fp")
    )


def board(leaderboard: pl.DataFrame, criterion: str, basis: str) -> pl.DataFrame:
    """Return the leaderboard under one criterion and basis, the highest F1 first."""
    board_rows = leaderboard.filter((pl.col("criterion") == criterion) & (pl.col("basis") == basis))
    own_name = pl.when(pl.col("reading") == "own").then(pl.col("model"))
    named = own_name.otherwise(pl.concat_str("model", "reading", separator=" "))
    stage = pl.when(pl.col("layer") == FIRST).then(pl.lit("")).otherwise(pl.format(", {} stage", "layer"))
    return board_rows.with_columns((named + stage).alias("name")).sort(
        ["f1", "name"], descending=[True, False], nulls_last=True
    )


def _grid(rows: pl.DataFrame, criterion: str) -> pl.DataFrame:
    return rows.filter((pl.col("decision") == GRID) & (pl.col("criterion") == criterion) & (pl.col("label") == ALL))


def _same_settings(rows: pl.DataFrame, reading: Chosen) -> pl.DataFrame:
    same_settings = rows.filter(
        (pl.col("model") == reading.model) & (pl.col("reading") == reading.reading) & (pl.col("layer") == reading.layer)
    )
    for name in SETTINGS:
        same_settings = same_settings.filter(pl.col(name).eq_missing(pl.lit(reading.row[name])))
    return same_settings
