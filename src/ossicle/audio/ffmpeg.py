"""Decode through FFmpeg (PyAV) the formats that libsndfile does not read, mainly AAC in MP4.

Seeking is exact in MP4, which has time stamps; other containers are decoded from their start. One tool of AAC, noise
substitution, generates noise that depends on everything decoded before: bands coded this way differ (in noise, not in
time) between a crop and the whole.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ossicle.audio.probe import EXACT_CONTAINERS, AudioInfo, open_ffmpeg

# AAC frames overlap and SBR needs more history: decode this much before the wanted sample.
_PREROLL = 8 * 2048
# Encoders pad their last frames; MP4 states where the sound ends, so at most this much is dropped.
_PADDING_MAX = 4 * 2048


class FfmpegReader:
    """Read through FFmpeg; after reading, ``failure`` says why it ended early, if it did."""

    def __init__(self, path: Path, info: AudioInfo) -> None:
        self._path, self._info, self.failure = path, info, ""

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
        with open_ffmpeg(self._path) as container:
            stream = container.streams.audio[0]
            exact = container.format.name in EXACT_CONTAINERS
            position: int | None = 0
            tick_s, origin = stream.time_base or Fraction(1, self._info.rate), stream.start_time or 0
            if exact and start > _PREROLL:
                position = None
                container.seek(origin + int(Fraction(start - _PREROLL, self._info.rate) / tick_s), stream=stream)
            promised = self._info.n_samples if exact else 0
            for frame in self._frames(container, stream):
                if position is None:
                    position = round(((frame.pts or 0) - origin) * tick_s * self._info.rate)
                samples = _as_float(frame)
                end = position + len(samples)
                if promised and promised < end <= promised + _PADDING_MAX:
                    end = max(promised, position)
                low, high = max(start, position), min(stop, end)
                if high > low:
                    yield samples[low - position : high - position]
                position += len(samples)
                if position >= stop:
                    return

    def _frames(self, container: av.container.InputContainer, stream: av.audio.AudioStream) -> Iterator[av.AudioFrame]:
        frames = container.decode(stream)
        while True:
            try:
                frame = next(frames, None)
            except (av.FFmpegError, EOFError) as error:
                self.failure = f"decoding fails ({getattr(error, 'strerror', None) or error})"
                return
            if frame is None:
                return
            if frame.sample_rate != self._info.rate or frame.layout.nb_channels != self._info.channels:
                self.failure = "rate or channels change within the file"
                return
            yield frame


def _as_float(frame: av.AudioFrame) -> NDArray[np.float32]:
    """Return a frame as float32 of shape (n, channels), full scale 1."""
    raw: NDArray[Any] = frame.to_ndarray()
    samples = raw.T if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels)
    out: NDArray[np.float32] = np.ascontiguousarray(samples, dtype=np.float32)
    if samples.dtype.kind == "u":
        return (out - np.float32(128)) / np.float32(128)
    if samples.dtype.kind == "i":
        return out / np.float32(1 << (8 * samples.dtype.itemsize - 1))
    return out
