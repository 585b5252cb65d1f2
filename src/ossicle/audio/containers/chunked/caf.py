"""Apple's Core Audio Format."""

import struct
from typing import BinaryIO, Literal

from ossicle.audio.containers.chunked.chunks import CAF_CHUNKS, Chunk, content, extent, is_open, walk
from ossicle.audio.containers.part import Part, pcm_part
from ossicle.audio.containers.streams import Encoding, Pcm, Stream

_EDIT_COUNT = 4
_FLOAT, _LITTLE = 1, 2
_INTEGERS: dict[int, Encoding] = {1: "PCM_S8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}
_FLOATS: dict[int, Encoding] = {4: "FLOAT", 8: "DOUBLE"}


def read_caf(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of a CAF file that begins at byte ``start``; None if it has no format or no samples."""
    description, samples = b"", None
    for chunk in walk(file, start + 8, size, CAF_CHUNKS):
        if chunk.name == b"desc":
            description = content(file, chunk, 32)
        elif chunk.name == b"data":
            samples = chunk
        if description and samples is not None:
            break
    if len(description) < 32 or samples is None:
        return None
    pcm = _described(description)
    # -1 says that the samples go on to the end of the file.
    unknown = is_open(samples.length, long=True) or samples.length <= _EDIT_COUNT
    sound = Chunk(b"data", samples.start + _EDIT_COUNT, 0 if unknown else samples.length - _EDIT_COUNT)
    samples_extent = extent(
        file, sound, size, CAF_CHUNKS, pcm.frame_bytes if pcm else 1, stated=sound.length, long=True
    )
    if pcm is not None:
        return pcm_part(pcm, sound.start, samples_extent)
    end = size if samples_extent.next_byte is None else samples_extent.next_byte
    return Part(Stream(spans=((start, end),)), samples_extent.fault, samples_extent.next_byte)


def _described(description: bytes) -> Pcm | None:
    rate, codec, flags, packet_bytes, packet_samples, channels, bits = struct.unpack(">d4sIIIII", description)
    if codec not in (b"lpcm", b"ulaw", b"alaw") or packet_samples != 1 or not channels or not 1 <= rate < 2**31:
        return None
    sample_bytes = packet_bytes // channels
    encoding = {b"ulaw": "ULAW", b"alaw": "ALAW"}.get(codec)
    if encoding is None:
        encoding = (_FLOATS if flags & _FLOAT else _INTEGERS).get(sample_bytes)
        if bits != 8 * sample_bytes:
            encoding = None
    order: Literal["LITTLE", "BIG"] = "LITTLE" if flags & _LITTLE else "BIG"
    return None if encoding is None else Pcm("CAF", encoding, order, round(rate), channels)  # type: ignore[arg-type]
