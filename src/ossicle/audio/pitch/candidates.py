"""Candidates for the period of each frame: dips of the difference of speech and the same speech a period later.

The difference function is that of YIN, over all pairs of samples of a frame that lie a lag apart, so that every lag is
judged around the centre of the frame. Probabilities of dips are those of probabilistic YIN, in closed form: a dip has
the share of thresholds that are above it and below all dips at shorter lags.

References
----------
A. de Cheveigné, H. Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111(4), 2002.
M. Mauch, S. Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions", ICASSP 2014.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

MOST = 6
"""Candidates of a frame."""

# Mean square of a frame below which it is silent: -100 dB of full scale.
_SILENT = 1e-10
# Thresholds are distributed as Beta(2, 18), with mean 0.1.
_OTHERS = 19


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Candidates of frames, the most probable of each frame first.

    Attributes
    ----------
    f0_hz
        float32, shape (n, MOST); 1 where there is no candidate.
    probability
        float32, shape (n, MOST); 0 where there is none. Those of a frame sum to at most 1.
    """

    f0_hz: NDArray[np.float32]
    probability: NDArray[np.float32]


def frame_candidates(frames: NDArray[np.float32], rate: float, low_hz: float, high_hz: float) -> Candidates:
    """Return the candidates of each frame.

    Parameters
    ----------
    frames
        float32, shape (n, length); at least two periods of ``low_hz`` long.
    rate
        Sample rate in Hz.
    low_hz, high_hz
        Range of F0.
    """
    longest = int(np.ceil(rate / low_hz)) + 1
    shortest = max(2, int(rate / high_hz))
    dips = _normalised_difference(frames, longest)
    inner = dips[:, shortest:-1]
    before, after = dips[:, shortest - 1 : -2], dips[:, shortest + 1 :]
    is_dip = (inner < before) & (inner <= after) & (inner < 1.0)
    curve = before + after - 2 * inner
    shift = np.where(is_dip, 0.5 * (before - after) / np.where(curve > 0, curve, 1.0), 0.0)
    lowest = np.where(is_dip, inner - 0.25 * (before - after) * shift, 1.0).clip(0.0, 1.0)
    shorter = np.minimum.accumulate(np.pad(lowest, ((0, 0), (1, 0)), constant_values=1.0)[:, :-1], axis=1)
    chance = np.maximum(_below(shorter) - _below(lowest), 0.0)
    f0_hz = rate / (np.arange(shortest, shortest + inner.shape[1]) + shift)
    chance[(f0_hz < low_hz) | (f0_hz > high_hz)] = 0.0
    best = np.argsort(-chance, axis=1, kind="stable")[:, :MOST]
    probability = np.take_along_axis(chance, best, axis=1)
    hz = np.where(probability > 0, np.take_along_axis(f0_hz, best, axis=1), 1.0)
    return Candidates(hz.astype(np.float32), probability.astype(np.float32))


def _below(threshold: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of thresholds below a value: the distribution function of Beta(2, 18)."""
    rest = 1 - threshold
    power = rest**18
    shares: NDArray[np.float32] = 1 - power * (rest + _OTHERS * threshold)
    return shares


def _normalised_difference(frames: NDArray[np.float32], longest: int) -> NDArray[np.float32]:
    """Return YIN's cumulative mean normalised difference at lags 0 to ``longest``: (n, longest + 1); 1 in silence."""
    length = frames.shape[1]
    centred = frames - frames.mean(axis=1, keepdims=True)
    n_fft = scipy.fft.next_fast_len(length + longest + 1, real=True)
    spectrum = scipy.fft.rfft(centred, n_fft, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    together = scipy.fft.irfft(power, n_fft, axis=1)[:, : longest + 1]
    energy = np.cumsum(np.square(centred, dtype=np.float64), axis=1)
    total = energy[:, -1:]
    lags = np.arange(longest + 1)
    # Samples [0, length - lag) and [lag, length).
    first = energy[:, length - 1 - lags]
    last = total - np.pad(energy, ((0, 0), (1, 0)))[:, lags]
    mean = np.maximum(first + last - 2 * together, 0.0) / (length - lags)
    sums = np.cumsum(mean, axis=1)
    loud = (sums > 0) & (total > _SILENT * length)
    difference = np.where(loud, mean * np.maximum(lags, 1) / np.where(loud, sums, 1.0), 1.0)
    difference[:, 0] = 1.0
    return difference.astype(np.float32)
