"""A bounded buffer between the callback of a sound device and the engine.

The callback must never wait. When the buffer is full its block is dropped, and the number of lost samples is kept for
the next block that fits.
"""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Block:
    """What a callback delivered.

    Parameters
    ----------
    samples
        float32, shape (n, channels).
    end_time_s
        Monotonic time at which its last sample was heard, in seconds.
    lost_samples
        Samples between the previous block and this one that the full buffer dropped.
    device_lost
        Whether the device reports that it lost samples before this block; it does not say how many.
    """

    samples: NDArray[np.float32]
    end_time_s: float
    lost_samples: int = 0
    device_lost: bool = False


class RingBuffer:
    """Blocks in the order of their capture, at most ``capacity_samples`` samples of them.

    Examples
    --------
    >>> ring = RingBuffer(3)
    >>> for second in (1.0, 2.0, 3.0):
    ...     ring.write(np.zeros((2, 1), dtype=np.float32), second)
    >>> [(block.end_time_s, block.lost_samples) for block in ring.read()]
    [(1.0, 0)]
    >>> ring.write(np.zeros((2, 1), dtype=np.float32), 4.0)
    >>> [(block.end_time_s, block.lost_samples) for block in ring.read()]
    [(4.0, 4)]
    """

    def __init__(self, capacity_samples: int) -> None:
        self._capacity = capacity_samples
        self._lock = threading.Lock()
        self._blocks: deque[Block] = deque()
        self._held, self._lost, self._device_lost = 0, 0, False
        self.ready = threading.Event()
        """Set while blocks wait to be read."""

    def write(self, samples: NDArray[np.float32], end_time_s: float, *, device_lost: bool = False) -> None:
        """Keep a copy of a block, or count it as lost; called by the device and never waits for the engine."""
        copy = samples.copy()
        with self._lock:
            self._device_lost |= device_lost
            if self._held + len(copy) > self._capacity:
                self._lost += len(copy)
                return
            self._blocks.append(Block(copy, end_time_s, self._lost, self._device_lost))
            self._held += len(copy)
            self._lost, self._device_lost = 0, False
            self.ready.set()

    def read(self) -> list[Block]:
        """Take all blocks."""
        with self._lock:
            blocks = list(self._blocks)
            self._blocks.clear()
            self._held = 0
            self.ready.clear()
        return blocks

    def clear(self) -> None:
        """Forget everything, lost samples too: the device was opened again."""
        with self._lock:
            self._blocks.clear()
            self._held, self._lost, self._device_lost = 0, 0, False
            self.ready.clear()
