"""The artefact of the step ``motifs``: a vocabulary over units, the corpus as its tokens, and a table of motifs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_csv, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.artefacts.typed.results.published import MOTIFS

EXAMPLE = pl.Struct({"segment_id": pl.String, "recording_id": pl.String, "start_s": pl.Float64, "end_s": pl.Float64})
"""A use of a motif: times in seconds from the start of the recording."""


@dataclass(frozen=True)
class MotifsFolder(ArtefactFolder):
    """Merges, tokens of every segment, and motifs, the tokens of two or more units."""

    step: ClassVar[str] = "motifs"

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "token": pl.Int32,
        "units": pl.List(pl.Int16),
        "count": pl.Int64,
        "segments": pl.Int64,
        "groups": pl.Int64,
        "coverage": pl.Float64,
        "mean_s": pl.Float64,
        "sd_s": pl.Float64,
        "merged": pl.Int64,
        "by_chance": pl.Float64,
        "examples": pl.List(EXAMPLE),
    }
    """One row a motif, the one that covers most first: its token, its units, its uses, segments and groups with a use,
    share of all frames, mean and standard deviation of its duration, how often its two parts were merged (later merges
    took up the uses that are missing in ``count``), how often they would follow each other by chance, and examples."""

    TOKENS: ClassVar[Mapping[str, Any]] = {
        "segment_id": pl.String,
        "tokens": pl.List(pl.Int32),
        "first_runs": pl.List(pl.Int32),
    }
    """One row a segment: its tokens, and the first run of each."""

    @property
    def table_file(self) -> Path:
        """The motifs, one row each."""
        return self.path / "motifs.parquet"

    @property
    def text_file(self) -> Path:
        """The motifs for people and other programs."""
        return self.path / MOTIFS

    @property
    def tokens_file(self) -> Path:
        """The corpus as tokens."""
        return self.path / "tokens.parquet"

    @property
    def merges_file(self) -> Path:
        """The vocabulary."""
        return self.path / "bpe.json"

    @property
    def summary_file(self) -> Path:
        """Tokens asked for and reached with the reason, and counts; written last."""
        return self.path / "motifs.json"

    @cached_property
    def table(self) -> pl.DataFrame:
        """Rows of :attr:`SCHEMA`."""
        return read_table(self.table_file, self.SCHEMA)

    @cached_property
    def tokens(self) -> pl.DataFrame:
        """Rows of :attr:`TOKENS`."""
        return read_table(self.tokens_file, self.TOKENS)

    @cached_property
    def merges(self) -> dict[str, Any]:
        """The content of :attr:`merges_file`."""
        content: dict[str, Any] = read_json(self.merges_file)
        return content

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of :attr:`summary_file`."""
        content: dict[str, Any] = read_json(self.summary_file)
        return content

    @property
    def in_words(self) -> str:
        """How many tokens and motifs there are, and why not more."""
        summary = self.summary
        reason = f": {summary['reason']}" if summary["reason"] else ""
        return f"{summary['reached']} of {summary['asked']} tokens, {summary['motifs']} of them motifs{reason}"

    def write_table(self, rows: pl.DataFrame) -> None:
        """Write the motifs."""
        write_table(self.table_file, rows.select(list(self.SCHEMA)).cast(pl.Schema(self.SCHEMA)), None)

    def write_tsv(self, rows: pl.DataFrame) -> None:
        """Write the motifs for people."""
        write_csv(self.text_file, rows, separator="\t")

    def write_tokens(self, rows: pl.DataFrame) -> None:
        """Write the tokens of every segment."""
        write_table(self.tokens_file, rows.select(list(self.TOKENS)).cast(pl.Schema(self.TOKENS)), None)

    def write_merges(self, merges: Mapping[str, Any]) -> None:
        """Write the vocabulary."""
        write_json(self.merges_file, merges)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary."""
        write_json(self.summary_file, summary)
