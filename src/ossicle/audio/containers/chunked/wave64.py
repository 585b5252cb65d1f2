"""Sony Wave64: chunks named by GUIDs, with sizes of 64 bits that count their head."""

from typing import BinaryIO

from ossicle.audio.containers.chunked.chunks import WAVE64_CHUNKS, content, extent, is_open, walk
from ossicle.audio.containers.chunked.riff import described
from ossicle.audio.containers.part import Part, pcm_part
from ossicle.audio.containers.streams import Stream

_HEAD = 24
_FILE_HEAD = 40


def read_wave64(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of a Wave64 file that begins at byte ``start``; None if it has no format or samples."""
    fmt, samples = b"", None
    for chunk in walk(file, start + _FILE_HEAD, size, WAVE64_CHUNKS):
        if chunk.name[:4] == b"fmt ":
            fmt = content(file, chunk, 40)
        elif chunk.name[:4] == b"data":
            samples = chunk
            break
    if len(fmt) < 16 or samples is None:
        return None
    pcm, frame_bytes = described(fmt, "W64", "LITTLE")
    # The size counts the head of the chunk: one of 24 or less is not filled in.
    stated = samples.length if samples.length and not is_open(samples.length + _HEAD, long=True) else 0
    samples_extent = extent(file, samples, size, WAVE64_CHUNKS, frame_bytes, stated=stated, long=True)
    if pcm is not None:
        return pcm_part(pcm, samples.start, samples_extent)
    end = size if samples_extent.next_byte is None else samples_extent.next_byte
    return Part(Stream(spans=((start, end),)), samples_extent.fault, samples_extent.next_byte)
