"""Decode through FFmpeg (PyAV) the formats that libsndfile does not read, mainly AAC in MP4.

Seeking is exact in MP4, which has time stamps; other containers are decoded from their start. One tool of AAC, noise
substitution, generates noise that depends on everything decoded before: bands coded this way differ (in noise, not in
time) between a crop and the whole.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ossicle.audio.containers.spliced_file import SplicedFile
from ossicle.audio.containers.streams import Stream
from ossicle.audio.info import AudioInfo, StreamInfo
from ossicle.audio.readers.container_traits import DECODER_OPTIONS, DEMUXERS, ContainerTraits, traits_of_demuxer
from ossicle.audio.readers.frame_samples import frame_samples
from ossicle.audio.readers.time_stamps import LostSound
from ossicle.core.errors import AudioError

_DEMUXER_OPTIONS = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}

# AAC frames overlap and SBR needs more history: decode this much before the wanted sample.
_PREROLL = 8 * 2048
# Encoders pad their last frames; MP4 states where the sound ends, so at most this much is dropped.
_PADDING_MAX = 4 * 2048
# FFmpeg reads ahead and behind: only what it leaves unread beyond this is more than it decodes.
_UNREAD_MAX = 1 << 16
# So often a container may fail to give the next packet before it is given up.
_MOST_FAILURES = 8
_SILENCE_SAMPLES = 1 << 16
# How Matroska writes the length of a stream, and how much earlier than a stated length sound may end by rounding.
_CLOCK = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d+)?)")
_EARLY_S, _EARLY_SHARE = 0.5, 0.01


def open_ffmpeg(
    file: Path, stream: Stream, *, as_it_is: bool, view: SplicedFile | None = None
) -> av.container.InputContainer:
    """Open a stream of a file, or the whole file ``as_it_is``, with plain containers only; raises AudioError.

    ``view`` is the part of the stream to read, if not all of it.
    """
    source: str | SplicedFile = os.path.abspath(file)
    if view is not None or not as_it_is:
        source = view or SplicedFile(file, stream)
    try:
        container = av.open(
            source,
            "r",
            format=stream.container or None,
            container_options=_DEMUXER_OPTIONS,
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"{file}: FFmpeg cannot open it ({words(error)})") from error
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{file}: contains no audio")
    return container


def words(error: BaseException) -> str:
    """Return what a library says of its error."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(text).strip().rstrip(".")


