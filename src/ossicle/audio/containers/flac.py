"""FLAC: how many samples the frames hold, whatever STREAMINFO says, and where another stream begins.

A frame's header gives its place in the recording and has a checksum, so the last one in a file tells its length.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream

_MAGIC = b"fLaC"
# The magic, and the head of the first metadata block: STREAMINFO of 34 bytes, the last block or not.
_STARTS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
_INFO_AT = 8
_INFO_BYTES = 34
_COUNT_AT = _INFO_AT + 13
_COUNT_BITS = 36
_HEADER_MAX = 16
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_WINDOW = 1 << 16
# Without a thorough search the last frame is looked for in this much of the end of a file.
_TAIL = 1 << 20
_SCAN = 1 << 20
# A search of a file up to this size takes a few milliseconds.
_SEARCHED_WHOLE = 1 << 23
_SPACING = 0.8
_BLOCK_SIZES = (0, 192, 576, 1152, 2304, 4608, -1, -2, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
_SAMPLE_BITS = (0, 8, 12, -1, 16, 20, 24, 32)
_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)


@dataclass(frozen=True, slots=True)
class _Info:
    """STREAMINFO: samples in all but the last block, rate, channels, bits, and samples in all (0: unknown)."""

    block_samples: int
    rate: int
    channels: int
    bits: int
    n_samples: int


def read_flac(file: BinaryIO, start: int, size: int, *, thorough: bool) -> Part | None:
    """Return the recording of a FLAC stream that begins at byte ``start``.

    Two streams of equal length, one after the other, are seen only by a ``thorough`` search, which reads the whole
    file. None if there is no STREAMINFO.
    """
    info = _stream_info(file, start)
    if info is None:
        return None
    last = _last_frame_end(file, start, size, info, size if thorough else _TAIL)
    following: int | None = None
    if thorough or not info.n_samples or last != info.n_samples or _begins_anew(file, start, size, info):
        following = _next_stream(file, start + len(_MAGIC), size)
        if following is not None:
            last = _last_frame_end(file, start, following, info, following)
        elif last is None:
            last = _last_frame_end(file, start, size, info, size)
    stop = size if following is None else following
    patches: tuple[tuple[int, bytes], ...] = ()
    if last is not None and last > info.n_samples:
        patches = ((start + _COUNT_AT, _with_count(file, start, last)),)
    return Part(Stream(spans=((start, stop),), patches=patches), next_byte=following)


def _stream_info(file: BinaryIO, start: int) -> _Info | None:
    file.seek(start)
    head = file.read(_INFO_AT + _INFO_BYTES)
    if len(head) < _INFO_AT + _INFO_BYTES or not head.startswith(_STARTS):
        return None
    bits = int.from_bytes(head[_INFO_AT + 10 : _INFO_AT + 18], "big")
    return _Info(
        block_samples=int.from_bytes(head[_INFO_AT : _INFO_AT + 2], "big"),
        rate=bits >> 44,
        channels=(bits >> 41 & 7) + 1,
        bits=(bits >> 36 & 31) + 1,
        n_samples=bits & ((1 << _COUNT_BITS) - 1),
    )


def _with_count(file: BinaryIO, start: int, n_samples: int) -> bytes:
    """Return the five bytes of STREAMINFO that end with the number of samples, with another number."""
    file.seek(start + _COUNT_AT)
    old = int.from_bytes(file.read(5), "big")
    return (old >> _COUNT_BITS << _COUNT_BITS | n_samples).to_bytes(5, "big")


def _next_stream(file: BinaryIO, offset: int, size: int) -> int | None:
    """Return the byte at which the next FLAC stream begins, if one does."""
    n_kept = len(_STARTS[0]) - 1
    tail = b""
    while offset < size:
        file.seek(offset)
        block = tail + file.read(min(_SCAN, size - offset))
        if len(block) == len(tail):
            return None
        places = [position for start in _STARTS if (position := block.find(start)) >= 0]
        if places:
            return offset - len(tail) + min(places)
        offset += len(block) - len(tail)
        tail = block[-n_kept:]
    return None


def _begins_anew(file: BinaryIO, start: int, size: int, info: _Info) -> bool:
    """Return whether frames here and there in a file show that it holds another stream of the same length.

    The places lie close together towards both ends, so that a stream of few bytes at either end has some in it.
    """
    length = size - start
    if length <= _SEARCHED_WHOLE:
        return True
    if _next_stream(file, start + len(_MAGIC), start + _TAIL) or _next_stream(file, size - _TAIL, size):
        return True
    gaps = [length * _SPACING**power for power in range(1, 200) if length * _SPACING**power > _WINDOW]
    places = sorted({start + round(gap) for gap in gaps} | {size - round(gap) for gap in gaps})
    before = 0
    for offset in places:
        file.seek(offset)
        window = file.read(_WINDOW)
        frame_stop = _first_frame_end(window, info)
        if frame_stop is not None and frame_stop < before:
            return True
        before = before if frame_stop is None else frame_stop
    return False


def _first_frame_end(window: bytes, info: _Info) -> int | None:
    for match in _SYNC.finditer(window):
        offset = match.start()
        end = frame_end(window[offset : offset + _HEADER_MAX], info.block_samples, info.rate, info.channels, info.bits)
        if end is not None:
            return end
    return None


def _last_frame_end(file: BinaryIO, start: int, stop: int, info: _Info, most: int) -> int | None:
    """Return the sample after the last frame that begins in the last ``most`` bytes before ``stop``."""
    first = max(start + _INFO_AT + _INFO_BYTES, stop - most)
    high = stop
    while high > first:
        low = max(first, high - _WINDOW)
        file.seek(low)
        window = file.read(min(high + _HEADER_MAX, stop) - low)
        offset = len(window)
        while (offset := max(window.rfind(b"\xff\xf8", 0, offset), window.rfind(b"\xff\xf9", 0, offset))) >= 0:
            end = frame_end(
                window[offset : offset + _HEADER_MAX], info.block_samples, info.rate, info.channels, info.bits
            )
            if end is not None:
                return end
            offset += 1
        high = low
    return None


def frame_end(header: bytes, block_samples: int, rate: int, channels: int, bits: int) -> int | None:
    """Return the sample after a frame, given the 16 bytes at its start; None if they are no frame of this stream.

    Parameters
    ----------
    header
        The first bytes of the frame.
    block_samples, rate, channels, bits
        What STREAMINFO says.
    """
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xFE != 0xF8 or header[3] & 1:
        return None
    size_code, rate_code = header[2] >> 4, header[2] & 15
    layout, bits_code = header[3] >> 4, header[3] >> 1 & 7
    if not size_code or rate_code == 15 or layout > 10:
        return None
    if (layout + 1 if layout < 8 else 2) != channels or _SAMPLE_BITS[bits_code] not in (0, bits):
        return None
    if 0 < rate_code < len(_RATES) and _RATES[rate_code] != rate:
        return None
    number, offset = _coded_number(header)
    if offset == 0:
        return None
    samples = _BLOCK_SIZES[size_code]
    if samples < 0:
        samples, offset = int.from_bytes(header[offset : offset - samples], "big") + 1, offset - samples
    offset += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if offset >= len(header) or _crc8(header[:offset]) != header[offset]:
        return None
    return (number if header[1] & 1 else number * block_samples) + samples


def _coded_number(header: bytes) -> tuple[int, int]:
    """Return the number of a frame or sample, coded like UTF-8 from the fifth byte on, and the byte after it."""
    first = header[4]
    if first < 0x80:
        return first, 5
    extra = 0
    while extra < 7 and first << extra & 0x40:
        extra += 1
    rest = header[5 : 5 + extra]
    if not 1 <= extra <= 6 or len(rest) < extra or any(byte & 0xC0 != 0x80 for byte in rest):
        return 0, 0
    number = first & ((1 << (6 - extra)) - 1) if extra < 6 else 0
    for byte in rest:
        number = number << 6 | byte & 0x3F
    return number, 5 + extra


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc
