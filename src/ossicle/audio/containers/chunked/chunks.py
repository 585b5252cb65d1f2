"""Walk the chunks of RIFF, AIFF, CAF and Wave64 files, and find out where their samples really end."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ossicle.audio.containers.tags import only_padding, trailing_tag_bytes

# Writers to a pipe leave 0 or sizes close to 2**31 or 2**32 behind: these do not state a length.
_OPEN_ENDED = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))
_OPEN_ENDED_64 = (range(0x7FFFFFFFFFFFF000, 0x8000000000000001), range(0xFFFFFFFFFFFFF000, 0x10000000000000000))
_WRAP = 1 << 32
# A count beyond 64 GiB has not wrapped: no file is that long.
_MOST_WRAPS = 16
# No recorder writes more chunks; a damaged file could hold millions of empty ones.
_MOST_CHUNKS = 10_000
# Chunks beside the samples; one that is cut off costs no sound.
_BESIDE = frozenset({
    b"LIST", b"JUNK", b"junk", b"PAD ", b"FLLR", b"bext", b"iXML", b"axml", b"_PMX", b"id3 ", b"ID3 ", b"guan", b"wamd",
    b"cue ", b"smpl", b"inst", b"fact", b"PEAK", b"LGWV", b"levl", b"SAUR", b"afsp", b"DISP", b"chna", b"free", b"info",
    b"NAME", b"AUTH", b"ANNO", b"COMT", b"MARK", b"APPL", b"(c) ", b"uuid", b"strg", b"pakt", b"kuki", b"midi",
})  # fmt: skip
_RECORDINGS = (
    b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"caff", b".snd", b"fLaC", b"OggS", b"riff", b"NIST", b"dns.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChunkForm:
    """How a chunk begins: length of its name, ``struct`` format of its size, what the size counts, alignment."""

    name_bytes: int
    size_format: str
    counts_head: bool
    align: int

    @property
    def head_bytes(self) -> int:
        """Bytes before the content."""
        return self.name_bytes + struct.calcsize(self.size_format)


RIFF_CHUNKS = ChunkForm(4, "<I", False, 2)
BIG_ENDIAN_CHUNKS = ChunkForm(4, ">I", False, 2)
CAF_CHUNKS = ChunkForm(4, ">Q", False, 1)
WAVE64_CHUNKS = ChunkForm(16, "<Q", True, 8)
NO_CHUNKS = ChunkForm(0, ">I", False, 1)
"""For formats whose samples end the file."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its name, the byte at which its content starts, and the length that it states."""

    name: bytes
    start: int
    length: int

    @property
    def end(self) -> int:
        """The byte after its content, as stated."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Extent:
    """Where samples end: at the byte ``stop``, with a ``fault`` if bytes are missing or follow unexplained.

    ``as_stated`` tells whether this is the end that the header states. Another recording may begin at ``next_byte``.
    """

    stop: int
    as_stated: bool
    fault: str = ""
    next_byte: int | None = None


def walk(file: BinaryIO, offset: int, size: int, form: ChunkForm) -> Iterator[Chunk]:
    """Yield the chunks from byte ``offset`` on; the last one may state more than the file holds."""
    for _ in range(_MOST_CHUNKS):
        chunk = chunk_at(file, offset, form)
        if chunk is None:
            return
        yield chunk
        if chunk.end >= size:
            return
        offset = next_chunk(file, chunk, size, form)


def chunk_at(file: BinaryIO, offset: int, form: ChunkForm) -> Chunk | None:
    """Return the chunk that begins at a byte, whatever its name; None if the file ends there."""
    file.seek(offset)
    head = file.read(form.head_bytes)
    if len(head) < form.head_bytes:
        return None
    length = struct.unpack(form.size_format, head[form.name_bytes :])[0]
    start = offset + form.head_bytes
    return Chunk(head[: form.name_bytes], start, max(0, length - form.head_bytes) if form.counts_head else length)


def next_chunk(file: BinaryIO, chunk: Chunk, size: int, form: ChunkForm) -> int:
    """Return where the next chunk begins; some writers leave out the padding byte of an odd length."""
    padded = chunk.end + -(chunk.end - chunk.start) % form.align
    if padded == chunk.end:
        return padded
    file.seek(chunk.end)
    head = file.read(32)
    if head[:4] in _RECORDINGS or trailing_tag_bytes(head):
        return chunk.end
    if form.align == 2 and _begins(file, chunk.end, size, form) and not _begins(file, padded, size, form):
        return chunk.end
    return padded


def _begins(file: BinaryIO, offset: int, size: int, form: ChunkForm) -> bool:
    """Return whether a chunk that the file has room for seems to begin at a byte."""
    chunk = chunk_at(file, offset, form)
    return chunk is not None and _is_name(chunk.name) and (chunk.end <= size or chunk.name in (b"data", b"SSND"))


def content(file: BinaryIO, chunk: Chunk, most: int) -> bytes:
    """Return the first ``most`` bytes of a chunk."""
    file.seek(chunk.start)
    return file.read(min(most, chunk.length))


def is_open(length: int, *, long: bool = False) -> bool:
    """Return whether a stated length is none: 0, or the largest that the field holds, or close to it."""
    return length == 0 or any(length in sizes for sizes in (_OPEN_ENDED_64 if long else _OPEN_ENDED))


def extent(
    file: BinaryIO,
    chunk: Chunk,
    size: int,
    form: ChunkForm,
    frame_bytes: int,
    *,
    stated: int | None,
    long: bool = False,
) -> Extent:
    """Return where the samples of a chunk end.

    Parameters
    ----------
    file, size
        The file and its length in bytes.
    chunk, form
        The chunk that holds the samples.
    frame_bytes
        Bytes of a sample of all channels; fewer bytes than that are not sound.
    stated
        Bytes of samples that the header states; None if it says that it does not know.
    long
        Whether that field has 64 bits.
    """
    if stated is None:
        return Extent(size, as_stated=False)
    stop = chunk.start + stated
    if stop > size:
        if is_open(stated, long=long):
            return Extent(size, as_stated=False)
        missing = f"cut off: {stop - size} of {stated} bytes of samples are missing"
        return Extent(size, as_stated=True, fault=missing)
    rest = _what_follows(file, Chunk(chunk.name, chunk.start, stated), size, form)
    if rest.explained or size - rest.offset < frame_bytes:
        return Extent(stop, as_stated=True, next_byte=rest.next_byte)
    if is_open(stated, long=long):
        return Extent(size, as_stated=False)
    if not long:
        for wraps in range(1, _MOST_WRAPS):
            longer = Chunk(chunk.name, chunk.start, stated + wraps * _WRAP)
            if longer.end > size:
                break
            # A count of 32 bits starts again at 0 beyond 4 GiB.
            after = _what_follows(file, longer, size, form)
            if after.explained:
                return Extent(longer.end, as_stated=False, next_byte=after.next_byte)
    if only_padding(file, rest.offset, size):
        return Extent(stop, as_stated=True)
    extra = size - rest.offset
    more = f"the header states {stated} bytes of samples, but {extra} more follow"
    return Extent(stop, as_stated=True, fault=more)


@dataclass(frozen=True, slots=True)
class _Rest:
    """What follows the samples: only chunks and tags (``explained``), or unknown bytes from ``offset`` on.

    ``next_byte`` is where another recording begins.
    """

    offset: int
    explained: bool
    next_byte: int | None = None


def _what_follows(file: BinaryIO, samples: Chunk, size: int, form: ChunkForm) -> _Rest:
    offset = next_chunk(file, samples, size, form) if samples.end < size else size
    for _ in range(_MOST_CHUNKS):
        if offset >= size:
            break
        file.seek(offset)
        head = file.read(32)
        if head[:4] in _RECORDINGS:
            return _Rest(offset, explained=True, next_byte=offset)
        if tag := trailing_tag_bytes(head):
            offset += tag
            continue
        chunk = chunk_at(file, offset, form)
        if chunk is None or not _is_chunk(chunk.name, form) or chunk.name == samples.name:
            return _Rest(offset, explained=False)
        if chunk.end > size and chunk.name[:4] not in _BESIDE:
            return _Rest(offset, explained=False)
        offset = next_chunk(file, chunk, size, form) if chunk.end < size else size
    return _Rest(offset, explained=offset >= size)


def _is_chunk(name: bytes, form: ChunkForm) -> bool:
    # The names of Wave64 chunks are GUIDs, of which the last twelve bytes are the same for all but one.
    return _is_name(name[:4]) and (form is not WAVE64_CHUNKS or name[4:8] in (b"\xf3\xac\xd3\x11", b"\x2e\x91\xcf\x11"))


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def file_bytes(file: BinaryIO) -> int:
    """Return the length of an open file."""
    return os.fstat(file.fileno()).st_size
