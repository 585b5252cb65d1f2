"""Does a file end before its header or last page says so?

libsndfile shortens WAV, AIFF and Ogg files that were cut off without a word; a tape that stopped half way must be
listed as partial, so the promise is read here. FLAC, MP3 and MP4 need nothing: their header's count stays as it was.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

# Writers to a pipe leave sizes of 0 or close to 2**32 behind: no promise.
_OPEN_ENDED_FROM = 0xFFFFF000
_OGG_PAGE_MAX = 65307
_OGG_LAST_PAGE = 0x04


def cut_off(path: Path) -> str:
    """Why the file is known to be cut off, or "" where nothing says that it is."""
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
    """Walk the chunks of a RIFF or AIFF file to its samples and compare their promised end with the file's."""
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
            elif length >= _OPEN_ENDED_FROM:
                return ""
            missing = stream.tell() + length - size
            return f"cut off: {missing} of {length} bytes of samples are missing" if missing > 0 else ""
        stream.seek(length + length % 2, os.SEEK_CUR)
    return ""


def _cut_ogg(stream: BinaryIO, size: int) -> str:
    """The last page of a whole Ogg file has the end-of-stream flag."""
    stream.seek(max(0, size - 2 * _OGG_PAGE_MAX))
    tail = stream.read()
    page = tail.rfind(b"OggS")
    flags = tail[page + 5] if 0 <= page < len(tail) - 5 else _OGG_LAST_PAGE if page < 0 else 0
    return "" if flags & _OGG_LAST_PAGE else "cut off: the last Ogg page is missing"
