"""From audio files to blocks of float32 samples, in bounded memory, with codec delays removed.

Sample 0 is the first sample that was encoded: a click at 1.000 s is at 1.000 s, decoded whole or by seeking, to one
sample in lossless and to 1 ms in lossy codecs. A file that does not record its encoder's delay (raw AAC in ADTS, MP3
without a LAME or Xing header) keeps that delay.

A file that ends early gives the samples that decode, and its report says ``partial`` and why; so does one that is
damaged in the middle, with silence in place of what is lost where time stamps say how much. NaN, Inf or an absurd
amplitude raises AudioError.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.channels import ChannelBalance, LoudestChannel, channel_index
from ossicle.audio.decoding.damage import damage
from ossicle.audio.info import AudioInfo, Decoder, DecoderChoice, StreamInfo
from ossicle.audio.probe import probe
from ossicle.audio.readers.container_traits import traits_of_codec
from ossicle.audio.readers.ffmpeg import FfmpegReader
from ossicle.audio.readers.sndfile import SndfileReader
from ossicle.core.errors import AudioError
from ossicle.core.model_input.channel import LOUDEST

BLOCK_SAMPLES = 1 << 18

# Samples times channels per block, so that memory does not grow with the channels.
_BLOCK_VALUES = 1 << 20


@dataclass(frozen=True, slots=True)
class DecodeReport:
    """How decoding ended: ``n_samples`` returned per channel at the file's rate, up to ``end_s`` in the recording.

    ``partial`` has a ``reason``; ``silent`` means that every sample was zero. If a whole recording was read,
    and its channels cancel each other in all or a part of it, ``cancel_db`` is how many dB their mean lies there below
    the loudest one (negative).
    """

    n_samples: int
    status: Literal["ok", "partial", "silent"]
    reason: str
    end_s: float
    cancel_db: float | None = None


class AudioSource:
    """An audio file to decode: iterate ``blocks()``, then read ``report``. Raises AudioError if nothing decodes.

    ``info`` avoids reading the header again for every reader of the same file.
    """

    def __init__(
        self, path: str | os.PathLike[str], decoder: DecoderChoice = "auto", info: AudioInfo | None = None
    ) -> None:
        self.path = Path(path)
        self.info: AudioInfo = info or probe(self.path, decoder)
        self._decoder, self._searched = decoder, False
        self._loudest: int | None = None
        self._report: DecodeReport | None = None

    @property
    def report(self) -> DecodeReport:
        """How decoding ended; known once the blocks are exhausted (RuntimeError before)."""
        if self._report is None:
            raise RuntimeError("the report is known once blocks() is exhausted")
        return self._report

    def blocks(
        self, *, start_sample: int = 0, n_samples: int | None = None, block_samples: int = BLOCK_SAMPLES
    ) -> Iterator[NDArray[np.float32]]:
        """Yield blocks of shape (n, channels), n <= ``block_samples``, of [start_sample, start_sample + n_samples).

        Parameters
        ----------
        start_sample
            First sample at the file's own rate.
        n_samples
            Number of samples; None reads to the end. A crop that reaches beyond the end is short, not an error.
        block_samples
            Largest length of a block.

        Raises
        ------
        AudioError
            On NaN, Inf or an absurd amplitude, or if not one sample of a whole file decodes.
        """
        if start_sample < 0 or block_samples < 1 or (n_samples is not None and n_samples < 0):
            raise ValueError("start_sample and n_samples must be at least 0, block_samples at least 1")
        self._report = None
        n_given, loud = 0, False
        block_samples = min(block_samples, max(1, _BLOCK_VALUES // self.info.channels))
        ending = _Ending()
        several = self.info.channels > 1 and start_sample == 0 and n_samples is None
        balance = ChannelBalance(self.info.rate, self.info.channels) if several else None
        for block in self._decoded(start_sample, n_samples, block_samples, ending):
            _refuse_damage(block, start_sample + n_given, self.path, self.info.rate)
            n_given += len(block)
            loud = loud or bool(block.any())
            if balance is not None:
                balance.add(block)
            yield block
        end = start_sample + n_given
        reason = "" if n_given == n_samples else "; ".join(filter(None, (ending.reason, self.info.fault)))
        if n_given == 0 and start_sample == 0 and n_samples != 0:
            raise AudioError(f"{self.path}: no samples can be decoded ({reason or 'the file holds none'})")
        status: Literal["ok", "partial", "silent"] = "partial" if reason else "ok" if loud else "silent"
        cancel_db = None if balance is None else balance.cancel_db
        self._report = DecodeReport(n_given, status, reason, end / self.info.rate, cancel_db)

    def channel(self, name: str) -> int | None:
        """Return the index of the channel to read, None for the mean of all.

        Parameters
        ----------
        name
            A choice as :func:`ossicle.core.model_input.channel.channel_name` returns it. ``loudest`` decodes the whole
            recording, once.

        Raises
        ------
        AudioError
            The file has no such channel, or cannot be decoded.
        """
        if name != LOUDEST or self.info.channels == 1:
            try:
                return channel_index(name, self.info.channels)
            except AudioError as error:
                raise AudioError(f"{self.path}: {error}") from None
        if self._loudest is None:
            loudest_channel = LoudestChannel(self.info.channels)
            for block in AudioSource(self.path, self._decoder, self.info).blocks():
                loudest_channel.add(block)
            self._loudest = loudest_channel.index
        return self._loudest

    def _decoded(
        self, start: int, n_samples: int | None, block_samples: int, ending: "_Ending"
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks of [start, start + n_samples) from all streams, one after the other."""
        stop = 1 << 62 if n_samples is None else start + n_samples
        position = start
        while True:
            for block in self._through(position, stop, block_samples, ending):
                position += len(block)
                yield block
            if ending.reason or position >= stop or not self._finds_more():
                return

    def _through(self, start: int, stop: int, block_samples: int, ending: "_Ending") -> Iterator[NDArray[np.float32]]:
        """Yield the blocks of [start, stop) from the streams that are known."""
        first = 0
        for stream_index, stream in enumerate(self.info.streams):
            last = stream_index + 1 == len(self.info.streams)
            if not last and not stream.estimated and start >= first + stream.n_samples:
                first += stream.n_samples
                continue
            # A stream whose length is not known is decoded from its start if others follow.
            begin = max(0, start - first) if last or not stream.estimated else 0
            position = first + begin
            failures: list[str] = []
            for reader in self._readers(stream):
                for block in reader.blocks(position - first, stop - position, block_samples):
                    new = block[max(0, start - position) :]
                    position += len(block)
                    if len(new):
                        yield new
                failures += [reader.failure] if reader.failure else []
                if position >= stop or not failures:
                    break
            # What one reader failed on is damaged, even if the next one passes over it without a word.
            failure = "; ".join(dict.fromkeys(failures))
            ending.reason = (
                "" if position >= stop else failure or _shortfall(stream, position - first, position, self.info.rate)
            )
            if position >= stop or ending.reason:
                return
            first = position

    def _readers(self, stream: StreamInfo) -> Iterator[SndfileReader | FfmpegReader]:
        """Yield the reader of a stream, then one that goes on where the first fails, if its format has one."""
        yield _READERS[stream.decoder](self.path, self.info, stream)
        if stream.decoder == "libsndfile" and traits_of_codec(self.info.codec).resumed and self._decoder == "auto":
            yield FfmpegReader(self.path, self.info, stream)

    def _finds_more(self) -> bool:
        """Search the file once for sound behind the end that its header and its own end show."""
        if self._searched or not traits_of_codec(self.info.codec).searched:
            return False
        self._searched = True
        known, self.info = self.info, probe(self.path, self._decoder, thorough=True)
        return self.info.n_samples > known.n_samples


