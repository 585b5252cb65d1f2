"""MPEG audio (MP3, MP2): its frames, what a Xing, LAME or VBRI header counts, and where another recording begins.

The header of a joined or changed file counts wrongly, and decoders stop where it says. Where its count of bytes does
not fit the file, all frames are counted.
"""

import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import BinaryIO

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream
from ossicle.audio.containers.tags import before_trailing_tags, trailing_tag_bytes

_BLOCK = 1 << 20
_FRAME_MAX = 2881
_MARKS = (b"Xing", b"Info", b"VBRI")
_VBRI_AT = 36
_HEADER_BYTES = 18
_HAS_FRAMES, _HAS_BYTES = 1, 2
# A stream that was cut at any byte, as by a recorder that keeps the last hour, begins within its first frame. So many
# frames must lie end to end to show where, among so many bytes.
_SURE_FRAMES, _SEARCHED = 4, 1 << 16
# A frame in this many is kept as a place where decoding may start.
_ENTRY_FRAMES = 256

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KILOBITS = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """The head of a frame: its bytes, samples per channel, rate, and the bytes of side information of Layer III.

    ``kind`` is what stays the same within a stream (version, layer and rate), ``most_bytes`` the largest frame of it,
    ``bytes_per_second`` the bit rate: frames of one bit rate differ by a unit so that their mean is exact.
    """

    n_bytes: int
    n_samples: int
    rate: int
    side_bytes: int
    kind: int
    most_bytes: int
    bytes_per_second: int


