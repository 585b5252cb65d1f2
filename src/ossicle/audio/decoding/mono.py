"""Recordings in the form used everywhere else: float32 mono (mean of the channels, or one of them) at one rate."""

import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.channels import one_channel
from ossicle.audio.decoding.decode import BLOCK_SAMPLES, AudioSource, DecodeReport
from ossicle.audio.decoding.resample import Resampler, common_period, margin_samples
from ossicle.audio.info import AudioInfo, DecoderChoice
from ossicle.core.model_input.channel import MEAN
from ossicle.core.time import samples_at_rate, to_samples


class MonoStream:
    """Read a whole recording, block by block, at ``rate`` Hz.

    ``channel`` is the channel to read, as in :mod:`ossicle.core.model_input.channel`.

    Blocks have shape (n,); together they are ``samples_at_rate(report.n_samples, info.rate, rate)`` samples long.
    Raises AudioError like :class:`~ossicle.audio.decoding.decode.AudioSource`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        rate: int,
        *,
        block_samples: int = BLOCK_SAMPLES,
        decoder: DecoderChoice = "auto",
        info: AudioInfo | None = None,
        channel: str = MEAN,
    ) -> None:
        self._source = AudioSource(path, decoder, info)
        self._channel, self._heard = channel, False
        self._block_samples = block_samples
        self.rate = rate

    @property
    def info(self) -> AudioInfo:
        """The file's header."""
        return self._source.info

    @property
    def report(self) -> DecodeReport:
        """How decoding ended; known once the stream is exhausted."""
        report = self._source.report
        if self._channel == MEAN:
            return report
        # What cancels in the mean does not matter where one channel is read; whether that one is silent does.
        status = "silent" if report.status == "ok" and not self._heard else report.status
        return replace(report, status=status, cancel_db=None)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        index = self._source.channel(self._channel)
        resampler = Resampler(self.info.rate, self.rate)
        for block in self._source.blocks(block_samples=self._block_samples):
            chosen = one_channel(block, index)
            self._heard = self._heard or bool(chosen.any())
            resampled = resampler.feed(chosen)
            if len(resampled):
                yield resampled
        rest = resampler.feed(np.zeros(0, dtype=np.float32), last=True)
        if len(rest):
            yield rest


def load_mono(
    path: str | os.PathLike[str],
    rate: int,
    start_s: float = 0.0,
    duration_s: float | None = None,
    *,
    channel: str = MEAN,
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
    channel
        The channel to read, as in :mod:`ossicle.core.model_input.channel`.

    Raises
    ------
    AudioError
        If the file cannot be read, or has no such channel.
    ValueError
        For negative times.
    """
    if start_s < 0 or (duration_s is not None and duration_s < 0):
        raise ValueError(f"start_s = {start_s:g} and duration_s = {duration_s} must not be negative")
    first = to_samples(start_s, rate)
    stop = None if duration_s is None else to_samples(start_s + duration_s, rate)
    return crop_mono(AudioSource(path), rate, first, stop, channel=channel)


def crop_mono(
    source: AudioSource, rate: int, first: int, stop: int | None, *, channel: str = MEAN
) -> NDArray[np.float32]:
    """Return samples [first, stop) of a recording at ``rate`` Hz (None: to its end), shape (n,); see
    :func:`load_mono`.
    """
    source_rate, index = source.info.rate, source.channel(channel)
    period, margin = common_period(source_rate, rate), margin_samples(source_rate, rate)
    lead_periods = max(0, samples_at_rate(first, rate, source_rate) - margin) // period
    skipped = samples_at_rate(lead_periods * period, source_rate, rate)
    length: int | None = None
    kept_part = slice(first - skipped, None)
    if stop is not None:
        length = samples_at_rate(stop, rate, source_rate) + margin - lead_periods * period
        kept_part = slice(first - skipped, stop - skipped)
    resampler = Resampler(source_rate, rate)
    blocks = source.blocks(start_sample=lead_periods * period, n_samples=length)
    parts = [resampler.feed(one_channel(block, index)) for block in blocks]
    parts.append(resampler.feed(np.zeros(0, dtype=np.float32), last=True))
    return np.concatenate(parts)[kept_part]
