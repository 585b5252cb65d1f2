"""Common part of artefacts that are a table with rows for each shard of features, made shard by shard."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder


@dataclass(frozen=True)
class TableInShards(ArtefactFolder):
    """A table in the order of the segments, and a summary; each shard is a table of its own while the step runs."""

    name: ClassVar[str]
    """The name of the table and of its summary, without suffix."""
    SCHEMA: ClassVar[Mapping[str, Any]]
    """The columns of the table."""

    @property
    def table_file(self) -> Path:
        """The table."""
        return self.path / f"{self.name}.parquet"

    @property
    def summary_file(self) -> Path:
        """Facts about the whole table; written last."""
        return self.path / f"{self.name}.json"

    @property
    def parts(self) -> Path:
        """The folder of the tables of shards that are done, while the step runs."""
        return self.path / "parts"

    def part_file(self, shard: str) -> Path:
        """Return the file with the table of a shard."""
        return self.parts / f"{shard}.parquet"

    def has_part(self, shard: str) -> bool:
        """Return whether a shard is done, by itself or in the table of all of them."""
        return self.summary_file.exists() or self.part_file(shard).exists()

    @cached_property
    def table(self) -> pl.DataFrame:
        """Rows of :attr:`SCHEMA`."""
        return read_table(self.table_file, self.SCHEMA)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of :attr:`summary_file`."""
        content: dict[str, Any] = read_json(self.summary_file)
        return content

    def write_part(self, shard: str, rows: pl.DataFrame) -> None:
        """Write the table of a shard."""
        # Of arrays with equal lengths polars makes another type than lists.
        write_table(self.part_file(shard), rows.cast(pl.Schema(self.SCHEMA)), None)

    def _join(self, shards: Sequence[str], summarise: Callable[[pl.DataFrame], Mapping[str, Any]]) -> None:
        """Write the table of all shards in order, then its summary, and remove the parts; does nothing twice."""
        if not self.summary_file.exists():
            parts = [read_table(self.part_file(name), self.SCHEMA) for name in shards]
            write_table(self.table_file, pl.concat([pl.DataFrame(schema=dict(self.SCHEMA)), *parts]), None)
            write_json(self.summary_file, summarise(self.table))
        if self.parts.exists():
            remove_folder(self.parts)
