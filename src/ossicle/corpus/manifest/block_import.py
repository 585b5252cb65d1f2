"""Import the blocks of a manifest as Parquet files, each whole or absent, so that a killed import repeats few.

A block has a table of its events, and a record that is written after it: a block with a record is done. Blocks do not
depend on each other, so any number of processes gives the same files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import write_table
from ossicle.core.digest import recording_id
from ossicle.core.errors import ArtefactError
from ossicle.corpus.manifest.block_workers import in_order
from ossicle.corpus.manifest.byte_blocks import BLOCK_BYTES, block_count
from ossicle.corpus.manifest.decoding import MOST_BAD_LINES, BadLine, bad_line_error
from ossicle.corpus.manifest.event_blocks import read_block


@dataclass(frozen=True, slots=True)
class ImportedBlock:
    """A block on disk: its table, and what its record counts. Lines are numbered from 1 in each block.

    ``last_line``: the line of the last event to use; None for all.
    """

    table: Path
    n_lines: int
    n_events: int
    bad: tuple[BadLine, ...]
    n_bad: int
    last_line: int | None = None

    def lazy(self) -> pl.LazyFrame:
        """Return the events to use (:data:`ossicle.corpus.manifest.event_table.EVENT_SCHEMA`, ``recording_id``)."""
        events = pl.scan_parquet(self.table, glob=False)
        return events if self.last_line is None else events.filter(pl.col("line") <= self.last_line)

    def cut(self, n_events: int) -> "ImportedBlock":
        """Return the block with its first ``n_events`` events, and without the lines after them."""
        if n_events >= self.n_events:
            return self
        lines = pl.read_parquet(self.table, columns=["line", "component"], glob=False)
        last = int(lines.filter(pl.col("component") <= 0)["line"][n_events - 1])
        bad = tuple(bad_line for bad_line in self.bad if bad_line.line < last)
        return ImportedBlock(self.table, self.n_lines, n_events, bad, len(bad), last)


@dataclass(frozen=True, slots=True)
class Imported:
    """All blocks in order, and bad lines by their numbers in the file: the first of ``n_bad``."""

    blocks: tuple[ImportedBlock, ...]
    n_lines: int
    n_events: int
    bad: tuple[BadLine, ...]
    n_bad: int

    def lazy(self) -> pl.LazyFrame:
        """Return the events of all blocks, in the order of the file."""
        return pl.concat([imported_block.lazy() for imported_block in self.blocks])


def import_blocks(
    file: Path,
    folder: Path,
    *,
    limit: int = 0,
    skip_bad: bool = False,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Imported:
    """Import a manifest into a folder; blocks that an interrupted import left there are kept.

    Parameters
    ----------
    file
        The manifest.
    folder
        Where the tables and records of the blocks go. It belongs to this manifest and ``block_bytes`` alone.
    limit
        Import only this many events, from the beginning; 0 imports all.
    skip_bad
        Leave out bad lines, and count them, instead of raising an error for the first.
    workers
        Number of processes.
    progress
        Called with the number of finished blocks and of all.
    block_bytes
        Size of the blocks in bytes.

    Raises
    ------
    FormatError
        A line is no event and ``skip_bad`` is not set; the message names the line.
    OSError
        The manifest cannot be read or the tables cannot be written.
    """
    n_blocks = block_count(file, block_bytes)
    done: list[ImportedBlock] = []
    bad: list[BadLine] = []
    n_lines = n_events = n_bad = 0
    work = partial(import_block, file, folder, block_bytes=block_bytes)
    for block in in_order(work, range(n_blocks), min(workers, n_blocks)):
        used = block.cut(limit - n_events) if limit else block
        bad += [BadLine(n_lines + bad_line.line, bad_line.reason) for bad_line in used.bad[: MOST_BAD_LINES - len(bad)]]
        if bad and not skip_bad:
            raise bad_line_error(file, bad[0])
        done.append(used)
        n_lines, n_events, n_bad = n_lines + used.n_lines, n_events + used.n_events, n_bad + used.n_bad
        if progress is not None:
            progress(len(done), n_blocks)
        if limit and n_events >= limit:
            break
    return Imported(tuple(done), n_lines, n_events, tuple(bad), n_bad)


def import_block(file: Path, folder: Path, block: int, block_bytes: int = BLOCK_BYTES) -> ImportedBlock:
    """Import one block of a manifest, unless its record says that it is done.

    Raises
    ------
    OSError
        The manifest cannot be read or the table cannot be written.
    """
    table, record = folder / f"{block:06d}.parquet", folder / f"{block:06d}.json"
    if (done := _finished(table, record)) is not None:
        return done
    read = read_block(file, block, block_bytes)
    places = read.events.select("source_set", "audio_path").unique()
    ids = [recording_id(source, path) for source, path in places.iter_rows()]
    known = places.with_columns(pl.Series("recording_id", ids, pl.String))
    events = read.events.join(known, on=["source_set", "audio_path"], how="left", maintain_order="left")
    write_table(table, events, ["line", "component"])
    counts = {"n_lines": read.n_lines, "n_events": read.n_events, "n_bad": read.n_bad}
    write_json(record, counts | {"bad": [[bad_line.line, bad_line.reason] for bad_line in read.bad]})
    return ImportedBlock(table, read.n_lines, read.n_events, read.bad, read.n_bad)


def _finished(table: Path, record: Path) -> ImportedBlock | None:
    """Return a block that is done; None for one that is not, or whose record is damaged."""
    if not (record.is_file() and table.is_file()):
        return None
    try:
        content = read_json(record)
        bad = tuple(BadLine(int(line), str(reason)) for line, reason in content["bad"])
        return ImportedBlock(table, int(content["n_lines"]), int(content["n_events"]), bad, int(content["n_bad"]))
    except (ArtefactError, KeyError, TypeError, ValueError):
        return None
