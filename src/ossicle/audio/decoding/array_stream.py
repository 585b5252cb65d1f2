"""Samples in memory as a recording: checked, mixed to mono and resampled like those of a file."""

from collections.abc import Iterator
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.audio.decoding.channels import ChannelBalance, LoudestChannel, channel_index, one_channel
from ossicle.audio.decoding.damage import damage
from ossicle.audio.decoding.decode import BLOCK_SAMPLES, DecodeReport
from ossicle.audio.decoding.resample import Resampler
from ossicle.core.errors import AudioError
from ossicle.core.model_input.channel import LOUDEST, MEAN


class ArrayStream:
    """A recording of samples in memory, block by block at ``rate`` Hz.

    Like :class:`~ossicle.audio.decoding.mono.MonoStream` it is iterated once, and then has a ``report``. ``samples``
    are those of :func:`mono_samples` at ``own_rate`` Hz, of which any ``channel`` may be chosen. Raises ValueError for
    invalid samples or rates.
    """

    def __init__(self, samples: ArrayLike, own_rate: int, rate: int, channel: str = MEAN) -> None:
        self._own_rate, self.rate = checked_rate(own_rate), rate
        channels = checked_samples(samples)
        self._cancel_db = _cancel_db(channels, self._own_rate) if channel == MEAN else None
        self._samples = _one_channel(channels, channel, whole=True)

    @property
    def report(self) -> DecodeReport:
        """How reading ended: all samples were read."""
        n_samples = len(self._samples)
        status: Literal["ok", "silent"] = "ok" if self._samples.any() or self._cancel_db is not None else "silent"
        return DecodeReport(n_samples, status, "", n_samples / self._own_rate, self._cancel_db)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        resampler = Resampler(self._own_rate, self.rate)
        for start in range(0, len(self._samples), BLOCK_SAMPLES):
            yield resampler.feed(self._samples[start : start + BLOCK_SAMPLES])
        yield resampler.feed(np.zeros(0, dtype=np.float32), last=True)


def mono_samples(samples: ArrayLike, channel: str = MEAN) -> NDArray[np.float32]:
    """Check samples and choose or mix their channels.

    Parameters
    ----------
    samples
        Real numbers, shape (n,) or (n, channels), full scale being -1 to 1.
    channel
        The channel to take, as in :mod:`ossicle.core.model_input.channel`. Which one is the loudest is not known of a
        part of a recording.

    Returns
    -------
    float32, shape (n,): the channel, or the mean of all.

    Raises
    ------
    ValueError
        As :func:`checked_samples`, and if there is no such channel.

    Examples
    --------
    >>> mono_samples([[0.5, 0.25], [1.0, 0.0]]).tolist(), mono_samples([[0.5, 0.25], [1.0, 0.0]], "2").tolist()
    ([0.375, 0.5], [0.25, 0.0])
    """
    return _one_channel(checked_samples(samples), channel, whole=False)


def _one_channel(samples: NDArray[np.float32], channel: str, *, whole: bool) -> NDArray[np.float32]:
    """Return one channel of samples (n,) or (n, channels); ``whole`` tells whether they are a whole recording."""
    block = samples.reshape(len(samples), -1)
    if whole and channel == LOUDEST:
        loudest = LoudestChannel(block.shape[1])
        loudest.add(block)
        return one_channel(block, loudest.index)
    try:
        return one_channel(block, channel_index(channel, block.shape[1]))
    except AudioError as error:
        raise ValueError(f"samples: {error}") from None


def _cancel_db(samples: NDArray[np.float32], rate: int) -> float | None:
    block = samples.reshape(len(samples), -1)
    balance = ChannelBalance(rate, block.shape[1])
    if block.shape[1] > 1:
        for start in range(0, len(block), BLOCK_SAMPLES):
            balance.add(block[start : start + BLOCK_SAMPLES])
    return balance.cancel_db


def checked_samples(samples: ArrayLike) -> NDArray[np.float32]:
    """Return samples as float32 of the same shape.

    Raises
    ------
    ValueError
        For other shapes than (n,) or (n, channels), whole numbers (whose full scale is not known), NaN, Inf, and values
        far beyond full scale.
    """
    array = np.asarray(samples)
    if array.size == 0:
        array = array.astype(np.float32)
    if array.dtype.kind in "iu":
        raise ValueError(
            f"samples are integers ({array.dtype}) of unknown full scale: divide them by it (32768 for 16 bits)"
        )
    if array.dtype.kind != "f":
        raise ValueError(f"samples are of the type {array.dtype}, not real numbers")
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise ValueError(f"samples have the shape {array.shape}; give (n,) or (n, channels)")
    if (fault := damage(array)) is not None:
        raise ValueError(f"samples contain {fault[1]}, first in sample {fault[0]}; full scale is -1 to 1")
    checked: NDArray[np.float32] = array.astype(np.float32, copy=False)
    return checked


def checked_rate(rate: object) -> int:
    """Return ``rate`` as a whole number of Hz; raises ValueError if it is not one, or not positive."""
    if isinstance(rate, bool) or not isinstance(rate, Real) or float(rate) < 1 or not float(rate).is_integer():
        raise ValueError(f"rate = {rate!r} is not a positive whole number of Hz")
    return int(float(rate))