def frame_at(head: bytes) -> Frame | None:
    """Return the frame that begins with these four bytes; None if none does.

    >>> frame_at(bytes([0xFF, 0xFB, 0x90, 0x00]))
    Frame(n_bytes=417, n_samples=1152, rate=44100, side_bytes=32, kind=64000, most_bytes=1045, bytes_per_second=16000)
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate_code, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate_code == 3:
        return None
    rate = _RATES[version][rate_code]
    kilobits = _KILOBITS[(3 if version == 3 else 2, layer if version == 3 or layer == 3 else 2)]
    n_samples = 384 if layer == 3 else 1152 if layer == 2 or version == 3 else 576
    unit = 4 if layer == 3 else 1
    bytes_per_second = 125 * kilobits[bitrate]
    n_bytes = (n_samples * bytes_per_second // rate // unit + padding) * unit
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    most_bytes = n_samples // 8 * kilobits[-1] * 1000 // rate + unit
    kind = (head[1] & 0xFE) << 8 | head[2] & 0x0C
    return Frame(n_bytes, n_samples, rate, side, kind, most_bytes, bytes_per_second)


@dataclass(frozen=True, slots=True)
class _Counts:
    """What a header in the first frame counts, and where in the file: frames at ``offset``, then bytes; 0: not stated.

    ``offset`` is 0 for a VBRI header, which decoders do not read.
    """

    offset: int
    n_frames: int
    n_bytes: int

    def believable(self, stream_bytes: int, first: Frame) -> bool:
        """Return whether the counts fit a stream of so many bytes, counted with the frame of the header or without."""
        fits = self.n_bytes in (stream_bytes, stream_bytes - first.n_bytes)
        return fits and self.offset > 0 and 24 * self.n_frames <= self.n_bytes <= first.most_bytes * (self.n_frames + 1)


@dataclass(slots=True)
class _Walk:
    """The frames of one stream that lie end to end: their number and end, and places to start decoding at."""

    n_frames: int
    stop: int
    entries: list[tuple[int, int]]


def read_mpeg(file: BinaryIO, start: int, size: int, *, thorough: bool) -> Part | None:
    """Return the recording whose first MPEG frame begins at byte ``start``; None if none does.

    A header that counts the bytes of the file is believed unless the search is ``thorough``.
    """
    file.seek(start)
    window = file.read(_FRAME_MAX + 4)
    first = frame_at(window)
    if first is None or (start + first.n_bytes < size and not _continues(window, first)):
        return None
    end = before_trailing_tags(file, start, size)
    counts = _counts(window, first, start)
    if not thorough and counts is not None and counts.believable(end - start, first):
        return Part(Stream(spans=((start, size),), skips_tags=True))
    if counts is None or not counts.offset:
        return _without_counts(file, start if counts is None else start + first.n_bytes, end, first, counts)
    walked = _walk(file, start, end, first)
    fault, following = _after_frames(file, walked.stop, end)
    n_frames = walked.n_frames - 1
    if n_frames == counts.n_frames and following is None:
        fault = ""
    patches: tuple[tuple[int, bytes], ...] = ()
    if n_frames > counts.n_frames > 0:
        patches = ((counts.offset, struct.pack(">I", n_frames)),)
        if counts.n_bytes:
            patches = ((counts.offset, struct.pack(">II", n_frames, walked.stop - start)),)
    return Part(Stream(spans=((start, walked.stop),), patches=patches), fault, following)


def resume_mpeg(file: BinaryIO, start: int, size: int, *, thorough: bool) -> Part | None:
    """Find the recording of a file that begins within a frame or with other bytes.

    Decoders look for a first frame themselves, and then take chance bytes for it: they read a part of the sound, and
    report no error.

    Parameters
    ----------
    file
        The file.
    start, size
        Where the search begins and where the file ends, in bytes.
    thorough
        As in :func:`read_mpeg`.

    Returns
    -------
    Part or None
        The recording from its first whole frame; None if no frames follow soon.
    """
    file.seek(start)
    window = file.read(_SEARCHED)
    offset = 0
    while (step := _next_frame(window[offset:])) is not None:
        offset += step
        first = frame_at(window[offset : offset + 4])
        if first is not None and _frames_from(window, offset, first) >= _SURE_FRAMES:
            part = read_mpeg(file, start + offset, size, thorough=thorough)
            if part is None:
                return None
            before = window[:offset]
            fault = f"the first {offset} bytes are neither sound nor a tag"
            fault = part.fault or (fault if offset > _FRAME_MAX and any(before) else "")
            # The decoder must not see the bytes before.
            return replace(part, stream=replace(part.stream, skips_tags=False), fault=fault)
        offset += 1
    return None


def _frames_from(window: bytes, offset: int, first: Frame) -> int:
    """Return how many frames of one kind lie end to end in ``window``, at most ``_SURE_FRAMES``."""
    n_frames = 0
    while n_frames < _SURE_FRAMES:
        frame = frame_at(window[offset : offset + 4])
        if frame is None or frame.kind != first.kind:
            break
        n_frames += 1
        offset += frame.n_bytes
    return n_frames


def _without_counts(file: BinaryIO, start: int, end: int, first: Frame, counts: "_Counts | None") -> Part:
    """Return a stream whose frames are all counted; decoders only guess its length."""
    walked = _walk(file, start, end, first)
    fault, following = _after_frames(file, walked.stop, end)
    if not fault and counts is not None and counts.n_frames > walked.n_frames:
        fault = f"the header states {counts.n_frames} frames, but there are {walked.n_frames}"
    stream = Stream(
        spans=((start, walked.stop),),
        n_samples=walked.n_frames * first.n_samples,
        entries=tuple(walked.entries),
        container="mp3",
    )
    return Part(stream, fault, following)


def _continues(window: bytes, first: Frame) -> bool:
    """Return whether a second frame of the same kind follows, without which four bytes prove nothing."""
    second = frame_at(window[first.n_bytes : first.n_bytes + 4])
    return second is not None and second.kind == first.kind


def _counts(window: bytes, first: Frame, start: int) -> _Counts | None:
    """Return what the header in the first frame counts; None if the first frame is sound."""
    mark = _mark_at(window, first)
    if not mark:
        return None
    # A file that is cut off within the header counts nothing.
    window = window.ljust(mark + _HEADER_BYTES, b"\0")
    if window[mark : mark + 4] == b"VBRI":
        n_bytes, n_frames = struct.unpack_from(">II", window, mark + 10)
        return _Counts(0, n_frames, n_bytes)
    flags = struct.unpack_from(">I", window, mark + 4)[0]
    count_position = mark + 8
    n_frames = struct.unpack_from(">I", window, count_position)[0] if flags & _HAS_FRAMES else 0
    after = count_position + (4 if flags & _HAS_FRAMES else 0)
    n_bytes = struct.unpack_from(">I", window, after)[0] if flags & _HAS_BYTES else 0
    return _Counts(start + count_position, n_frames, n_bytes)


def _mark_at(window: bytes, frame: Frame) -> int:
    """Return where in a frame a Xing, Info or VBRI header begins; 0 if the frame is sound."""
    for mark in (4 + frame.side_bytes, _VBRI_AT):
        if window[mark : mark + 4] in _MARKS:
            return mark
    return 0


def _walk(file: BinaryIO, start: int, end: int, first: Frame) -> _Walk:
    """Walk the frames from ``start`` on; stop before one that is cut off, is of another kind or has a header."""
    walk = _Walk(0, start, [])
    known: dict[bytes, Frame | None] = {}
    offset, block, block_start = start, b"", start
    while offset + 4 <= end:
        position = offset - block_start
        if position + _FRAME_MAX > len(block) and block_start + len(block) < end:
            file.seek(offset)
            block_start, position = offset, 0
            block = file.read(min(_BLOCK, end - offset))
        head = block[position : position + 4]
        if head not in known:
            known[head] = frame_at(head)
        frame = known[head]
        if frame is None or frame.kind != first.kind or offset + frame.n_bytes > end:
            break
        if walk.n_frames and _mark_at(block[position : position + 44], frame):
            break
        if walk.n_frames % _ENTRY_FRAMES == 0:
            walk.entries.append((walk.n_frames * first.n_samples, offset))
        walk.n_frames += 1
        offset += frame.n_bytes
        walk.stop = offset
    return walk


def _after_frames(file: BinaryIO, offset: int, end: int) -> tuple[str, int | None]:
    """Return why the frames end at ``offset``, if it is a fault, and where the next recording begins."""
    junk = zeros = 0
    while offset < end:
        file.seek(offset)
        window = file.read(_BLOCK)
        if tag := trailing_tag_bytes(window[:32]):
            offset += tag
            continue
        frame = frame_at(window)
        if frame is not None and offset + frame.n_bytes > end:
            return f"cut off: the last frame lacks {offset + frame.n_bytes - end} of its {frame.n_bytes} bytes", None
        step = _next_frame(window)
        if step == 0:
            fault = f"{junk} bytes before byte {offset} are neither sound nor a tag" if junk else ""
            if not fault and frame is not None and _are_frames(zeros, frame) and not _mark_at(window, frame):
                fault = f"{zeros} bytes before byte {offset} are zeros: sound is lost there"
            return fault, offset
        skipped = step if step is not None else max(1, len(window) - _FRAME_MAX)
        if any(window[:skipped]):
            junk += skipped
        else:
            zeros += skipped
        offset += skipped
        if offset + 4 > end:
            break
    return (f"the last {junk} bytes are neither sound nor a tag", None) if junk > _FRAME_MAX else ("", None)


def _are_frames(n_bytes: int, frame: Frame) -> bool:
    """Return whether so many bytes are a number of whole frames of this bit rate. Padding is hardly ever so long."""
    per_frame = Fraction(frame.n_samples * frame.bytes_per_second, frame.rate)
    n_frames = round(n_bytes / per_frame)
    # Where the mean length is no whole number, single frames are longer: by a byte, in Layer I by four.
    slack = 0 if per_frame.denominator == 1 else 4 if frame.n_samples == 384 else 1
    return n_frames > 0 and abs(n_bytes - n_frames * per_frame) <= slack


def _next_frame(window: bytes) -> int | None:
    """Return where in ``window`` a frame begins that another one follows."""
    offset = window.find(b"\xff")
    while offset >= 0:
        frame = frame_at(window[offset : offset + 4])
        if frame is not None and offset + frame.n_bytes + 4 <= len(window) and _continues(window[offset:], frame):
            return offset
        offset = window.find(b"\xff", offset + 1)
    return None
