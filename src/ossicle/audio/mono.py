"""Recordings in the form used everywhere else: float32 mono (mean of the channels) at one rate."""

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decode import BLOCK_SAMPLES, AudioSource, DecodeReport
from ossicle.audio.info import AudioInfo, DecoderChoice
from ossicle.audio.resample import Resampler, common_period, margin_samples
from ossicle.core.time import samples_at_rate, to_samples


class MonoStream:
    """Read a whole recording, block by block, at ``rate`` Hz.

    Blocks have shape (n,); together they are ``samples_at_rate(report.n_samples, info.rate, rate)`` samples long.
    Raises AudioError like :class:`~ossicle.audio.decode.AudioSource`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        rate: int,
        *,
        block_samples: int = BLOCK_SAMPLES,
        decoder: DecoderChoice = "auto",
        info: AudioInfo | None = None,
    ) -> None:
        self._source = AudioSource(path, decoder, info)
        self._block_samples = block_samples
        self.rate = rate

    @property
    def info(self) -> AudioInfo:
        """The file's header."""
        return self._source.info

    @property
    def report(self) -> DecodeReport:
        """How decoding ended; known once the stream is exhausted."""
        return self._source.report

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        resampler = Resampler(self.info.rate, self.rate)
        for block in self._source.blocks(block_samples=self._block_samples):
            out = resampler.feed(mix(block))
            if len(out):
                yield out
        rest = resampler.feed(np.zeros(0, dtype=np.float32), last=True)
        if len(rest):
            yield rest


def mix(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the channels of a block (n, channels), shape (n,)."""
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0]
    total = block[:, 0] + block[:, 1]
    for channel in range(2, channels):
        total += block[:, channel]
    mean: NDArray[np.float32] = total / np.float32(channels)
    return mean


def load_mono(
    path: str | os.PathLike[str], rate: int, start_s: float = 0.0, duration_s: float | None = None
) -> NDArray[np.float32]:
    """Return the stretch [start_s, start_s + duration_s) of a recording at ``rate`` Hz: float32, shape (n,).

    It equals that slice of the whole resampled recording within 1e-4: enough is read on either side for the filter to
    settle. Like a slice, it is shorter if it reaches beyond the end.

    Parameters
    ----------
    path
        The audio file.
    rate
        Sample rate of the result in Hz.
    start_s, duration_s
        Start and length in seconds; None reads to the end.

    Raises
    ------
    AudioError
        If the file cannot be read.
    ValueError
        For negative times.
    """
    if start_s < 0 or (duration_s is not None and duration_s < 0):
        raise ValueError(f"start_s = {start_s:g} and duration_s = {duration_s} must not be negative")
    first = to_samples(start_s, rate)
    stop = None if duration_s is None else to_samples(start_s + duration_s, rate)
    return crop_mono(AudioSource(path), rate, first, stop)


def crop_mono(source: AudioSource, rate: int, first: int, stop: int | None) -> NDArray[np.float32]:
    """Return samples [first, stop) of a recording at ``rate`` Hz (None: to its end), shape (n,); see
    :func:`load_mono`.
    """
    own = source.info.rate
    period, margin = common_period(own, rate), margin_samples(own, rate)
    lead_periods = max(0, samples_at_rate(first, rate, own) - margin) // period
    skipped = samples_at_rate(lead_periods * period, own, rate)
    length: int | None = None
    wanted = slice(first - skipped, None)
    if stop is not None:
        length = samples_at_rate(stop, rate, own) + margin - lead_periods * period
        wanted = slice(first - skipped, stop - skipped)
    resampler = Resampler(own, rate)
    parts = [resampler.feed(mix(b)) for b in source.blocks(start_sample=lead_periods * period, n_samples=length)]
    parts.append(resampler.feed(np.zeros(0, dtype=np.float32), last=True))
    return np.concatenate(parts)[wanted]
