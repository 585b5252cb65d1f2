"""MP4, M4A and MOV: boxes that are cut off, a second file behind the first, and edit lists that hide sound.

An edit list says which part of the media is played. Encoders use one to leave out their delay and padding; other
programs use it to trim a recording without removing anything from the file.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream
from ossicle.audio.containers.tags import before_trailing_tags

_KINDS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"sidx", b"moof")
_BESIDE = (b"free", b"skip", b"wide", b"uuid", b"meta", b"udta", b"mfra", b"sidx", b"styp", b"emsg", b"pdin")
_MOVIE_MAX = 64 << 20
_TABLE_MAX = _BLOCK = 1 << 20
# No file of sound has more boxes side by side; a damaged one could hold millions of empty ones.
_MOST_BOXES = 100_000
# More than any encoder's delay, or the padding of its last frames, at 48 kHz.
_HIDDEN_MAX_S = 0.25


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its kind, and the bytes [start, stop) of its content, which may lie beyond the end of the file."""

    kind: bytes
    offset: int
    start: int
    stop: int


def is_mp4(head: bytes) -> bool:
    """Return whether a file that begins with these bytes consists of boxes."""
    return len(head) >= 8 and head[4:8] in _KINDS


def read_mp4(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of the movie that begins at byte ``start``; None if the file has no movie box."""
    fault, following = "", None
    movie: Box | None = None
    stop = start
    end = before_trailing_tags(file, start, size)
    for box in boxes(file, start, end):
        if movie is not None and (box.kind == b"moov" or (box.kind == b"ftyp" and box.offset > movie.offset)):
            following = box.offset
            break
        if not _plausible(box):
            if not _is_zero(file, stop, end):
                fault = fault or f"{end - stop} bytes from byte {stop} on are not part of the movie"
            break
        if box.stop > size and box.kind not in _BESIDE:
            fault = f"cut off: {box.stop - size} bytes of its box {box.kind.decode()!r} are missing"
        if box.kind == b"moov":
            movie = box
        elif box.kind == b"moof" and box.stop <= size and not _is_whole(file, box):
            # FFmpeg leaves out such a fragment without an error.
            fault = fault or f"its box 'moof' at byte {box.offset} is damaged"
        stop = min(box.stop, size)
    if movie is None:
        return None
    track = _sound_track(file, movie)
    patches = () if track is None or track.right_length is None else (track.right_length,)
    span = (start, size if following is None else following)
    hidden = "" if track is None else track.hidden
    return Part(Stream(spans=(span,), patches=patches), fault or hidden, following)


def boxes(file: BinaryIO, start: int, stop: int) -> Iterator[Box]:
    """Yield the boxes in [start, stop); the last one may state more than that."""
    offset = start
    for _ in range(_MOST_BOXES):
        if offset + 8 > stop:
            return
        head = _head(file, offset, 16)
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], offset + 8
        if length == 1 and len(head) == 16:
            length, body = int.from_bytes(head[8:16], "big"), offset + 16
        end = stop if length == 0 else offset + length
        if end < body:
            return
        yield Box(kind, offset, body, end)
        offset = end


def _head(file: BinaryIO, offset: int, n_bytes: int) -> bytes:
    file.seek(offset)
    return file.read(n_bytes)


def _is_zero(file: BinaryIO, start: int, stop: int) -> bool:
    """Return whether the bytes [start, stop) are zeros, as a recorder leaves them that reserves the room of a file."""
    blocks = (_head(file, offset, min(_BLOCK, stop - offset)) for offset in range(start, stop, _BLOCK))
    return all(block.count(0) == len(block) for block in blocks)


def _plausible(box: Box) -> bool:
    return all(32 <= byte < 127 or byte == 0xA9 for byte in box.kind)


def _is_whole(file: BinaryIO, fragment: Box) -> bool:
    """Return whether the boxes of a fragment, and those of its tracks, follow each other up to its end."""
    inner = list(boxes(file, fragment.start, fragment.stop))
    tracks = [box for box in inner if box.kind == b"traf"]
    nested = [(fragment, inner), *((track, list(boxes(file, track.start, track.stop))) for track in tracks)]
    # A fragment may hold no track, but always a head.
    return any(box.kind == b"mfhd" for box in inner) and all(
        children and children[-1].stop == parent.stop and all(map(_plausible, children)) for parent, children in nested
    )


@dataclass(frozen=True, slots=True)
class _Track:
    """A track of sound.

    ``length`` is that of its media in units of ``scale``. An edit is a length in units of ``movie_scale`` (0: to the
    end) and the place in the media where it begins (-1: nothing is played). ``right_length`` replaces the length in the
    header, as a place in the file and bytes, where the media is longer: FFmpeg would believe it.
    """

    scale: int
    length: int
    movie_scale: int
    edits: tuple[tuple[int, int], ...]
    right_length: tuple[int, bytes] | None

    @property
    def hidden(self) -> str:
        """What the edits leave out or repeat, or ""."""
        unit_s = 1 / self.movie_scale if self.movie_scale else 0.0
        played = [(length * unit_s, media_time / self.scale) for length, media_time in self.edits if media_time >= 0]
        if not played or not self.length:
            return ""
        total_s = self.length / self.scale
        at_s = 0.0
        for length_s, start_s in played:
            if abs(start_s - at_s) > _HIDDEN_MAX_S:
                low, high = sorted((at_s, start_s))
                effect = "leaves out" if start_s > at_s else "repeats"
                return f"its edit list {effect} the sound from {low:.3f} s to {high:.3f} s of its media"
            at_s = total_s if length_s == 0 else start_s + length_s
        if total_s - at_s > _HIDDEN_MAX_S:
            return f"its edit list leaves out the sound from {at_s:.3f} s to {total_s:.3f} s of its media"
        return ""


def _sound_track(file: BinaryIO, movie: Box) -> _Track | None:
    """Return the first track of sound."""
    if movie.stop - movie.start > _MOVIE_MAX:
        return None
    movie_scale = 0
    for box in boxes(file, movie.start, movie.stop):
        if box.kind == b"mvhd":
            movie_scale = _times(file, box)[0]
        elif box.kind == b"trak":
            track = _track(file, box, movie_scale)
            if track is not None:
                return track
    return None


def _track(file: BinaryIO, trak: Box, movie_scale: int) -> _Track | None:
    """Return a track if it is one of sound."""
    scale = length = n_units = 0
    sound = False
    edits: tuple[tuple[int, int], ...] = ()
    field: tuple[int, int] = (0, 0)
    for box in boxes(file, trak.start, trak.stop):
        if box.kind == b"edts":
            for edit_list in _boxes_of_kind(file, box, b"elst"):
                edits = _edits(_head(file, edit_list.start, min(edit_list.stop - edit_list.start, _TABLE_MAX)))
        elif box.kind == b"mdia":
            for inner in boxes(file, box.start, box.stop):
                if inner.kind == b"mdhd":
                    scale, length, field = _times(file, inner)
                elif inner.kind == b"hdlr":
                    sound = _head(file, inner.start, 12)[8:12] == b"soun"
                elif inner.kind == b"minf":
                    n_units = _sum_of_samples(file, inner)
    if not sound or not scale:
        return None
    offset, n_bytes = field
    right = (offset, n_units.to_bytes(n_bytes, "big")) if length < n_units < 1 << 8 * n_bytes else None
    return _Track(scale, n_units or length, movie_scale, edits, right)


def _boxes_of_kind(file: BinaryIO, parent: Box, kind: bytes) -> Iterator[Box]:
    return (box for box in boxes(file, parent.start, parent.stop) if box.kind == kind)


def _times(file: BinaryIO, box: Box) -> tuple[int, int, tuple[int, int]]:
    """Return time scale and length of an mvhd or mdhd box, and where in the file the length is, with its bytes."""
    body = _head(file, box.start, 32)
    if len(body) >= 32 and body[0] == 1:
        scale, length = struct.unpack_from(">IQ", body, 20)
        return scale, length, (box.start + 24, 8)
    if len(body) >= 20:
        scale, length = struct.unpack_from(">II", body, 12)
        return scale, length, (box.start + 16, 4)
    return 0, 0, (0, 0)


def _edits(body: bytes) -> tuple[tuple[int, int], ...]:
    if len(body) < 8:
        return ()
    long = body[0] == 1
    form, step = (">Qq", 20) if long else (">Ii", 12)
    most = (len(body) - 8) // step
    count = min(int.from_bytes(body[4:8], "big"), most)
    return tuple(struct.unpack_from(form, body, 8 + step * entry) for entry in range(count))


def _sum_of_samples(file: BinaryIO, minf: Box) -> int:
    """Return the length of all samples of a track, in its time scale; 0 if they are in fragments."""
    for table in _boxes_of_kind(file, minf, b"stbl"):
        for box in _boxes_of_kind(file, table, b"stts"):
            body = _head(file, box.start, min(box.stop - box.start, _TABLE_MAX))
            count = min(int.from_bytes(body[4:8], "big"), (len(body) - 8) // 8) if len(body) >= 8 else 0
            pairs = struct.iter_unpack(">II", body[8 : 8 + 8 * count])
            return sum(number * length for number, length in pairs)
    return 0