class FfmpegReader:
    """Read a stream through FFmpeg; after reading, ``failure`` says why it ended early, if it did."""

    def __init__(self, path: Path, info: AudioInfo, stream: StreamInfo) -> None:
        self._path, self._info, self._stream, self.failure = path, info, stream, ""

    def blocks(self, start: int, n_samples: int | None, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """Yield blocks of shape (n, channels) from sample ``start``."""
        stop = 1 << 62 if n_samples is None else start + n_samples
        waiting: list[NDArray[np.float32]] = []
        n_waiting = 0
        for piece in self._pieces(start, stop):
            waiting.append(piece)
            n_waiting += len(piece)
            while n_waiting >= block_samples:
                joined = np.concatenate(waiting)
                yield joined[:block_samples]
                waiting, n_waiting = [joined[block_samples:]], n_waiting - block_samples
        if n_waiting:
            yield np.concatenate(waiting)

    def _pieces(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Yield decoded frames cut to [start, stop), and to the end stated by the container."""
        entry, first_byte = self._entry(start)
        # What is in a container that nothing else here knows is all read only if FFmpeg comes to its end.
        watched = SplicedFile(self._path, self._stream.stream, first_byte) if self._watches(first_byte) else None
        stream_of = self._stream.stream
        with open_ffmpeg(self._path, stream_of, as_it_is=self._stream.as_it_is, view=watched) as container:
            stream = container.streams.audio[0]
            stream.codec_context.options = dict(DECODER_OPTIONS.get(stream.codec_context.name, {}))
            traits = traits_of_demuxer(container.format.name)
            position: int | None = entry
            tick_s, origin = stream.time_base or Fraction(1, self._info.rate), stream.start_time or 0
            if traits.exact_seek and start > _PREROLL:
                position = None
                container.seek(origin + int(Fraction(start - _PREROLL, self._info.rate) / tick_s), stream=stream)
            promised = self._stream.n_samples if traits.exact_seek else 0
            begin = None if position is None else self._begin(traits, origin)
            lost_sound = LostSound(traits, tick_s, self._info.rate, self._stream.n_samples, begin)
            for frame, n_lost in lost_sound.placed(self._frames(container, stream, goes_on=traits.stamped)):
                if position is None:
                    position = round(((frame.pts or 0) - origin) * tick_s * self._info.rate)
                    # The frames from which decoding was to start are lost.
                    yield from self._silence(start, min(stop, position))
                yield from self._silence(max(start, position), min(stop, position + n_lost))
                position += n_lost
                samples = frame_samples(frame)
                end = position + len(samples)
                if promised and promised < end <= promised + _PADDING_MAX:
                    end = max(promised, position)
                low, high = max(start, position), min(stop, end)
                if high > low:
                    yield samples[low - position : high - position]
                position += len(samples)
                if position >= stop:
                    return
            self.failure = "; ".join(filter(None, (self.failure, lost_sound.note)))
            if not self.failure and position is not None and self._stream.estimated:
                self.failure = _early_end(container, stream, position / self._info.rate)
        if watched is not None and not stream_of.entries and watched.furthest + _UNREAD_MAX < watched.size:
            self.failure = self.failure or f"decoding ends at byte {watched.furthest} of {watched.size}"

    def _begin(self, traits: ContainerTraits, origin: int) -> int | None:
        """Return the stamp of the first frame of a stream; None where any may be first."""
        if traits.first_stamp == "start":
            return origin
        counted_from_zero = traits.first_stamp == "zero" and self._stream.n_samples > 0
        return 0 if counted_from_zero or self._stream.stream.begins_lost else None

    def _watches(self, first_byte: int) -> bool:
        return bool(first_byte) or self._stream.stream.whole_file

    def _entry(self, start: int) -> tuple[int, int]:
        """Return the sample and the byte where decoding starts; the beginning where there is no choice."""
        places = self._stream.stream.entries
        entry_index = bisect_right(places, (start - _PREROLL, 1 << 62)) - 1
        return places[entry_index] if entry_index > 0 else (0, 0)

    def _silence(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Yield zeros of shape (n, channels) for the samples [start, stop)."""
        while start < stop:
            n_samples = min(_SILENCE_SAMPLES, stop - start)
            yield np.zeros((n_samples, self._info.channels), dtype=np.float32)
            start += n_samples

    def _frames(
        self, container: av.container.InputContainer, stream: av.audio.AudioStream, *, goes_on: bool
    ) -> Iterator[av.AudioFrame]:
        """Yield the frames up to the first that fails; all that decode where stamps give the place of later ones."""
        packets, n_failed = container.demux(stream), 0
        while True:
            packet = None
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except (av.FFmpegError, EOFError) as error:
                self.failure = self.failure or f"decoding fails ({getattr(error, 'strerror', None) or error})"
                n_failed = 0 if packet is not None else n_failed + 1
                if not goes_on or n_failed > _MOST_FAILURES:
                    return
                packets = packets if packet is not None else container.demux(stream)
                continue
            for frame in frames:
                if frame.sample_rate != self._info.rate or frame.layout.nb_channels != self._info.channels:
                    self.failure = "rate or channels change within the file"
                    return
                yield frame


def _early_end(container: av.container.InputContainer, stream: av.audio.AudioStream, end_s: float) -> str:
    """Return what to say of sound that ends well before the stated length, where FFmpeg skips damage; else nothing."""
    traits = traits_of_demuxer(container.format.name)
    if not traits.skips_damage:
        return ""
    stated = _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))
    if stated:
        hours, minutes, seconds = map(float, stated.groups())
        stated_s = 3600 * hours + 60 * minutes + seconds
    else:
        stated_s = (container.duration or 0) / av.time_base if len(container.streams) == 1 else 0.0
    if stream.start_time and stream.time_base and traits.length_from_zero:
        stated_s -= max(0.0, float(stream.start_time * stream.time_base))
    missing = stated_s - end_s > max(_EARLY_S, _EARLY_SHARE * stated_s)
    return f"decoding ends at {end_s:.3f} s of {stated_s:.3f} s" if missing else ""
