"""Samples in memory as a recording: checked, mixed to mono and resampled like those of a file."""

from collections.abc import Iterator
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.audio.damage import damage
from ossicle.audio.decode import BLOCK_SAMPLES, DecodeReport
from ossicle.audio.mono import mix
from ossicle.audio.resample import Resampler


class ArrayStream:
    """A recording of samples in memory, block by block at ``rate`` Hz.

    Like :class:`~ossicle.audio.mono.MonoStream` it is iterated once, and then has a ``report``. ``samples`` are those
    of :func:`mono_samples` at ``own_rate`` Hz. Raises ValueError for invalid samples or rates.
    """

    def __init__(self, samples: ArrayLike, own_rate: int, rate: int) -> None:
        self._samples, self._own_rate, self.rate = mono_samples(samples), checked_rate(own_rate), rate

    @property
    def report(self) -> DecodeReport:
        """How reading ended: all samples were read."""
        n_samples = len(self._samples)
        return DecodeReport(n_samples, "ok" if self._samples.any() else "silent", "", n_samples / self._own_rate)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        resampler = Resampler(self._own_rate, self.rate)
        for start in range(0, len(self._samples), BLOCK_SAMPLES):
            yield resampler.feed(self._samples[start : start + BLOCK_SAMPLES])
        yield resampler.feed(np.zeros(0, dtype=np.float32), last=True)


def mono_samples(samples: ArrayLike) -> NDArray[np.float32]:
    """Check samples and mix their channels.

    Parameters
    ----------
    samples
        Real numbers, shape (n,) or (n, channels), full scale being -1 to 1.

    Returns
    -------
    float32, shape (n,): the mean of the channels.

    Raises
    ------
    ValueError
        For other shapes, whole numbers (whose full scale is not known), NaN, Inf, and values far beyond full scale.

    Examples
    --------
    >>> mono_samples([[0.5, 0.25], [1.0, 0.0]]).tolist()
    [0.375, 0.5]
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
    if (found := damage(array)) is not None:
        raise ValueError(f"samples contain {found[1]}, first in sample {found[0]}; full scale is -1 to 1")
    mono: NDArray[np.float32] = array.astype(np.float32, copy=False)
    return mix(mono) if mono.ndim == 2 else mono


def checked_rate(rate: object) -> int:
    """Return ``rate`` as a whole number of Hz; raises ValueError if it is not one, or not positive."""
    if isinstance(rate, bool) or not isinstance(rate, Real) or float(rate) < 1 or not float(rate).is_integer():
        raise ValueError(f"rate = {rate!r} is not a positive whole number of Hz")
    return int(float(rate))
