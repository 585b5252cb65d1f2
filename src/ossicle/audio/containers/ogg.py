"""Ogg: its pages, where a chained stream begins, and whether the last page is there."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream

_HEAD = 27
_CAPTURE = b"OggS\0"
_FIRST_PAGE, _LAST_PAGE = 0x02, 0x04
_PAGE_MAX = 65307
_BLOCK = 1 << 20
# How the first packet of a stream of sound begins.
_SOUND = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")


class OggPage(NamedTuple):
    """A page: its flags, the samples up to its end (-1: none ends in it), its stream, and its bytes [start, end)."""

    flags: int
    granule: int
    serial: int
    start: int
    end: int
    body: bytes


def read_ogg(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of the Ogg streams that begin at byte ``start``, up to where others begin.

    None if there is no stream of sound.
    """
    sounds: list[int] = []
    granules: list[int] = []
    after_heads = closed = False
    end, following = start, None
    for page in pages(file, start, size):
        if page.flags & _FIRST_PAGE:
            if after_heads:
                following = page.start
                break
            if page.body.startswith(_SOUND):
                sounds.append(page.serial)
        else:
            after_heads = True
        if page.end > size:
            closed, end = False, size
            break
        if sounds and page.serial == sounds[0]:
            closed = bool(page.flags & _LAST_PAGE)
            granules = [*granules[-1:], page.granule] if page.granule >= 0 else granules
        end = page.end
    if not sounds:
        return None
    fault = "" if closed else "cut off: the last Ogg page is missing"
    if not fault and len(sounds) > 1:
        fault = f"it holds {len(sounds)} streams of sound at the same time, and only the first is read"
    # libsndfile 1.2 counts the last page's samples from its end, which Vorbis trims: seeks into it land late.
    late = granules[0] if len(granules) == 2 else 0
    return Part(
        Stream(spans=((start, end),), seek_limit=late), fault, end if following is None and end < size else following
    )


def pages(file: BinaryIO, start: int, size: int) -> Iterator[OggPage]:
    """Yield the pages from byte ``start`` on; what is between them is skipped, and the last one may be cut off."""
    offset, first, block = start, start, b""
    while offset < size:
        if offset - first + _PAGE_MAX > len(block) and first + len(block) < size:
            file.seek(offset)
            first, block = offset, file.read(_BLOCK + _PAGE_MAX)
        position = block.find(_CAPTURE, offset - first)
        if position < 0:
            offset = max(offset + 1, first + len(block) - len(_CAPTURE) + 1)
            if first + len(block) >= size:
                return
            continue
        if position + _PAGE_MAX > len(block) and first + len(block) < size:
            offset = first + position
            file.seek(offset)
            first, block, position = offset, file.read(_BLOCK + _PAGE_MAX), 0
        if position + _HEAD > len(block):
            return
        flags, granule, serial, n_segments = struct.unpack_from("<xxxxxBqI8xB", block, position)
        table = block[position + _HEAD : position + _HEAD + n_segments]
        body = position + _HEAD + n_segments
        offset = first + body + sum(table)
        if len(table) < n_segments:
            # A table that is cut off ends beyond the file.
            offset = size + 1
        yield OggPage(flags, granule, serial, first + position, offset, block[body : body + 16])
