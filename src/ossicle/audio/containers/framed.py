"""Formats that are a row of frames, each of which states its length: AAC in ADTS, AC-3, AMR, WavPack; and TTA.

Decoders stop at, or fail on, what is not a frame; so the frames are walked here to where they end.
"""

import math
import struct
from collections.abc import Callable
from typing import BinaryIO

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream
from ossicle.audio.containers.tags import before_trailing_tags

AMR_MAGIC = (b"#!AMR\n", b"#!AMR-WB\n")
_BLOCK = 1 << 20
_HEAD = 32
_AMR_BYTES = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)
_AMR_WB_BYTES = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1)
_AC3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_WAVPACK_MAX = 1 << 20
_TTA_HEAD = 22
_TTA_FRAME = (256, 245)

# Returns the length of the frame that begins with these bytes; 0 if none does.
_Length = Callable[[bytes], int]


def read_adts(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of a raw AAC file; None if no two frames are at its start."""
    return _framed(file, start, start, size, _adts_bytes, least=2)


def _adts_bytes(head: bytes) -> int:
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def read_ac3(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of an AC-3 or E-AC-3 file; None if no two frames are at its start."""
    return _framed(file, start, start, size, _ac3_bytes, least=2)


def _ac3_bytes(head: bytes) -> int:
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return 0
    if head[5] >> 3 > 10:
        return 2 * (1 + ((head[2] & 7) << 8 | head[3]))
    rate_code, size_code = head[4] >> 6, head[4] & 63
    if rate_code == 3 or size_code >= 2 * len(_AC3_KILOBITS):
        return 0
    kilobits = _AC3_KILOBITS[size_code // 2]
    return 2 * (2 * kilobits, 320 * kilobits // 147 + size_code % 2, 3 * kilobits)[rate_code]


def read_amr(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of an AMR file; None if it holds no frame."""
    file.seek(start)
    wide = file.read(16).startswith(AMR_MAGIC[1])
    lengths = _AMR_WB_BYTES if wide else _AMR_BYTES

    def frame_bytes(head: bytes) -> int:
        # The bits around the kind of the frame are 0, but for the one that calls it good.
        is_frame = bool(head) and head[0] & 0x87 == 4 and not head.startswith(AMR_MAGIC)
        return lengths[head[0] >> 3 & 15] if is_frame else 0

    return _framed(file, start, start + len(AMR_MAGIC[wide]), size, frame_bytes)


def read_wavpack(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of a WavPack file; None if it holds no block."""
    begun = False

    def block_bytes(head: bytes) -> int:
        nonlocal begun
        length = 8 + int.from_bytes(head[4:8], "little")
        if head[:4] != b"wvpk" or not 32 <= length <= _WAVPACK_MAX:
            return 0
        # A block with samples that begins at 0, behind others, belongs to another recording.
        first = head[16:20] == bytes(4) and head[20:24] != bytes(4) and head[25] & 8
        if first and begun:
            return 0
        begun = True
        return length

    return _framed(file, start, start, size, block_bytes)


def _framed(file: BinaryIO, start: int, offset: int, size: int, length_of: _Length, least: int = 1) -> Part | None:
    """Walk the frames from byte ``offset`` on; a single one followed by something else is none if ``least`` is 2."""
    end = before_trailing_tags(file, start, size)
    block, first, n_frames = b"", offset, 0
    while offset < end:
        position = offset - first
        if position + _HEAD > len(block) and first + len(block) < end:
            file.seek(offset)
            first, position, block = offset, 0, file.read(min(_BLOCK, end - offset))
        length = length_of(block[position : position + _HEAD])
        if not length:
            break
        n_frames += 1
        offset += length
    if n_frames == 0 or (n_frames < least and offset < end):
        return None
    if offset > end:
        missing = f"cut off: the last frame lacks {offset - end} of its bytes"
        return Part(Stream(spans=((start, size),)), missing)
    return Part(Stream(spans=((start, offset),)), next_byte=offset if offset < size else None)


def read_tta(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of a TTA file; None if its head is cut off."""
    file.seek(start)
    head = file.read(_TTA_HEAD)
    if len(head) < _TTA_HEAD:
        return None
    rate, n_samples = struct.unpack_from("<II", head, 10)
    frame_samples = rate * _TTA_FRAME[0] // _TTA_FRAME[1]
    n_frames = math.ceil(n_samples / frame_samples) if frame_samples else 0
    table = file.read(4 * n_frames) if 4 * n_frames <= size else b""
    # The head and the table of the frames each have a checksum; that of the head is within it.
    stop = start + _TTA_HEAD + 4 * n_frames + 4 + sum(length for (length,) in struct.iter_unpack("<I", table))
    if stop > size or len(table) < 4 * n_frames:
        return Part(Stream(spans=((start, size),)), f"cut off: {stop - size} bytes of its frames are missing")
    return Part(Stream(spans=((start, stop),)), next_byte=stop if stop < size else None)
