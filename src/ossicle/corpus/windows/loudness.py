"""The level of every window of a recording, and the loudest ones, which are no steady sound: steps, voices, doors."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.encoders.windows import batches


def window_rms(blocks: Iterable[NDArray[np.float32]], window_samples: int, hop_samples: int) -> NDArray[np.float64]:
    """Return the root mean square of each full window, shape (n_windows,); window k starts at ``k * hop_samples``.

    Parameters
    ----------
    blocks
        The samples of a recording, block by block, of any sizes.
    window_samples, hop_samples
        Length of a window, and distance of their starts.
    """
    parts = [
        np.sqrt(np.square(windows, dtype=np.float64).mean(axis=1))
        for _, windows in batches(blocks, window_samples, hop_samples)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def loudest(rms: NDArray[np.float64], percent: float) -> NDArray[np.bool_]:
    """Return which windows of a recording are the loudest ``percent`` of them, shape (n_windows,).

    Their number is rounded to the nearest integer, and at least one window is left. Of equals the later ones are loud.

    >>> loudest(np.array([0.1, 0.9, 0.2, 0.3]), 25.0).tolist()
    [False, True, False, False]
    """
    count = min(round(percent / 100 * len(rms)), max(len(rms) - 1, 0))
    is_loudest = np.zeros(len(rms), dtype=np.bool_)
    is_loudest[np.argsort(rms, kind="stable")[len(rms) - count :]] = True
    return is_loudest
