"""Ogg: its pages, where a chained stream begins, whether the last page is there, and whether all others are.

libogg leaves out a page whose checksum is wrong, and goes on with the next as if it followed: all later sound comes too
early. FFmpeg reads the place of each page (its granule), so a stream that lacks one is given to FFmpeg.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream

_HEAD = 27
_CAPTURE = b"OggS\0"
_FIRST_PAGE, _LAST_PAGE = 0x02, 0x04
_PAGE_MAX = 65307
_BLOCK = 1 << 20
_CHECKSUM_AT = 22
# Each byte with its bits in reverse order.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_OPUS, _OPUS_RATE_AT = b"OpusHead", 12
# How the first packet of a stream of sound begins.
_SOUND = (b"\x01vorbis", _OPUS, b"\x7fFLAC", b"Speex   ")


class OggPage(NamedTuple):
    """A page: its flags, the samples up to its end (-1: none ends in it), its stream and its number there.

    ``start`` and ``end`` are its bytes [start, end), ``body`` the first bytes of its content, and ``whole`` tells
    whether its checksum is right.
    """

    flags: int
    granule: int
    serial: int
    number: int
    start: int
    end: int
    body: bytes
    whole: bool


def read_ogg(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of the Ogg streams that begin at byte ``start``, up to where others begin.

    None if there is no stream of sound.
    """
    sounds: list[int] = []
    granules: list[int] = []
    after_heads = closed = open_ended = unknown_rate = False
    numbers = _PageNumbers()
    lost_at: int | None = None
    end, following = start, None
    for page in pages(file, start, size):
        if not page.whole and page.end <= size:
            lost_at = page.start if lost_at is None else lost_at
            continue
        if page.flags & _FIRST_PAGE:
            if after_heads:
                following = page.start
                break
            if page.body.startswith(_SOUND):
                sounds.append(page.serial)
                # libsndfile would read Opus of an unknown rate at 8 kHz.
                unknown_rate |= page.body.startswith(_OPUS) and not any(page.body[_OPUS_RATE_AT:])
        else:
            after_heads = True
        if page.end > size:
            closed, end = False, size
            break
        if not numbers.follows(page) and lost_at is None and granules:
            lost_at = page.start
        if sounds and page.serial == sounds[0]:
            closed = bool(page.flags & _LAST_PAGE)
            # libsndfile ends where the last page that says so ends; FFmpeg reads all packets.
            open_ended = closed and page.granule < 0
            granules = [*granules[-1:], page.granule] if page.granule >= 0 else granules
        end = page.end
    if not sounds:
        return None
    fault = "" if closed else "cut off: the last Ogg page is missing"
    if not fault and len(sounds) > 1:
        fault = f"it holds {len(sounds)} streams of sound at the same time, and only the first is read"
    # libsndfile 1.2 counts the last page's samples from its end, which Vorbis trims: seeks into it land late.
    late = granules[0] if len(granules) == 2 else 0
    stream = Stream(spans=((start, end),), seek_limit=late)
    if open_ended or unknown_rate:
        stream = Stream(spans=((start, end),), container="ogg")
    if lost_at is not None:
        stream = Stream(spans=((start, end),), container="ogg", begins_lost=True)
        fault = "; ".join(filter(None, (f"an Ogg page at byte {lost_at} or before it is damaged or missing", fault)))
    return Part(stream, fault, end if following is None and end < size else following)


class _PageNumbers:
    """The number of the last page of each stream."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def follows(self, page: OggPage) -> bool:
        """Note the number of a page, and return whether none before it is missing."""
        last = self._last.get(page.serial)
        self._last[page.serial] = page.number
        # Writers that do not count their pages miss none.
        return last is None or page.number <= last + 1


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
        flags, granule, serial, number, checksum, n_segments = struct.unpack_from("<xxxxxBqIIIB", block, position)
        table = block[position + _HEAD : position + _HEAD + n_segments]
        body = position + _HEAD + n_segments
        offset = first + body + sum(table)
        if len(table) < n_segments:
            # A table that is cut off ends beyond the file.
            offset = size + 1
        page = block[position : offset - first]
        whole = _checksum(page) == checksum
        yield OggPage(flags, granule, serial, number, first + position, offset, block[body : body + 16], whole)
        if not whole:
            # Its lengths may be wrong: the next page is searched from its beginning on.
            offset = first + position + len(_CAPTURE)


def _checksum(page: bytes) -> int:
    """Return the checksum of a page: CRC-32, but from the highest bit on and without the inversions of zlib's."""
    checked = page[:_CHECKSUM_AT] + bytes(4) + page[_CHECKSUM_AT + 4 :]
    reversed_crc = zlib.crc32(checked.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reversed_crc.to_bytes(4, "little").translate(_REVERSED), "big")
