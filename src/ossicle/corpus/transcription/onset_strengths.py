"""How strong the hits of a recording are, from 0 to 1, by their levels."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

# From a little before an onset to where most drums have reached their peak.
_BEFORE_S, _AFTER_S = 0.005, 0.05
_STEP_S = 0.005


def peak_envelope(blocks: Iterable[NDArray[np.float32]], rate: int) -> NDArray[np.float64]:
    """Return the highest amplitude of each 5 ms of a recording, float64 (n,).

    Parameters
    ----------
    blocks
        The samples, block by block, (n, channels).
    rate
        Samples a second.
    """
    step = max(1, round(_STEP_S * rate))
    peaks: list[NDArray[np.float64]] = []
    rest = np.zeros(0)
    for block in blocks:
        loudest = np.concatenate([rest, np.abs(block.astype(np.float64)).max(axis=1)])
        whole = len(loudest) // step * step
        peaks.append(loudest[:whole].reshape(-1, step).max(axis=1))
        rest = loudest[whole:]
    return np.concatenate([*peaks, rest.max(initial=0.0, keepdims=True)])


def level_strengths(onsets_s: Sequence[float], envelope: NDArray[np.float64]) -> list[float]:
    """Return the strength of each onset: the root of its peak beside that of the loudest onset.

    So a hit 12 dB below the loudest has half its velocity, as synthesisers read velocities (40 log10 of their ratio).

    Parameters
    ----------
    onsets_s
        Onsets in seconds.
    envelope
        What :func:`peak_envelope` returned.

    Examples
    --------
    >>> [round(one, 2) for one in level_strengths([0.0, 0.1], np.array([1.0] * 5 + [0.25] * 30))]
    [1.0, 0.5]
    """
    peaks = []
    for onset_s in onsets_s:
        first = max(0, int((onset_s - _BEFORE_S) / _STEP_S))
        peaks.append(float(envelope[first : int((onset_s + _AFTER_S) / _STEP_S) + 1].max(initial=0.0)))
    loudest = max(peaks, default=0.0)
    return [float(np.sqrt(peak / loudest)) if loudest > 0 else 0.0 for peak in peaks]
