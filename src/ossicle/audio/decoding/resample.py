"""Streaming resampling (soxr, quality HQ).

The result is bit-identical for any block size, and has no delay: sample k of the output is at time k / new_rate of the
input. Its length is exactly ``core.time.samples_at_rate`` of the input's.
"""

import math

import numpy as np
import soxr
from numpy.typing import NDArray

from ossicle.core.time import samples_at_rate

QUALITY = "HQ"


class Resampler:
    """Resample mono float32 blocks from ``rate`` Hz to ``new_rate`` Hz."""

    def __init__(self, rate: int, new_rate: int) -> None:
        self._rate, self._new_rate = rate, new_rate
        self._stream = (
            None if rate == new_rate else soxr.ResampleStream(rate, new_rate, 1, dtype="float32", quality=QUALITY)
        )
        self._n_in = self._n_out = 0

    def feed(self, block: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """Return the samples that are ready after ``block`` (n,), possibly none; with ``last`` all remaining ones."""
        self._n_in += len(block)
        resampled: NDArray[np.float32]
        resampled = (
            block if self._stream is None else self._stream.resample_chunk(np.ascontiguousarray(block), last=last)
        )
        if last:
            # soxr rounds the length like core.time; if a version differs by a sample, times still stay exact.
            left = samples_at_rate(self._n_in, self._rate, self._new_rate) - self._n_out
            resampled = resampled[:left] if len(resampled) >= left else np.pad(resampled, (0, left - len(resampled)))
        self._n_out += len(resampled)
        return resampled


def common_period(rate: int, new_rate: int) -> int:
    """Return the samples at ``rate`` after which samples of both rates coincide: a crop that starts there keeps its
    phase.

    >>> common_period(44100, 16000)
    441
    """
    return rate // math.gcd(rate, new_rate)


def margin_samples(rate: int, new_rate: int) -> int:
    """Return the samples at ``rate`` on each side of a crop beyond which the filter's tail is below 1e-5 of full
    scale.
    """
    return 0 if rate == new_rate else 512 * max(1, -(-rate // new_rate))
