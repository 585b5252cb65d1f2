"""What is known about an audio file before it is decoded."""

from dataclasses import dataclass
from typing import Literal

from ossicle.audio.containers.streams import Stream

Decoder = Literal["libsndfile", "ffmpeg"]
DecoderChoice = Literal["auto", "soundfile", "av"]
"""The decoding library: libsndfile, with FFmpeg for files that it cannot read, or one of them for everything."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream of a file with its decoder; ``n_samples`` and ``estimated`` as in :class:`AudioInfo`.

    ``as_it_is`` tells whether the decoder opens the file itself and not the bytes of the stream.
    """

    stream: Stream
    decoder: Decoder
    n_samples: int
    estimated: bool
    as_it_is: bool


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """The header of an audio file.

    Parameters
    ----------
    rate
        Sample rate in Hz.
    channels
        Number of channels.
    n_samples
        Samples per channel of all streams according to their headers and structure (only decoding gives the true
        number); 0 if it is unknown.
    codec
        As named by its decoder.
    decoder
        The library that decodes it.
    bits
        Bits of integer PCM; 0 for float and lossy codecs.
    estimated
        Whether the container only guesses its length.
    streams
        What is decoded, one after the other.
    fault
        What is missing, or what follows that is not read; empty if nothing is.
    """

    rate: int
    channels: int
    n_samples: int
    codec: str
    decoder: Decoder
    bits: int = 0
    estimated: bool = False
    streams: tuple[StreamInfo, ...] = ()
    fault: str = ""

    @property
    def duration_s(self) -> float:
        """Length in seconds according to the header."""
        return self.n_samples / self.rate
