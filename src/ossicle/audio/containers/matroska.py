"""Matroska and WebM: segments that are cut off or damaged, and a second file behind the first.

FFmpeg passes over what is no element up to the next one, without an error: where the first cluster of sound is damaged,
it takes the next one for the beginning.
"""

from typing import BinaryIO

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream

_HEADER = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_DOC_TYPES = (b"webm", b"matroska")
_HEADER_MAX = 128
_SCAN = 1 << 20
_CLUSTER = b"\x1f\x43\xb6\x75"
# What a segment may hold: its index, descriptions, clusters, attachments, chapters, tags, padding and checksums.
# fmt: off
_OF_SEGMENT = frozenset({
    _CLUSTER, b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x1c\x53\xbb\x6b",
    b"\x19\x41\xa4\x69", b"\x10\x43\xa7\x70", b"\x12\x54\xc3\x67", b"\xec", b"\xbf",
})
# And what a cluster may hold: its time, place and size before it, blocks, silent tracks, padding and checksums.
_OF_CLUSTER = frozenset({b"\xe7", b"\xa7", b"\xab", b"\xa3", b"\xa0", b"\xaf", b"\x58\x54", b"\xec", b"\xbf"})
# fmt: on


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
    damaged, first_stop = _damage(file, segment + content_offset, min(stop, size))
    fault = "" if damaged is None else f"what is at byte {damaged} is damaged"
    begins_lost = damaged is not None and damaged < first_stop
    if stop > size:
        fault = "; ".join(filter(None, (f"cut off: {stop - size} of {length} bytes of its segment are missing", fault)))
        return Part(Stream(spans=((start, size),), begins_lost=begins_lost), fault)
    return Part(Stream(spans=((start, stop),), begins_lost=begins_lost), fault, stop if stop < size else None)


def _damage(file: BinaryIO, offset: int, stop: int) -> tuple[int | None, int]:
    """Return the first byte that should begin an element and does not (None: all do), and where the first cluster ends.

    Only the first cluster is read block by block. Clusters of unknown size, as a live recording has them, end the walk.
    """
    first_stop = stop
    in_first = False
    while offset < stop:
        file.seek(offset)
        head = file.read(12)
        name = head[: 9 - head[0].bit_length()] if head and head[0] else b""
        length, content = _size(head, len(name)) if name else (None, 0)
        if name not in (_OF_CLUSTER if in_first else _OF_SEGMENT):
            return offset, first_stop
        if length is None:
            return None, first_stop
        if name == _CLUSTER and first_stop == stop and not in_first:
            first_stop, in_first = min(stop, offset + content + length), True
            offset += content
            continue
        offset += content + length
        in_first = in_first and offset < first_stop
    return None, first_stop


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
