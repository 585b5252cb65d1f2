"""Parts of a file, one after the other and with bytes replaced, as a file of their own."""

import io
import os
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.audio.containers.streams import Stream


class SplicedFile(io.RawIOBase):
    """A readable, seekable view of the bytes of a stream; nothing is copied.

    ``furthest`` is the position after the last byte that was read, which shows where a decoder stopped.

    Parameters
    ----------
    path
        The file.
    stream
        Its stream; the part of its spans before ``first_byte`` is left out.
    first_byte
        Where to begin, as a position in the file; 0: at the first span.
    """

    def __init__(self, path: Path, stream: Stream, first_byte: int = 0) -> None:
        self._file = open_regular(path)
        spans = stream.spans or ((0, os.fstat(self._file.fileno()).st_size),)
        self._spans = [(max(start, first_byte), stop) for start, stop in spans if stop > first_byte]
        self._starts = [0, *accumulate(stop - start for start, stop in self._spans)]
        self._patches = stream.patches
        self._position = self.furthest = 0

    @property
    def size(self) -> int:
        """Bytes of the view."""
        return self._starts[-1]

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; beyond the end there is nothing to read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as the view goes; return the number of bytes."""
        target = memoryview(buffer).cast("B")
        done = 0
        while done < len(target) and self._position < self.size:
            span_index = bisect_right(self._starts, self._position) - 1
            position = self._spans[span_index][0] + self._position - self._starts[span_index]
            n_bytes = min(len(target) - done, self._starts[span_index + 1] - self._position)
            self._file.seek(position)
            got = self._file.readinto(target[done : done + n_bytes])
            if not got:
                break
            self._patch(target[done : done + got], position)
            done += got
            self._position += got
        self.furthest = max(self.furthest, self._position)
        return done

    def _patch(self, part: memoryview, position: int) -> None:
        for offset, new in self._patches:
            low, high = max(offset, position), min(offset + len(new), position + len(part))
            if low < high:
                part[low - position : high - position] = new[low - offset : high - offset]

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()
