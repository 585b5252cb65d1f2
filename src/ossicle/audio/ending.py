"""Detect files that end before their header or last page says so, and find where the last Ogg page begins.

libsndfile shortens truncated WAV, AIFF and Ogg files without a warning. A tape that stopped half way must be listed as
partial, so the stated length is read here. FLAC, MP3 and MP4 need nothing: the count in their header stays unchanged.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

# Writers to a pipe leave 0 or sizes close to 2**31 or 2**32 behind: these do not state a length.
_OPEN_ENDED = (range(0x7FFFF000, 0x80000000), range(0xFFFFF000, 0x100000000))
# Tags and padding after the samples are not sound.
_TAG_MAX = 4096
_OGG_PAGE_MAX = 65307
_MP3_FRAME_MAX = 2881
_OGG_HEAD = 27
_OGG_LAST_PAGE = 0x04


def cut_off(path: Path) -> str:
    """Return why the file is known to be truncated, or "" if nothing shows that it is."""
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        magic = stream.read(12)
        if magic[:4] in (b"RIFF", b"RF64") and magic[8:] == b"WAVE":
            return _cut_chunks(stream, size, "<", b"data")
        if magic[:4] == b"FORM" and magic[8:] in (b"AIFF", b"AIFC"):
            return _cut_chunks(stream, size, ">", b"SSND")
        if magic[:4] == b"OggS":
            return _cut_ogg(stream, size)
    return ""


def _cut_chunks(stream: BinaryIO, size: int, order: str, wanted: bytes) -> str:
    """Walk the chunks of a RIFF or AIFF file to its samples and compare their stated end with the file's."""
    long_size = 0
    while len(head := stream.read(8)) == 8:
        name, length = head[:4], struct.unpack(order + "I", head[4:])[0]
        if name == b"ds64":
            body = stream.read(16)
            long_size = struct.unpack("<Q", body[8:])[0] if len(body) == 16 else 0
            stream.seek(length - len(body) + length % 2, os.SEEK_CUR)
            continue
        if name == wanted:
            if length == 0xFFFFFFFF and long_size:
                length = long_size
            elif length == 0 or any(length in sizes for sizes in _OPEN_ENDED):
                return ""
            end = stream.tell() + length
            if end > size:
                return f"cut off: {end - size} of {length} bytes of samples are missing"
            return _beyond(stream, size, end + length % 2, order, length)
        stream.seek(length + length % 2, os.SEEK_CUR)
    return ""


def _beyond(stream: BinaryIO, size: int, at: int, order: str, length: int) -> str:
    """Return whether sound follows the end stated in the header.

    Recorders that lose power leave an old count behind, and a count beyond 4 GiB starts again at 0. Chunks, padding and
    tags may follow the samples.
    """
    while size - at >= 8:
        stream.seek(at)
        head = stream.read(8)
        after = at + 8 + struct.unpack(order + "I", head[4:])[0]
        if after > size or not all(32 <= byte < 127 for byte in head[:4]):
            break
        at = after + after % 2
    stream.seek(min(at, size))
    extra = size - at
    if extra > max(_TAG_MAX, length // 100) and any(stream.read(_TAG_MAX)):
        return f"the header states {length} bytes of samples, but {extra} more follow"
    return ""


def _cut_ogg(stream: BinaryIO, size: int) -> str:
    """Return why an Ogg file is truncated: the last page of a complete file has the end-of-stream flag."""
    pages = _last_ogg_pages(stream, size)
    if pages and pages[-1].flags & _OGG_LAST_PAGE and pages[-1].end <= size:
        return ""
    return "cut off: the last Ogg page is missing"


def mp3_states_length(path: Path) -> bool:
    """Return whether the first frame of an MP3 file is a LAME, Xing or VBRI header, which counts the frames."""
    with open(path, "rb") as stream:
        head = stream.read(10)
        if head[:3] == b"ID3" and len(head) == 10:
            stream.seek(10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)))
        else:
            stream.seek(0)
        frame = stream.read(_MP3_FRAME_MAX)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def last_ogg_page_start(path: Path) -> int:
    """Return the sample at which the last page of an Ogg Vorbis file begins (its predecessor's granule position)."""
    with open(path, "rb") as stream:
        pages = _last_ogg_pages(stream, os.path.getsize(path))
    granules = [page.granule for page in pages[:-1] if page.granule >= 0]
    return granules[-1] if granules else 0


class _OggPage(NamedTuple):
    flags: int
    granule: int
    end: int


def _last_ogg_pages(stream: BinaryIO, size: int) -> list[_OggPage]:
    """Return the pages in the last part of a file, which holds at least two whole ones if the file does; ends in
    bytes.
    """
    first = max(0, size - 3 * _OGG_PAGE_MAX)
    stream.seek(first)
    tail = stream.read()
    pages: list[_OggPage] = []
    at = tail.find(b"OggS\0")
    while at >= 0 and at + _OGG_HEAD <= len(tail):
        flags, granule, segments = struct.unpack_from("<xxxxxBq12xB", tail, at)
        lengths = tail[at + _OGG_HEAD : at + _OGG_HEAD + segments]
        # A truncated table of segments also ends beyond the file.
        page = _OggPage(flags, granule, first + at + _OGG_HEAD + segments + sum(lengths))
        pages.append(page)
        at = tail.find(b"OggS\0", max(page.end - first, at + 1))
    return pages
