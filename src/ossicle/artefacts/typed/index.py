"""Artefacts with an index of recordings: of the corpus, of unlabelled recordings, of a benchmark.

The value in them is ``ossicle.corpus.indexing.corpus_index.CorpusIndex``, which ``index_storage`` reads and writes.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.typed.artefact import ArtefactFolder


@dataclass(frozen=True)
class IndexFolder(ArtefactFolder):
    """Files of an index; the last three exist only if they hold a row."""

    @property
    def recordings_file(self) -> Path:
        """The recordings, one row each."""
        return self.path / "recordings.parquet"

    @property
    def annotations_file(self) -> Path:
        """The annotations, including reviews."""
        return self.path / "annotations.parquet"

    @property
    def remarks_file(self) -> Path:
        """Left-out files, notes, and levels of the recordings."""
        return self.path / "index.json"

    @property
    def examined_file(self) -> Path:
        """Checked stretches of recordings that were not annotated as a whole."""
        return self.path / "examined.parquet"

    @property
    def stated_file(self) -> Path:
        """The annotations without those of review rounds."""
        return self.path / "stated.parquet"

    @property
    def unknown_file(self) -> Path:
        """Labels whose presence in a recording is unknown."""
        return self.path / "unknown.parquet"

    @property
    def unfinished_folder(self) -> Path:
        """Blocks of a manifest and examined recordings, from which an index continues; a finished artefact has none."""
        return self.path / "blocks"


@dataclass(frozen=True)
class CorpusFolder(IndexFolder):
    """The artefact of the step ``corpus``: an index, and the health of the recordings."""

    step: ClassVar[str] = "corpus"

    @property
    def hits_folder(self) -> Path:
        """Tables of hits, if the corpus comes from a manifest."""
        return self.path / "hits"

    @property
    def hits(self) -> pl.LazyFrame | None:
        """What a manifest says of each annotation, in the order of :attr:`annotations_file`; None without a manifest.

        Columns: ``recording_id``, ``start_s``, ``end_s``, ``label`` of the annotation, and those of
        ``ossicle.corpus.manifest.hit_tables.HIT_COLUMNS``.
        """
        tables = sorted(self.hits_folder.glob("*.parquet")) if self.hits_folder.is_dir() else []
        return pl.concat([pl.scan_parquet(table, glob=False) for table in tables]) if tables else None

    @property
    def health_file(self) -> Path:
        """Counts and problems of recordings and annotations."""
        return self.path / "health.json"

    @cached_property
    def health(self) -> dict[str, Any]:
        """Counts and problems of recordings and annotations, from ``corpus.health``."""
        content: dict[str, Any] = read_json(self.health_file)
        return content

    def write_health(self, health: dict[str, Any]) -> None:
        """Write the health report, plain values."""
        write_json(self.health_file, health)


@dataclass(frozen=True)
class UnlabelledFolder(IndexFolder):
    """The artefact of the step ``unlabelled``: an index without annotations."""

    step: ClassVar[str] = "unlabelled"


@dataclass(frozen=True)
class BenchmarkIndexFolder(IndexFolder):
    """The artefact of the step ``benchmark-index``."""

    step: ClassVar[str] = "benchmark-index"
