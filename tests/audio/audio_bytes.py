"""Audio files as bytes, by libsndfile and FFmpeg and by hand, for tests of files whose headers are wrong."""

import io
import struct
from collections.abc import Iterator

import av
import numpy as np
import soundfile

RATE = 16000

# libsndfile's format and subtype; all but the last three keep samples to 16 bits.
FORMATS = {
    "wav": ("WAV", "PCM_16"), "float.wav": ("WAV", "FLOAT"), "ulaw.wav": ("WAV", "ULAW"), "wavex": ("WAVEX", "PCM_24"),
    "rf64": ("RF64", "PCM_16"), "w64": ("W64", "PCM_16"), "aiff": ("AIFF", "PCM_16"), "caf": ("CAF", "PCM_16"),
    "au": ("AU", "PCM_16"), "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", None), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"),
}  # fmt: skip
LOSSY = ("mp3", "ogg", "opus")


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    """Return noise, float32 (n,), so that each stretch of a recording is told from any other."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, n_samples).astype(np.float32)


def encoded(samples: np.ndarray, kind: str, rate: int = RATE, **options: object) -> bytes:
    """Return samples as a file of one of FORMATS."""
    container, subtype = FORMATS[kind]
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=container, subtype=subtype, **options)
    return buffer.getvalue()


class Pipe:
    """Something that can be written to but not gone back in, so that sizes are never filled in."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def muxed(
    samples: np.ndarray, codec: str, container: str, rate: int = RATE, *, pipe: bool = False, **options: str
) -> bytes:
    """Return samples (n,) as a file by FFmpeg; with ``pipe`` as it is written to one."""
    target: io.BytesIO | Pipe = Pipe() if pipe else io.BytesIO()
    with av.open(target, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = "mono"
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        cutter = av.AudioResampler(
            format=stream.format.name, layout="mono", rate=rate, frame_size=stream.codec_context.frame_size or None
        )
        for piece in cutter.resample(frame) + cutter.resample(None):
            file.mux(stream.encode(piece))
        # FLAC's last packet is empty: it only carries a changed head.
        file.mux([packet for packet in stream.encode(None) if packet.size])
    return bytes(target.data if isinstance(target, Pipe) else target.getvalue())


def chunk(name: bytes, content: bytes, order: str = "<", stated: int | None = None) -> bytes:
    """Return a chunk of RIFF or AIFF, padded to an even length; ``stated`` is its size if that is to be wrong."""
    size = len(content) if stated is None else stated
    return name + struct.pack(order + "I", size) + content + bytes(len(content) % 2)


def wave_format(tag: int = 1, channels: int = 1, rate: int = RATE, sample_bytes: int = 2, order: str = "<") -> bytes:
    """Return the content of a format chunk."""
    block = channels * sample_bytes
    return struct.pack(order + "HHIIHH", tag, channels, rate, rate * block, block, 8 * sample_bytes)


def riff(*chunks: bytes, magic: bytes = b"RIFF", order: str = "<", size: int | None = None) -> bytes:
    """Return a WAV file of chunks."""
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack(order + "I", len(body) if size is None else size) + body


def pcm(samples: np.ndarray, order: str = "<") -> bytes:
    """Return samples as integers of 16 bits."""
    return np.round(samples * 32767).astype(order + "i2").tobytes()


def boxes(data: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the content of each box of an MP4 file, those within others too."""
    at = start
    end = len(data) if stop is None else stop
    while at + 8 <= end:
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        yield kind, at + 8, at + size
        if kind in (b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"):
            yield from boxes(data, at + 8, at + size)
        at += size
