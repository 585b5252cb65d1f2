"""Sun's AU: a header of six numbers, and samples to the end of the file; "dns." in place of ".snd": little-endian."""

import struct
from typing import BinaryIO, Literal

from ossicle.audio.containers.chunked.chunks import NO_CHUNKS, Chunk, extent
from ossicle.audio.containers.part import Part, pcm_part
from ossicle.audio.containers.streams import Encoding, Pcm, Stream

MAGICS = (b".snd", b"dns.")
_FULL = 0xFFFFFFFF
_ENCODINGS: dict[int, Encoding] = {
    1: "ULAW", 2: "PCM_S8", 3: "PCM_16", 4: "PCM_24", 5: "PCM_32", 6: "FLOAT", 7: "DOUBLE", 27: "ALAW",
}  # fmt: skip


def read_au(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of an AU file that begins at byte ``start``; None if its header is cut off."""
    file.seek(start)
    head = file.read(24)
    if len(head) < 24:
        return None
    order: Literal["LITTLE", "BIG"] = "LITTLE" if head.startswith(MAGICS[1]) else "BIG"
    offset, stated, code, rate, channels = struct.unpack("<IIIII" if order == "LITTLE" else ">IIIII", head[4:])
    encoding = _ENCODINGS.get(code)
    pcm = Pcm("AU", encoding, order, rate, channels) if encoding is not None and rate and channels else None
    sound = Chunk(b"data", start + offset, 0 if stated == _FULL else stated)
    samples_extent = extent(
        file, sound, size, NO_CHUNKS, pcm.frame_bytes if pcm else 1, stated=None if stated == _FULL else stated
    )
    if pcm is not None:
        return pcm_part(pcm, sound.start, samples_extent)
    end = size if samples_extent.next_byte is None else samples_extent.next_byte
    return Part(Stream(spans=((start, end),)), samples_extent.fault, samples_extent.next_byte)
