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
        self._at = self.furthest = 0

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
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; beyond the end there is nothing to read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as the view goes; return the number of bytes."""
        wanted = memoryview(buffer).cast("B")
        done = 0
        while done < len(wanted) and self._at < self.size:
            place = bisect_right(self._starts, self._at) - 1
            position = self._spans[place][0] + self._at - self._starts[place]
            n_bytes = min(len(wanted) - done, self._starts[place + 1] - self._at)
            self._file.seek(position)
            got = self._file.readinto(wanted[done : done + n_bytes])
            if not got:
                break
            self._patch(wanted[done : done + got], position)
            done += got
            self._at += got
        self.furthest = max(self.furthest, self._at)
        return done

    def _patch(self, part: memoryview, position: int) -> None:
        for place, new in self._patches:
            low, high = max(place, position), min(place + len(new), position + len(part))
            if low < high:
                part[low - position : high - position] = new[low - place : high - place]

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()
