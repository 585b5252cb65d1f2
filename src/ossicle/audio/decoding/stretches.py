"""Cut stretches out of a stream of samples as it passes, in one pass and bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


def stretches_of(
    blocks: Iterable[NDArray[np.float32]], starts: NDArray[np.int64], n_samples: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield stretches of one length as soon as their samples have passed.

    Memory is one block and what the open stretches share.

    Parameters
    ----------
    blocks
        Samples of a recording, float32 (k,) each.
    starts
        int64 (n,): the first sample of each stretch, in any order; it may be negative.
    n_samples
        Length of every stretch.

    Yields
    ------
    place, samples
        The stretch's place in ``starts``, and its samples, float32 (n_samples,): zeros before the start and after the
        end of the recording. In the order of the starts.

    Examples
    --------
    >>> blocks = [np.arange(4, dtype=np.float32), np.arange(4, 6, dtype=np.float32)]
    >>> [(place, cut.tolist()) for place, cut in stretches_of(blocks, np.array([3, -1]), 3)]
    [(1, [0.0, 0.0, 1.0]), (0, [3.0, 4.0, 5.0])]
    """
    order = np.argsort(starts, kind="stable")
    waiting = deque(zip(starts[order].tolist(), order.tolist(), strict=True))
    held, first = np.zeros(0, dtype=np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        while waiting and waiting[0][0] + n_samples <= first + len(held):
            start, stretch_index = waiting.popleft()
            yield stretch_index, _padded(held, start - first, n_samples)
        # Stretches wait in the order of their starts, so nothing before the next one is needed.
        needed = waiting[0][0] if waiting else first + len(held)
        drop = min(max(needed - first, 0), len(held))
        held, first = held[drop:].copy(), first + drop
    while waiting:
        start, stretch_index = waiting.popleft()
        yield stretch_index, _padded(held, start - first, n_samples)


def _padded(held: NDArray[np.float32], start: int, n_samples: int) -> NDArray[np.float32]:
    """Return ``held[start : start + n_samples]``, zeros for samples that do not exist; ``start`` may be negative."""
    padded = np.zeros(n_samples, dtype=np.float32)
    low, high = max(start, 0), min(start + n_samples, len(held))
    if high > low:
        padded[low - start : high - start] = held[low:high]
    return padded
