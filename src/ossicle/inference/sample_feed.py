"""Samples of a live stream at any rate, as the mono samples that a model reads."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.audio.decoding.array_stream import checked_rate, mono_samples
from ossicle.audio.decoding.resample import Resampler
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.time import to_seconds


class SampleFeed:
    """Check, mix and resample the samples that a stream is fed, until it is finished.

    ``rate`` is the sample rate of what is fed in Hz, by default that of the plan; raises ValueError if it is not a
    positive whole number.
    """

    def __init__(self, plan: ChunkPlan, rate: int | None = None) -> None:
        self.rate = plan.rate if rate is None else checked_rate(rate)
        self._model_rate, self._channel = plan.rate, plan.channel
        self._resampler = Resampler(self.rate, self._model_rate)
        self._n_samples, self._open = 0, True

    @property
    def fed_s(self) -> float:
        """Seconds of sound that were fed."""
        return to_seconds(self._n_samples, self.rate)

    def take(self, samples: ArrayLike) -> NDArray[np.float32]:
        """Return the samples at the model's rate, float32 (n,), that are ready after these; raises ValueError."""
        self.require_open()
        mono = mono_samples(samples, self._channel)
        self._n_samples += len(mono)
        return self._resampler.feed(mono)

    def rest(self) -> NDArray[np.float32]:
        """Return the samples that the resampler still holds; what is fed next is not joined to them."""
        self.require_open()
        left = self._resampler.feed(np.zeros(0, dtype=np.float32), last=True)
        self._resampler = Resampler(self.rate, self._model_rate)
        return left

    def close(self) -> None:
        """Accept no more samples."""
        self._open = False

    def require_open(self) -> None:
        """Raise ValueError if the stream has finished."""
        if not self._open:
            raise ValueError("this stream has finished: make another one for the next recording")
