"""The level of a recording, frame by frame, from blocks of samples of any size."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

RATE = 16000
"""Samples per second of the sound that levels are measured on."""
WINDOW_SAMPLES, HOP_SAMPLES = 400, 160
"""Length of a frame (25 ms), and the distance between the starts of two frames (10 ms)."""
FLOOR_DBFS = -120.0
"""Level of digital silence."""

# Frames are sums of these parts, so that every sample is squared once.
_PART = 80
_PARTS_OF_WINDOW, _PARTS_OF_HOP = WINDOW_SAMPLES // _PART, HOP_SAMPLES // _PART


def frame_levels(blocks: Iterable[NDArray[np.float32]]) -> tuple[NDArray[np.float32], int]:
    """Return the RMS level of each frame of a recording.

    Frame k begins at sample ``k * HOP_SAMPLES``. The last frames reach beyond the end and are the level of what is
    there. The result does not depend on the sizes of the blocks. Memory is one block and 4 bytes a frame: 14 MB for
    ten hours.

    Parameters
    ----------
    blocks
        Samples at :data:`RATE` Hz, float32 (n,) each, full scale being -1 to 1.

    Returns
    -------
    levels
        float32 (n_frames,), dB relative to full scale, at least :data:`FLOOR_DBFS`; a frame begins at every hop.
    n_samples
        Number of samples.

    Examples
    --------
    >>> levels, n = frame_levels([np.ones(200, np.float32), np.zeros(520, np.float32)])
    >>> levels.round(1).tolist(), n
    ([-3.0, -10.0, -120.0, -120.0, -120.0], 720)
    """
    levels: list[NDArray[np.float32]] = []
    powers = np.zeros(0, dtype=np.float64)
    rest = np.zeros(0, dtype=np.float32)
    n_samples = 0
    for block in blocks:
        n_samples += len(block)
        joined = np.concatenate([rest, block]) if len(rest) else block
        whole = len(joined) // _PART * _PART
        powers = np.concatenate([powers, _powers(joined[:whole])])
        rest = joined[whole:].copy()
        n_frames = max(0, (len(powers) - _PARTS_OF_WINDOW) // _PARTS_OF_HOP + 1)
        levels.append(_levels(powers, n_frames, np.full(n_frames, WINDOW_SAMPLES)))
        powers = powers[n_frames * _PARTS_OF_HOP :]
    done = sum(map(len, levels))
    left = -(-(n_samples - done * HOP_SAMPLES) // HOP_SAMPLES)
    if len(rest):
        powers = np.concatenate([powers, _powers(np.pad(rest, (0, _PART - len(rest))))])
    powers = np.pad(powers, (0, max(0, left * _PARTS_OF_HOP + _PARTS_OF_WINDOW - len(powers))))
    starts = (done + np.arange(left)) * HOP_SAMPLES
    levels.append(_levels(powers, left, np.minimum(WINDOW_SAMPLES, n_samples - starts)))
    return np.concatenate(levels), n_samples


def _powers(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sum of squares of each part of whole parts; each row is added in the same order in any block."""
    sums: NDArray[np.float64] = np.square(samples.reshape(-1, _PART), dtype=np.float64).sum(axis=1)
    return sums


def _levels(powers: NDArray[np.float64], n_frames: int, n_samples: NDArray[np.int64]) -> NDArray[np.float32]:
    total = np.zeros(n_frames)
    for part in range(_PARTS_OF_WINDOW):
        total += powers[part : part + n_frames * _PARTS_OF_HOP : _PARTS_OF_HOP][:n_frames]
    least = 10 ** (FLOOR_DBFS / 10)
    levels: NDArray[np.float32] = (10 * np.log10(np.maximum(total / np.maximum(n_samples, 1), least))).astype(
        np.float32
    )
    return levels
