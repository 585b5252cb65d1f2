"""The sounds that a vocoder filters: harmonics of F0, and noise.

Any stretch of them can be computed by itself, with the same samples: a long sound is made block by block without seams.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of

_NOISE_UNITS = 64
_PHASE_UNITS = 4096
_LOWEST_HZ = 10.0


class HarmonicSource:
    """Equal harmonics of F0 below half the sample rate, with a power of 1 where the sound is voiced, and 0 elsewhere.

    F0 is interpolated on a log scale between the centres of units, through unvoiced ones too; voicing fades between
    centres. The phase is a sum in float64, so its frequency is that of F0 and it never jumps.

    Parameters
    ----------
    f0_hz
        F0 at the centre of each unit, shape (n,); 0: unvoiced.
    hop
        Samples of each unit.
    rate
        Sample rate.
    """

    def __init__(self, f0_hz: NDArray[np.floating], hop: int, rate: int) -> None:
        f0 = np.asarray(f0_hz, np.float64)
        voiced = np.flatnonzero(f0 > 0)
        self._hop, self._rate, self._n = hop, rate, len(f0)
        self._voiced = (f0 > 0).astype(np.float64)
        limited = np.clip(f0[voiced], _LOWEST_HZ, rate / 4)
        self._log = np.interp(np.arange(len(f0)), voiced, np.log(limited)) if len(voiced) else np.zeros(len(f0))
        advance = [
            self._f0(first, min(first + _PHASE_UNITS, self._n)).sum(axis=1) for first in range(0, self._n, _PHASE_UNITS)
        ]
        self._starts = np.concatenate([[0.0], np.cumsum(np.concatenate([[0.0], *advance]) / rate)])[1:] % 1.0

    def _between_centres(self, values: NDArray[np.float64], first: int, last: int) -> NDArray[np.float64]:
        """Return values at the samples of units ``first`` to ``last``, shape (last - first, hop)."""
        low, high = max(first - 1, 0), min(last + 1, self._n)
        positions = (np.arange(first * self._hop, last * self._hop) + 0.5) / self._hop - 0.5
        return np.interp(positions, np.arange(low, high), values[low:high]).reshape(last - first, self._hop)

    def _f0(self, first: int, last: int) -> NDArray[np.float64]:
        return np.exp(self._between_centres(self._log, first, last))

    def samples(self, first: int, last: int) -> NDArray[np.float32]:
        """Return the samples of units ``first`` to ``last``, float32, shape ((last - first) * hop,).

        Parameters
        ----------
        first, last
            The first unit, and the one after the last.
        """
        if first >= last:
            return np.zeros(0, np.float32)
        f0 = self._f0(first, last)
        phase = 2 * np.pi * (self._starts[first:last, None] + np.cumsum(f0, axis=1) / self._rate)
        # The highest harmonic fades in as F0 falls, so the number of harmonics changes without a click.
        room = self._rate / 2 / f0 - 1
        whole = np.floor(room)
        part = room - whole
        low = np.sin(phase / 2)
        near = np.abs(low) < 1e-9
        total = np.where(near, whole + 0.5, np.sin((whole + 0.5) * phase) / (2 * np.where(near, 1.0, low))) - 0.5
        total += part * np.cos((whole + 1) * phase)
        total *= np.sqrt(2 / (whole + part**2)) * self._between_centres(self._voiced, first, last)
        return total.astype(np.float32).ravel()


def noise(seed: int, first: int, last: int, hop: int) -> NDArray[np.float32]:
    """Return white noise of power 1 for units ``first`` to ``last``, a function of the seed and the unit.

    Parameters
    ----------
    seed
        Seed of the whole sound.
    first, last
        The first unit, and the one after the last.
    hop
        Samples of each unit.

    Returns
    -------
    NDArray[np.float32]
        Shape ((last - first) * hop,).

    Examples
    --------
    >>> bool((noise(0, 0, 100, 8)[70 * 8 :] == noise(0, 70, 100, 8)).all())
    True
    """
    blocks = range(first // _NOISE_UNITS, -(-last // _NOISE_UNITS))
    drawn = [
        np.random.default_rng(seed_of(seed, "noise", block)).standard_normal(_NOISE_UNITS * hop, np.float32)
        for block in blocks
    ]
    if not drawn:
        return np.zeros(0, np.float32)
    start = (first - blocks[0] * _NOISE_UNITS) * hop
    return np.concatenate(drawn)[start : start + (last - first) * hop]
