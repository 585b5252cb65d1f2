"""WAV and its relatives with 64-bit sizes: RIFF, RIFX (big-endian), RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088)."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal

from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.audio.containers.chunked.chunks import (
    BIG_ENDIAN_CHUNKS,
    RIFF_CHUNKS,
    Chunk,
    Extent,
    chunk_at,
    content,
    extent,
    file_bytes,
    is_open,
    next_chunk,
    walk,
)
from ossicle.audio.containers.mpeg import read_mpeg
from ossicle.audio.containers.part import Part, pcm_part
from ossicle.audio.containers.streams import Encoding, Pcm, Stream
from ossicle.audio.containers.tags import after_leading_tags

_FORMAT_BYTES = 40
_DS64_BYTES = 24
_EXTENSIBLE = 0xFFFE
_MPEG_TAGS = (0x50, 0x55)
_FULL = 0xFFFFFFFF
_MOST_RECORDER_CHUNKS = 200
_MOST_RECORDER_BYTES = 1 << 16

# Format tag and bytes of a sample.
_ENCODINGS: dict[tuple[int, int], Encoding] = {
    (1, 1): "PCM_U8", (1, 2): "PCM_16", (1, 3): "PCM_24", (1, 4): "PCM_32",
    (3, 4): "FLOAT", (3, 8): "DOUBLE", (6, 1): "ALAW", (7, 1): "ULAW",
}  # fmt: skip


def read_riff(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of a WAV file that begins at byte ``start``; None if it has no format or no samples."""
    file.seek(start)
    magic = file.read(4)
    form = BIG_ENDIAN_CHUNKS if magic == b"RIFX" else RIFF_CHUNKS
    fmt, long_size, samples = b"", None, None
    for chunk in walk(file, start + 12, size, form):
        if chunk.name == b"fmt " and not fmt:
            fmt = content(file, chunk, _FORMAT_BYTES)
        elif chunk.name == b"ds64":
            body = content(file, chunk, _DS64_BYTES)
            long_size = struct.unpack("<Q", body[8:16])[0] if len(body) == _DS64_BYTES else None
        elif chunk.name == b"data" and samples is None:
            samples = chunk
        if fmt and samples is not None:
            break
    if len(fmt) < 16 or samples is None:
        return None
    order: Literal["LITTLE", "BIG"] = "BIG" if magic == b"RIFX" else "LITTLE"
    pcm, frame_bytes = described(fmt, "WAV" if magic in (b"RIFF", b"RIFX") else magic.decode(), order)
    long = samples.length in (0, _FULL) and long_size is not None
    stated = _stated_length(samples, long_size if long else None, magic)
    samples_extent = extent(file, samples, size, form, frame_bytes, stated=stated, long=long)
    if pcm is not None:
        return pcm_part(pcm, samples.start, samples_extent)
    if struct.unpack_from("<H", fmt)[0] in _MPEG_TAGS and (frames := _mpeg_frames(file, samples, size, samples_extent)):
        return frames
    end = size if samples_extent.next_byte is None else samples_extent.next_byte
    patches: tuple[tuple[int, bytes], ...] = ()
    if not samples_extent.as_stated:
        end = samples_extent.stop
        sizes = ((start + 4, end - start - 8), (samples.start - 4, end - samples.start))
        patches = tuple((offset, struct.pack(form.size_format, min(value, _FULL - 1))) for offset, value in sizes)
    return Part(Stream(spans=((start, end),), patches=patches), samples_extent.fault, samples_extent.next_byte)


def _mpeg_frames(file: BinaryIO, samples: Chunk, size: int, samples_extent: Extent) -> Part | None:
    """Return the MP3 in a chunk of samples, whose own header may count only the first of several recordings.

    Where the chunk states too little, the frames are followed to the end of the file.
    """
    end = size if samples_extent.fault else samples_extent.stop
    part = read_mpeg(file, after_leading_tags(file, samples.start, end), end, thorough=False)
    if part is None:
        return None
    following = samples_extent.next_byte if part.next_byte is None else part.next_byte
    # Decoders must not see the header of the WAV.
    stream = replace(part.stream, skips_tags=False)
    return replace(part, stream=stream, fault=part.fault or samples_extent.fault, next_byte=following)


def _stated_length(samples: Chunk, long_size: int | None, magic: bytes) -> int | None:
    if long_size is not None:
        return None if is_open(long_size, long=True) else long_size
    return None if samples.length == _FULL and magic != b"RIFF" else samples.length


def described(fmt: bytes, container: str, order: Literal["LITTLE", "BIG"]) -> tuple[Pcm | None, int]:
    """Return what a format chunk says of samples that need no decoder (None: other codecs), and the bytes of a block.

    Parameters
    ----------
    fmt
        WAVEFORMATEX or WAVEFORMATEXTENSIBLE, at least 16 bytes.
    container, order
        See :class:`~ossicle.audio.containers.streams.Pcm`.
    """
    mark = "<" if order == "LITTLE" else ">"
    tag, channels, rate, _, block_bytes, bits = struct.unpack_from(mark + "HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = struct.unpack_from(mark + "H", fmt, 24)[0]
    sample_bytes = block_bytes // channels if channels and block_bytes % channels == 0 else 0
    encoding = _ENCODINGS.get((tag, sample_bytes or -(-bits // 8)))
    # Samples of fewer bits than their bytes hold, other than the lowest ones, are the decoder's business.
    if encoding is None or not rate or bits > 8 * sample_bytes or bits <= 8 * (sample_bytes - 1):
        return None, max(block_bytes, 1)
    return Pcm(container, encoding, order, rate, channels), max(block_bytes, 1)


def recorder_chunks(path: Path) -> dict[str, bytes]:
    """Return the chunks of a WAV file in which recorders describe it: ``guan``, ``wamd``, and the comment ``ICMT``.

    They may stand before or behind the samples. Empty for other files; raises OSError.
    """
    with open_regular(path) as file:
        head, size = file.read(12), file_bytes(file)
        if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
            return {}
        chunks: dict[str, bytes] = {}
        long_size, offset = 0, 12
        for _ in range(_MOST_RECORDER_CHUNKS):
            chunk = chunk_at(file, offset, RIFF_CHUNKS)
            if chunk is None:
                break
            if chunk.name == b"ds64":
                body = content(file, chunk, _DS64_BYTES)
                long_size = struct.unpack("<Q", body[8:16])[0] if len(body) == _DS64_BYTES else 0
            elif chunk.name in (b"guan", b"wamd"):
                chunks.setdefault(chunk.name.decode(), content(file, chunk, _MOST_RECORDER_BYTES))
            elif chunk.name == b"LIST" and (comment := _comment(content(file, chunk, _MOST_RECORDER_BYTES))):
                chunks.setdefault("ICMT", comment)
            elif chunk.name == b"data" and chunk.length == _FULL and long_size:
                chunk = Chunk(chunk.name, chunk.start, long_size)
            if chunk.end >= size:
                break
            offset = next_chunk(file, chunk, size, RIFF_CHUNKS)
        return chunks


def _comment(body: bytes) -> bytes:
    """Return the comment of a LIST chunk of the kind INFO; empty without one."""
    offset = 4
    while body[:4] == b"INFO" and offset + 8 <= len(body):
        name, length = body[offset : offset + 4], int.from_bytes(body[offset + 4 : offset + 8], "little")
        if name == b"ICMT":
            return body[offset + 8 : offset + 8 + length].rstrip(b"\0")
        offset += 8 + length + length % 2
    return b""
