"""Whole recordings in memory, up to a number of bytes; the least recently used are dropped first."""

from collections import OrderedDict
from typing import Any

from numpy.typing import NDArray


class RecordingCache:
    """Samples by recording id, never more than ``budget_bytes``; a recording larger than that is not kept.

    >>> import numpy as np
    >>> cache = RecordingCache(8)
    >>> for name in "abc":
    ...     cache.put(name, np.zeros(2, np.int16))
    >>> [name for name in "abc" if cache.get(name) is not None], cache.bytes
    (['b', 'c'], 8)
    """

    def __init__(self, budget_bytes: int) -> None:
        if budget_bytes < 0:
            raise ValueError(f"budget_bytes = {budget_bytes} must not be negative")
        self.budget_bytes = budget_bytes
        self.bytes = 0
        self._held: OrderedDict[str, NDArray[Any]] = OrderedDict()

    def fits(self, n_bytes: int) -> bool:
        """Return whether something of this size would be kept."""
        return 0 < n_bytes <= self.budget_bytes

    def get(self, name: str) -> NDArray[Any] | None:
        """Return the samples of this name and mark them as most recently used; None if there are none."""
        samples = self._held.get(name)
        if samples is not None:
            self._held.move_to_end(name)
        return samples

    def put(self, name: str, samples: NDArray[Any]) -> None:
        """Keep samples unchanged if they fit."""
        if not self.fits(samples.nbytes) or name in self._held:
            return
        while self.bytes + samples.nbytes > self.budget_bytes:
            self.bytes -= self._held.popitem(last=False)[1].nbytes
        self._held[name] = samples
        self.bytes += samples.nbytes

    def clear(self) -> None:
        """Empty the cache."""
        self._held.clear()
        self.bytes = 0
