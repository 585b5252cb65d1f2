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
    at, first, block = start, start, b""
    while at < size:
        if at - first + _PAGE_MAX > len(block) and first + len(block) < size:
            file.seek(at)
            first, block = at, file.read(_BLOCK + _PAGE_MAX)
        place = block.find(_CAPTURE, at - first)
        if place < 0:
            at = max(at + 1, first + len(block) - len(_CAPTURE) + 1)
            if first + len(block) >= size:
                return
            continue
        if place + _PAGE_MAX > len(block) and first + len(block) < size:
            at = first + place
            file.seek(at)
            first, block, place = at, file.read(_BLOCK + _PAGE_MAX), 0
        if place + _HEAD > len(block):
            return
        flags, granule, serial, n_segments = struct.unpack_from("<xxxxxBqI8xB", block, place)
        table = block[place + _HEAD : place + _HEAD + n_segments]
        body = place + _HEAD + n_segments
        at = first + body + sum(table)
        if len(table) < n_segments:
            # A table that is cut off ends beyond the file.
            at = size + 1
        yield OggPage(flags, granule, serial, first + place, at, block[body : body + 16])
