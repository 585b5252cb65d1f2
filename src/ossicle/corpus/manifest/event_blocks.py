"""Read a manifest block by block, as tables, with bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec
import polars as pl

from ossicle.corpus.manifest.block_workers import in_order
from ossicle.corpus.manifest.byte_blocks import BLOCK_BYTES, block_count, line_chunks
from ossicle.corpus.manifest.decoding import MOST_BAD_LINES, BadLine, bad_line_error, decode
from ossicle.corpus.manifest.event_fields import Event
from ossicle.corpus.manifest.event_table import EventCheck, event_table


@dataclass(frozen=True, slots=True)
class ManifestBlock:
    """A block of a manifest.

    Parameters
    ----------
    number
        Number of the block, from 0.
    events
        One row for each component, and one for an event without components
        (:data:`ossicle.corpus.manifest.event_table.EVENT_SCHEMA`).
    n_lines
        Lines that start in the block, blank and bad ones included.
    n_events
        Events among them.
    bad
        The first bad lines, with the reasons.
    n_bad
        How many lines are bad.
    """

    number: int
    events: pl.DataFrame
    n_lines: int
    n_events: int
    bad: tuple[BadLine, ...] = ()
    n_bad: int = 0

    def moved(self, by_lines: int) -> "ManifestBlock":
        """Return the block with ``by_lines`` added to the numbers of its lines."""
        if by_lines == 0:
            return self
        bad = tuple(BadLine(bad_line.line + by_lines, bad_line.reason) for bad_line in self.bad)
        return replace(self, events=self.events.with_columns(pl.col("line") + by_lines), bad=bad)

    def cut(self, n_events: int) -> "ManifestBlock":
        """Return the block with at most its first ``n_events`` events, and without the lines after them."""
        if n_events >= self.n_events:
            return self
        lines = self.events.filter(pl.col("component") <= 0)["line"]
        last = int(lines[n_events - 1]) if n_events else 0
        bad = tuple(bad_line for bad_line in self.bad if bad_line.line < last)
        # Blocks with more bad lines than are kept count all that are not after the last event among those kept.
        n_bad = self.n_bad if len(bad) == len(self.bad) else len(bad)
        return replace(self, events=self.events.filter(pl.col("line") <= last), n_events=n_events, bad=bad, n_bad=n_bad)


def read_block(file: Path, block: int, block_bytes: int = BLOCK_BYTES) -> ManifestBlock:
    """Read one block of a manifest; its lines are numbered from 1.

    Parameters
    ----------
    file
        The manifest.
    block, block_bytes
        Number of the block, from 0, and the size of blocks.

    Raises
    ------
    OSError
        The file cannot be read, or is not a regular file.
    """
    decoder, check = msgspec.json.Decoder(Event), EventCheck()
    events: list[Event] = []
    numbers: list[int] = []
    bad: list[BadLine] = []
    first = 1
    for chunk in line_chunks(file, block, block_bytes):
        decoded = decode(decoder, chunk, first)
        first += decoded.n_lines
        bad += decoded.bad
        for number, event in zip(decoded.numbers, decoded.events, strict=True):
            if fault := check.fault(event):
                bad.append(BadLine(number, fault))
            else:
                events.append(event)
                numbers.append(number)
    bad.sort(key=lambda bad_line: bad_line.line)
    table = event_table(events, numbers)
    return ManifestBlock(block, table, first - 1, len(events), tuple(bad[:MOST_BAD_LINES]), len(bad))


def manifest_blocks(
    file: Path, *, limit: int = 0, skip_bad: bool = False, workers: int = 1, block_bytes: int = BLOCK_BYTES
) -> Iterator[ManifestBlock]:
    """Yield the blocks of a manifest in order, with lines numbered from the start of the file.

    Parameters
    ----------
    file
        The manifest: JSON lines, one event each (:class:`ossicle.corpus.manifest.event_fields.Event`).
    limit
        Read only this many events, from the beginning; 0 reads all.
    skip_bad
        Leave out bad lines, and count them, instead of raising an error for the first.
    workers
        Number of processes that read.
    block_bytes
        Size of the blocks in bytes.

    Raises
    ------
    FormatError
        A line is no event and ``skip_bad`` is not set; the message names the line.
    OSError
        The file cannot be read, or is not a regular file.
    """
    blocks = range(block_count(file, block_bytes))
    n_lines = n_events = 0
    for manifest_block in in_order(
        partial(read_block, file, block_bytes=block_bytes), blocks, min(workers, len(blocks))
    ):
        block = manifest_block.moved(n_lines)
        n_lines += manifest_block.n_lines
        if limit:
            block = block.cut(limit - n_events)
        if block.bad and not skip_bad:
            raise bad_line_error(file, block.bad[0])
        n_events += block.n_events
        yield block
        if limit and n_events >= limit:
            return
