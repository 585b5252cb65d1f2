"""The F0 of every unit of a segment, tracked in blocks."""

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.pitch.trackers import Tracker
from ossicle.core.time import to_samples, to_seconds

_BLOCK_S, _AROUND_S = 120.0, 1.0


def unit_f0(
    samples: NDArray[np.floating], n_units: int, rate: int, hop_s: float, origin_s: float, tracker: Tracker
) -> NDArray[np.float32]:
    """Return the F0 at the centre of each unit, so that a segment of hours needs no more memory than two minutes.

    Parameters
    ----------
    samples
        The segment from its start, shape (n,).
    n_units
        Number of its units.
    rate
        Sample rate in Hz.
    hop_s, origin_s
        Distance of the centres of units, and the first centre, in seconds from the start of the segment.
    tracker
        From :func:`~ossicle.audio.pitch.trackers.pitch_tracker`; one for many segments, as some take long to load.

    Returns
    -------
    NDArray[np.float32]
        Hz, 0 where it is unvoiced, shape (n_units,).
    """
    unit_hz = np.zeros(n_units, np.float32)
    a_block = max(1, round(_BLOCK_S / hop_s))
    for first in range(0, n_units, a_block):
        centres = origin_s + hop_s * np.arange(first, min(n_units, first + a_block))
        start = max(0, to_samples(float(centres[0]) - _AROUND_S, rate))
        block = samples[start : to_samples(float(centres[-1]) + _AROUND_S, rate)].astype(np.float32)
        unit_hz[first : first + len(centres)] = tracker(block, rate).at(centres - to_seconds(start, rate)).f0_hz
    return unit_hz