@dataclass(slots=True)
class _Ending:
    """Why decoding ended before the end; empty while it did not."""

    reason: str = ""


def _shortfall(stream: StreamInfo, n_decoded: int, end_sample: int, rate: int) -> str:
    """Return why a stream that decoded to its sample ``n_decoded`` without an error still ended early, or ""."""
    missing = 0 if stream.estimated else stream.n_samples - n_decoded
    if missing <= 0:
        return ""
    return f"decoding ends at {end_sample / rate:.3f} s of {(end_sample + missing) / rate:.3f} s"


_READERS: Mapping[Decoder, type[SndfileReader] | type[FfmpegReader]] = {
    "libsndfile": SndfileReader,
    "ffmpeg": FfmpegReader,
}


def _refuse_damage(block: NDArray[np.float32], first: int, path: Path, rate: int) -> None:
    fault = damage(block)
    if fault is not None:
        raise AudioError(f"{path}: {fault[1]} in the samples at {(first + fault[0]) / rate:.6f} s")


def read_blocks(
    path: str | os.PathLike[str],
    *,
    start_sample: int = 0,
    n_samples: int | None = None,
    block_samples: int = BLOCK_SAMPLES,
) -> Iterator[NDArray[np.float32]]:
    """Yield blocks of a file, float32 of shape (n, channels); see :meth:`AudioSource.blocks`, which also reports
    the end.
    """
    yield from AudioSource(path).blocks(start_sample=start_sample, n_samples=n_samples, block_samples=block_samples)
