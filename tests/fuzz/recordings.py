"""Short recordings of every format, encoded when they are first asked for, and damage to their bytes."""

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import soundfile

from ..audio.audio_bytes import muxed

RATE = 16000
_INDEX_FIRST: Mapping[str, str] = {"moov_size": "2000"}
_CLUSTER = b"\x1f\x43\xb6\x75"


@dataclass(frozen=True, slots=True)
class Kind:
    """A format of recordings.

    Parameters
    ----------
    suffix
        Of its files.
    writer
        libsndfile's format and subtype, or FFmpeg's codec and container in lower-case.
    head
        What stands where the sound begins, or the byte. Damage before it changes a header, which may then state another
        recording; 0: checksums cover all of the file.
    counted
        Whether the file states its length, or checks its frames, so that every loss shows. Elsewhere a file that lacks
        whole frames is a shorter recording.
    stated
        Whether its length limits how far a time stamp may lead.
    tolerance_s
        So much shorter or longer may a copy be that is not called partial: the frames at both ends of a lossy codec. Of
        Matroska, whose stated length is rounded and may be of another stream, the last half second is not missed.
    rate, seconds
        Samples per second, and the length.
    options
        Of FFmpeg's container.
    """

    suffix: str
    writer: tuple[str, str]
    head: bytes | int = 0
    counted: bool = True
    stated: bool = True
    tolerance_s: float = 0.1
    rate: int = RATE
    seconds: int = 2
    options: Mapping[str, str] = field(default_factory=dict, hash=False)


KINDS = (
    Kind(".wav", ("WAV", "PCM_16"), b"data"),
    Kind(".wav", ("WAVEX", "PCM_24"), b"data"),
    Kind(".wav", ("WAV", "IMA_ADPCM"), b"data"),
    Kind(".rf64", ("RF64", "PCM_16"), b"data"),
    Kind(".w64", ("W64", "PCM_16"), b"data"),
    Kind(".aiff", ("AIFF", "PCM_16"), b"SSND"),
    Kind(".caf", ("CAF", "PCM_16"), b"data"),
    Kind(".caf", ("CAF", "ALAC_16"), b"data"),
    Kind(".au", ("AU", "PCM_16"), 24),
    Kind(".flac", ("FLAC", "PCM_16"), b"\xff\xf8"),
    Kind(".ogg", ("OGG", "VORBIS"), stated=False, seconds=6),
    Kind(".opus", ("OGG", "OPUS"), stated=False, seconds=8),
    Kind(".mp3", ("MP3", "MPEG_LAYER_III"), counted=False),
    Kind(".mp3", ("libmp3lame", "mp3"), counted=False, options={"write_xing": "0"}),
    Kind(".mp2", ("mp2", "mp2"), counted=False),
    Kind(".aac", ("aac", "adts"), counted=False),
    Kind(".ac3", ("ac3", "ac3"), counted=False, rate=32000),
    Kind(".m4a", ("aac", "ipod"), b"mdat", options=_INDEX_FIRST),
    Kind(".m4a", ("alac", "ipod"), b"mdat", options=_INDEX_FIRST),
    Kind(".mp4", ("aac", "mp4"), b"mdat", options={"movflags": "frag_keyframe+empty_moov", "frag_duration": "500000"}),
    Kind(".mov", ("pcm_s16le", "mov"), b"mdat", options=_INDEX_FIRST),
    Kind(".3gp", ("aac", "3gp"), b"mdat", options=_INDEX_FIRST),
    Kind(".mka", ("flac", "matroska"), _CLUSTER, tolerance_s=0.6),
    Kind(".mkv", ("pcm_s16le", "matroska"), _CLUSTER, tolerance_s=0.6),
    Kind(".webm", ("libopus", "webm"), _CLUSTER, tolerance_s=0.6, rate=48000),
    Kind(".oga", ("flac", "ogg"), stated=False),
    Kind(".wv", ("wavpack", "wv"), rate=48000),
    Kind(".tta", ("tta", "tta"), seconds=4),
)


@cache
def recording(kind: Kind) -> bytes:
    """Return a recording of rising pitch in faint noise."""
    time_s = np.arange(kind.seconds * kind.rate) / kind.rate
    noise = np.random.default_rng(0).normal(0, 0.02, len(time_s))
    samples = (0.3 * np.sin(2 * np.pi * (400 + 300 * time_s) * time_s) + noise).astype(np.float32)
    first, second = kind.writer
    if second.islower():
        return muxed(samples, first, second, kind.rate, **kind.options)
    target = io.BytesIO()
    soundfile.write(target, samples, kind.rate, format=first, subtype=second)
    return target.getvalue()


def head_bytes(kind: Kind) -> int:
    """Return where the sound of a recording begins."""
    return kind.head if isinstance(kind.head, int) else recording(kind).index(kind.head) + 8


class Damaged(NamedTuple):
    """A damaged copy: its bytes, the first byte that differs, and how many bytes were inserted."""

    content: bytes
    first: int
    n_inserted: int


_ORDERS = 6
_ORDER = struct.Struct("<BHBI")
_LENGTHS = (1, 2, 4, 40, 200, 700, 5000, 20000)
_NEAR = 1 << 15
_NEAR_BYTES = 600


def damaged(whole: bytes, orders: bytes) -> Damaged:
    """Return a copy of ``whole`` with the damage that ``orders`` describes: 8 bytes for each place, at most 6 places.

    Their first byte says what happens there (zeros, chance bytes, given bytes, a cut, a repeat, the end of the file),
    the second and third the place (with the highest bit, near the beginning), the fourth how many bytes, and the others
    the bytes or where they come from.
    """
    content, first, n_inserted = bytearray(whole), len(whole), 0
    for what, place, length, value in _ORDER.iter_unpack(
        orders[: len(orders) // _ORDER.size * _ORDER.size][: _ORDERS * _ORDER.size]
    ):
        if not content:
            break
        near = min(_NEAR_BYTES, len(content))
        at = (place - _NEAR) % near if place >= _NEAR else place * len(content) // _NEAR
        n_bytes = min(_LENGTHS[length % len(_LENGTHS)], len(content) - at)
        first = min(first, at)
        match what % 6:
            case 0:
                content[at : at + n_bytes] = bytes(n_bytes)
            case 1:
                content[at : at + n_bytes] = np.random.default_rng(value).bytes(n_bytes)
            case 2:
                content[at : at + 4] = value.to_bytes(4, "little")[: len(content) - at]
            case 3:
                del content[at : at + n_bytes]
            case 4:
                source = value % len(content)
                repeated = content[source : source + n_bytes]
                content[at:at] = repeated
                n_inserted += len(repeated)
            case _:
                del content[at:]
    return Damaged(bytes(content), first, n_inserted)
