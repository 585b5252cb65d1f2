"""Tags and padding around the sound of a file: ID3, APE and Lyrics3 tags, and bytes that are all equal."""

import os
from typing import BinaryIO

_BLOCK = 1 << 20
_ID3V1 = 128
_ID3V2_HEAD = 10
_APE_FOOTER = 32
_LYRICS_END = 15


def after_leading_tags(file: BinaryIO, offset: int, size: int) -> int:
    """Return the first byte at or after ``offset`` that does not belong to an ID3v2 tag."""
    while offset + _ID3V2_HEAD <= size:
        file.seek(offset)
        length = id3v2_bytes(file.read(_ID3V2_HEAD))
        if not length:
            break
        offset = min(offset + length, size)
    return offset


def id3v2_bytes(head: bytes) -> int:
    """Return the length of the ID3v2 tag that begins with these ten bytes; 0 if none does.

    >>> id3v2_bytes(b"ID3" + bytes([3, 0, 0, 0, 0, 1, 0])), id3v2_bytes(b"RIFF" + bytes(6))
    (138, 0)
    """
    if head[:3] != b"ID3" or len(head) < _ID3V2_HEAD or any(byte & 0x80 for byte in head[6:10]):
        return 0
    body = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return body + _ID3V2_HEAD * (2 if head[5] & 0x10 else 1)


def before_trailing_tags(file: BinaryIO, start: int, size: int) -> int:
    """Return where the tags at the end of a file begin; ``size`` if there are none."""
    end = size
    while end > start:
        shorter = _without_last_tag(file, start, end)
        if shorter == end:
            break
        end = shorter
    return end


def _without_last_tag(file: BinaryIO, start: int, end: int) -> int:
    tail = _read(file, max(start, end - _ID3V1), end)
    if len(tail) == _ID3V1 and tail[:3] == b"TAG":
        return end - _ID3V1
    footer = tail[-_APE_FOOTER:]
    if footer[:8] == b"APETAGEX":
        length = int.from_bytes(footer[12:16], "little")
        length += _APE_FOOTER if int.from_bytes(footer[20:24], "little") >> 31 else 0
        return end - length if _APE_FOOTER <= length <= end - start else end
    if tail[-9:] == b"LYRICS200" and tail[-_LYRICS_END:-9].isdigit():
        length = int(tail[-_LYRICS_END:-9]) + _LYRICS_END
        return end - length if length <= end - start else end
    return end


def trailing_tag_bytes(head: bytes) -> int:
    """Return the length of a tag that begins with ``head`` (32 bytes) and may follow the sound; 0 if none does."""
    if head[:3] == b"TAG":
        return _ID3V1
    if head[:8] == b"APETAGEX" and len(head) >= 16:
        length = int.from_bytes(head[12:16], "little")
        return length + _APE_FOOTER
    return id3v2_bytes(head[:_ID3V2_HEAD])


def after_trailing_tags(file: BinaryIO, offset: int, size: int) -> int:
    """Return the first byte at or after ``offset`` that belongs to no tag; ``size`` if only padding is left."""
    while offset < size and (length := trailing_tag_bytes(_read(file, offset, offset + _APE_FOOTER))):
        offset += length
    return size if offset >= size or only_padding(file, offset, size) else offset


def only_padding(file: BinaryIO, start: int, stop: int) -> bool:
    """Return whether all bytes of [start, stop) are equal."""
    first = _read(file, start, min(start + 1, stop))
    file.seek(start)
    left = stop - start
    while left > 0:
        block = file.read(min(_BLOCK, left))
        if not block:
            break
        if block.count(first) != len(block):
            return False
        left -= len(block)
    return True


def _read(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(start, os.SEEK_SET)
    return file.read(max(0, stop - start))
