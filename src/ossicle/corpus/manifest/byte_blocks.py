"""A manifest as blocks of bytes: each line belongs to the block in which it starts.

So any block can be read by itself, by any process, without what comes before it. Lines are handed on in small chunks,
which stay in the cache of the processor while they are decoded.
"""

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.core.errors import UsageError
from ossicle.corpus.manifest.other_forms import MOST_BYTES, require_json_lines

BLOCK_BYTES = 4 << 20
"""Bytes of a block; a parameter of every function, so that tests cut small files into many blocks."""
CHUNK_BYTES = 64 << 10
"""Bytes that are decoded at a time; the system gives larger pieces of memory page by page, which costs more."""
MOST_LINE_BYTES = 1 << 20
"""The longest line in bytes; an event takes less than a thousandth of it."""
_MARK = b"\xef\xbb\xbf"


def block_count(file: Path, block_bytes: int = BLOCK_BYTES) -> int:
    """Return the number of blocks of a file; raises UsageError if there is none, FormatError if it holds no JSON lines,
    OSError if it cannot be read.
    """
    try:
        with open_regular(file) as handle:
            require_json_lines(file, handle.read(MOST_BYTES))
            return -(-os.fstat(handle.fileno()).st_size // block_bytes)
    except (FileNotFoundError, IsADirectoryError):
        raise UsageError(f"{file} is not a file; give a manifest, with one event a line in JSON") from None


def line_chunks(file: Path, block: int, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes | None]:
    """Yield the lines of a block in chunks of whole lines.

    Parameters
    ----------
    file
        The manifest.
    block
        Number of the block, from 0.
    block_bytes
        Bytes of a block.

    Yields
    ------
    bytes or None
        Whole lines with their line ends (the last line of a file may have none); None stands for one line that is
        longer than :data:`MOST_LINE_BYTES`. A byte order mark at the start of the file is left out.

    Raises
    ------
    OSError
        The file cannot be read or is not a regular file.
    """
    start, stop = block * block_bytes, (block + 1) * block_bytes
    with open_regular(file) as handle:
        handle.seek(max(0, start - 1))
        if start == 0:
            offset = len(_MARK) if handle.read(len(_MARK)) == _MARK else 0
        else:
            offset = _after_line_end(handle, start - 1, stop - 1)
        if offset < stop:
            yield from _chunks(handle, offset, stop)


def _chunks(handle: BufferedReader, offset: int, stop: int) -> Iterator[bytes | None]:
    """Yield the lines that start in ``[offset, stop)``; a line starts at ``offset``, or the file ends there."""
    handle.seek(offset)
    rest = b""
    while offset < stop:
        more = handle.read(CHUNK_BYTES)
        data = rest + more
        # The line end of the last line that starts before `stop`.
        end = data.find(b"\n", max(0, stop - 1 - offset)) + 1 if offset + len(data) >= stop else 0
        cut = end or data.rfind(b"\n") + 1
        if not more:
            cut = len(data)
        if cut:
            yield data[:cut]
            offset, rest = offset + cut, data[cut:]
            if end or not more:
                return
        elif len(data) > MOST_LINE_BYTES:
            yield None
            offset, rest = _after_line_end(handle, offset + len(data), stop), b""
            handle.seek(offset)
        else:
            rest = data
        if not more:
            return


def _after_line_end(handle: BufferedReader, offset: int, stop: int) -> int:
    """Return the offset after the first line end from ``offset`` on; at least ``stop + 1`` if none is before "
    "``stop``."""
    handle.seek(offset)
    while offset < stop and (data := handle.read(CHUNK_BYTES)):
        line_end = data.find(b"\n")
        if line_end >= 0:
            return offset + line_end + 1
        offset += len(data)
    return max(offset, stop) + 1
