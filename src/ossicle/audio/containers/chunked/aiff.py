"""AIFF and AIFF-C."""

import struct
from typing import BinaryIO

from ossicle.audio.containers.chunked.chunks import BIG_ENDIAN_CHUNKS, Chunk, content, extent, is_open, walk
from ossicle.audio.containers.part import Part, pcm_part
from ossicle.audio.containers.streams import Encoding, Pcm, Stream

_SOUND_HEAD = 8
_INTEGERS: dict[int, Encoding] = {1: "PCM_S8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}
_COMPRESSIONS: dict[bytes, Encoding] = {
    b"fl32": "FLOAT", b"FL32": "FLOAT", b"fl64": "DOUBLE", b"FL64": "DOUBLE",
    b"ulaw": "ULAW", b"ULAW": "ULAW", b"alaw": "ALAW", b"ALAW": "ALAW",
}  # fmt: skip


def read_aiff(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of an AIFF file that begins at byte ``start``; None if it has no format or no samples."""
    common, samples = b"", None
    for chunk in walk(file, start + 12, size, BIG_ENDIAN_CHUNKS):
        if chunk.name == b"COMM":
            common = content(file, chunk, 22)
        elif chunk.name == b"SSND" and samples is None:
            samples = chunk
        if common and samples is not None:
            break
    if len(common) < 18 or samples is None:
        return None
    file.seek(samples.start)
    head = file.read(_SOUND_HEAD)
    if len(head) < _SOUND_HEAD:
        return None
    skipped = _SOUND_HEAD + struct.unpack(">I", head[:4])[0]
    counted, pcm = _described(common)
    # The size counts eight bytes of its own: one that is not filled in may be 0 or 8.
    empty = samples.length <= skipped
    stated = 0 if empty or is_open(samples.length) else samples.length - skipped
    sound = Chunk(b"SSND", samples.start + skipped, stated)
    samples_extent = extent(file, sound, size, BIG_ENDIAN_CHUNKS, pcm.frame_bytes if pcm else 1, stated=stated)
    if pcm is not None:
        return pcm_part(pcm, sound.start, samples_extent, counted)
    end = size if samples_extent.next_byte is None else samples_extent.next_byte
    return Part(Stream(spans=((start, end),)), samples_extent.fault, samples_extent.next_byte)


def _described(common: bytes) -> tuple[int, Pcm | None]:
    """Return the number of samples that a COMM chunk states, and their form; None for other codecs."""
    channels, counted, bits = struct.unpack(">hIh", common[:8])
    rate = round(_extended(common[8:18]))
    compression = common[18:22] or b"NONE"
    encoding = _INTEGERS.get(-(-bits // 8)) if compression in (b"NONE", b"sowt", b"twos") else None
    encoding = encoding or _COMPRESSIONS.get(compression)
    if encoding is None or channels < 1 or rate < 1:
        return counted, None
    return counted, Pcm("AIFF", encoding, "LITTLE" if compression == b"sowt" else "BIG", rate, channels)


def _extended(number: bytes) -> float:
    """Return an IEEE 754 number of 80 bits.

    >>> _extended(bytes([0x40, 0x0E, 0xBB, 0x80, 0, 0, 0, 0, 0, 0]))
    48000.0
    """
    exponent, mantissa = struct.unpack(">HQ", number)
    sign = -1 if exponent & 0x8000 else 1
    power = (exponent & 0x7FFF) - 16383 - 63
    return float(sign * mantissa * 2.0**power) if -200 < power < 200 else 0.0
