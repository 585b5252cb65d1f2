"""NIST SPHERE, the format of TIMIT: a header of text that counts the samples, and samples to the end of the file."""

import re
from typing import BinaryIO, Literal

from ossicle.audio.containers.chunked.chunks import NO_CHUNKS, Chunk, extent
from ossicle.audio.containers.part import Part, pcm_part
from ossicle.audio.containers.streams import Encoding, Pcm

MAGIC = b"NIST_1A\n"
_FIRST_LINES = 16
_MOST_HEADER_BYTES = 1 << 16
_FIELD = re.compile(rb"^(\w+) -(?:i|s\d+) (\S+)", re.MULTILINE)
_ENCODINGS: dict[tuple[bytes, int], Encoding] = {
    (b"pcm", 1): "PCM_S8", (b"pcm", 2): "PCM_16", (b"pcm", 3): "PCM_24", (b"pcm", 4): "PCM_32",
    (b"ulaw", 1): "ULAW", (b"mu-law", 1): "ULAW", (b"alaw", 1): "ALAW",
}  # fmt: skip


def read_nist(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of a SPHERE file that begins at byte ``start``.

    Parameters
    ----------
    file
        The file.
    start, size
        Where the recording begins and where the file ends, in bytes.

    Returns
    -------
    Part or None
        None if the header is damaged, or the samples need a decoder (shorten).
    """
    file.seek(start)
    length = file.read(_FIRST_LINES).removeprefix(MAGIC).strip()
    if not length.isdigit() or int(length) > _MOST_HEADER_BYTES:
        return None
    file.seek(start)
    fields = dict(_FIELD.findall(file.read(int(length)).partition(b"end_head")[0]))

    def count(name: bytes) -> int:
        text = fields.get(name, b"")
        return int(text) if text.isdigit() else 0

    rate, channels, sample_bytes = count(b"sample_rate"), count(b"channel_count"), count(b"sample_n_bytes")
    encoding = _ENCODINGS.get((fields.get(b"sample_coding", b"pcm"), sample_bytes))
    if encoding is None or not rate or not channels:
        return None
    order: Literal["LITTLE", "BIG"] = "LITTLE" if fields.get(b"sample_byte_format", b"").startswith(b"0") else "BIG"
    pcm = Pcm("NIST", encoding, order, rate, channels)
    stated = count(b"sample_count") * pcm.frame_bytes
    sound = Chunk(b"data", start + int(length), stated)
    return pcm_part(pcm, sound.start, extent(file, sound, size, NO_CHUNKS, pcm.frame_bytes, stated=stated or None))
