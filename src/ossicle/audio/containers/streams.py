"""The streams of sound in a file: what a decoder reads as a file of its own."""

from dataclasses import dataclass, field
from typing import Literal

Encoding = Literal["PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]

_BYTES: dict[str, int] = {
    "PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pcm:
    """Samples that need no decoder: ``encoding`` as libsndfile names it, ``order`` of the bytes of a sample.

    ``container`` is the format of the file around them, as libsndfile names it.
    """

    container: str
    encoding: Encoding
    order: Literal["LITTLE", "BIG"]
    rate: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return _BYTES[self.encoding] * self.channels


@dataclass(frozen=True, slots=True)
class Stream:
    """One recording within a file.

    Parameters
    ----------
    spans
        Byte ranges [start, stop) that a decoder reads one after the other; empty: the whole file.
    patches
        Bytes to replace in what is read, each as its position in the file and the new bytes: counts that are wrong.
    pcm
        How the bytes are to be read if the decoder cannot find them by the file's header; None for other codecs.
    n_samples
        Samples per channel, if the structure gives their number; None if only the decoder knows it.
    entries
        Places where decoding may start, as (sample, byte), in both ascending; empty: where the decoder seeks to.
    seek_limit
        The sample beyond which libsndfile seeks wrongly in Vorbis; 0: in none.
    skips_tags
        Whether decoders skip tags in front of it by themselves.
    container
        FFmpeg's name of the format, where its content does not show it; then FFmpeg reads it.
    begins_lost
        Whether the first frames may be lost, so that the first one that is found need not begin at 0.
    """

    spans: tuple[tuple[int, int], ...] = ()
    patches: tuple[tuple[int, bytes], ...] = ()
    pcm: Pcm | None = None
    n_samples: int | None = None
    entries: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    seek_limit: int = 0
    skips_tags: bool = False
    container: str = ""
    begins_lost: bool = False

    @property
    def first_byte(self) -> int:
        """Where the stream begins in the file."""
        return self.spans[0][0] if self.spans else 0

    @property
    def whole_file(self) -> bool:
        """Whether a decoder reads the file as it is."""
        return not self.spans and not self.patches


@dataclass(frozen=True, slots=True)
class Layout:
    """The streams of a file, one after the other, and what of the file they do not hold.

    ``fault`` says what is missing, or what follows that is not read; empty if the streams are all there is.
    ``as_it_is`` tells whether a decoder may open the file itself: its header says nothing wrong of its only stream, or
    a better reading is known for what it says (``Stream.pcm``).
    """

    streams: tuple[Stream, ...] = (Stream(),)
    fault: str = ""
    as_it_is: bool = True
