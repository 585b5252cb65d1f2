"""Matroska and WebM: segments that are cut off, and a second file behind the first."""

from typing import BinaryIO

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream

_HEADER = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_DOC_TYPES = (b"webm", b"matroska")
_HEADER_MAX = 128
_SCAN = 1 << 20


def read_matroska(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of the Matroska file that begins at byte ``start``; None if it has no segment."""
    file.seek(start)
    head = file.read(_HEADER_MAX)
    length, content_offset = _size(head, len(_HEADER))
    if not head.startswith(_HEADER) or length is None:
        return None
    segment = start + content_offset + length
    file.seek(segment)
    head = file.read(12)
    if not head.startswith(_SEGMENT):
        return None
    length, content_offset = _size(head, len(_SEGMENT))
    if length is None:
        following = _next_header(file, segment + content_offset, size)
        return Part(Stream(spans=((start, size if following is None else following),)), next_byte=following)
    stop = segment + content_offset + length
    if stop > size:
        fault = f"cut off: {stop - size} of {length} bytes of its segment are missing"
        return Part(Stream(spans=((start, size),)), fault)
    return Part(Stream(spans=((start, stop),)), next_byte=stop if stop < size else None)


def _size(data: bytes, offset: int) -> tuple[int | None, int]:
    """Return the size of an element that is coded at ``offset`` (None: unknown), and where its content begins."""
    if offset >= len(data) or not data[offset]:
        return None, offset
    n_bytes = 9 - data[offset].bit_length()
    value = int.from_bytes(data[offset : offset + n_bytes], "big") & ((1 << 7 * n_bytes) - 1)
    return (None if value == (1 << 7 * n_bytes) - 1 else value), offset + n_bytes


def _next_header(file: BinaryIO, offset: int, size: int) -> int | None:
    """Return the byte at or after ``offset`` where another file begins."""
    tail = b""
    while offset < size:
        file.seek(offset)
        block = tail + file.read(min(_SCAN, size - offset))
        position = block.find(_HEADER)
        while position >= 0:
            if any(kind in block[position : position + _HEADER_MAX] for kind in _DOC_TYPES):
                return offset - len(tail) + position
            position = block.find(_HEADER, position + 1)
        offset += len(block) - len(tail)
        tail = block[-_HEADER_MAX:]
    return None
