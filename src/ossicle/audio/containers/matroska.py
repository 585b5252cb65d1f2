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
    length, at = _size(head, len(_HEADER))
    if not head.startswith(_HEADER) or length is None:
        return None
    segment = start + at + length
    file.seek(segment)
    head = file.read(12)
    if not head.startswith(_SEGMENT):
        return None
    length, at = _size(head, len(_SEGMENT))
    if length is None:
        following = _next_header(file, segment + at, size)
        return Part(Stream(spans=((start, size if following is None else following),)), next_byte=following)
    stop = segment + at + length
    if stop > size:
        fault = f"cut off: {stop - size} of {length} bytes of its segment are missing"
        return Part(Stream(spans=((start, size),)), fault)
    return Part(Stream(spans=((start, stop),)), next_byte=stop if stop < size else None)


def _size(data: bytes, at: int) -> tuple[int | None, int]:
    """Return the size of an element that is coded at ``at`` (None: unknown), and where its content begins."""
    if at >= len(data) or not data[at]:
        return None, at
    n_bytes = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + n_bytes], "big") & ((1 << 7 * n_bytes) - 1)
    return (None if value == (1 << 7 * n_bytes) - 1 else value), at + n_bytes


def _next_header(file: BinaryIO, at: int, size: int) -> int | None:
    """Return the byte at or after ``at`` where another file begins."""
    tail = b""
    while at < size:
        file.seek(at)
        block = tail + file.read(min(_SCAN, size - at))
        place = block.find(_HEADER)
        while place >= 0:
            if any(kind in block[place : place + _HEADER_MAX] for kind in _DOC_TYPES):
                return at - len(tail) + place
            place = block.find(_HEADER, place + 1)
        at += len(block) - len(tail)
        tail = block[-_HEADER_MAX:]
    return None
