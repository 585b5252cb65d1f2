"""F0 of speech over time: a contour every 10 ms, and its values at other times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.pitch.best_path import best_path
from ossicle.audio.pitch.candidates import MOST, Candidates, frame_candidates

TRACKER_VERSION = 1
"""Raise it when the tracker gives another contour for the same sound."""
HOP_S = 0.01
LOW_HZ, HIGH_HZ = 50.0, 500.0

# Frames hold this many periods of the lowest F0.
_PERIODS = 2.5
# A smoothing window of this length passes F0 and its first harmonics, and blunts the dips of noise.
_SMOOTH_S = 0.0005
# Above this rate, samples are left out after smoothing.
_ENOUGH_RATE = 16000
_BLOCK_FRAMES = 2048


@dataclass(frozen=True, slots=True, eq=False)
class PitchTrack:
    """An F0 contour.

    Attributes
    ----------
    f0_hz
        F0 of each frame in Hz, float32 (n,); 0 where it is unvoiced.
    voicing
        Probability that each frame is voiced, float32 (n,), in [0, 1].
    times_s
        Centre of each frame in seconds from the first sample, float64 (n,), rising.
    """

    f0_hz: NDArray[np.float32]
    voicing: NDArray[np.float32]
    times_s: NDArray[np.float64]

    def at(self, times_s: NDArray[np.floating]) -> "PitchTrack":
        """Return the contour at other times, for example at the centres of unit frames.

        A time is voiced if the nearest frame is. Its F0 lies on the line between the logarithms of the frames beside
        it, if both are voiced.

        Parameters
        ----------
        times_s
            Seconds from the first sample, shape (m,). Times before the first and after the last frame are unvoiced.

        Returns
        -------
        PitchTrack
            The contour of m frames.
        """
        times = np.asarray(times_s, dtype=np.float64)
        n = len(self.times_s)
        if not n:
            return PitchTrack(np.zeros(len(times), np.float32), np.zeros(len(times), np.float32), times)
        right = np.searchsorted(self.times_s, times).clip(max=n - 1)
        left = np.maximum(right - 1, 0)
        gap = self.times_s[right] - self.times_s[left]
        share = np.divide(times - self.times_s[left], gap, out=np.zeros(len(times)), where=gap > 0).clip(0.0, 1.0)
        nearest = np.where(share >= 0.5, right, left)
        inside = np.abs(times - self.times_s[nearest]) <= HOP_S
        f0_hz = np.where(inside, self.f0_hz[nearest], 0.0)
        both = (self.f0_hz[left] > 0) & (self.f0_hz[right] > 0) & inside
        between = np.exp2(
            (1 - share[both]) * np.log2(self.f0_hz[left[both]]) + share[both] * np.log2(self.f0_hz[right[both]])
        )
        f0_hz[both] = between
        voicing = np.where(inside, (1 - share) * self.voicing[left] + share * self.voicing[right], 0.0)
        return PitchTrack(f0_hz.astype(np.float32), voicing.astype(np.float32), times)


def track_f0(
    samples: NDArray[np.floating], rate: int, *, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ
) -> PitchTrack:
    """Return the F0 contour of one voice.

    Candidates of each frame are the dips of YIN's difference function with the probabilities of probabilistic YIN; the
    contour is the most probable path through them. Level and offset do not matter. Frames are computed in blocks; what
    stays for the path is about 60 bytes a frame.

    Parameters
    ----------
    samples
        Speech of one channel, floats of shape (n,).
    rate
        Sample rate in Hz, at least 4 times ``high_hz``.
    low_hz, high_hz
        Range of F0 in Hz. A voice outside it is found an octave off, or unvoiced.

    Returns
    -------
    PitchTrack
        ``1 + n // (rate / 100)`` frames, the first at 0 s; none without samples.

    Raises
    ------
    ValueError
        If samples are not finite or not one row, or the range does not fit the rate.

    Examples
    --------
    >>> found = track_f0(0.1 * np.sin(2 * np.pi * 220 * np.arange(8000) / 8000), 8000)
    >>> len(found.f0_hz), round(float(found.f0_hz[50]))
    (101, 220)
    """
    check_samples(samples)
    if not 0 < low_hz < high_hz <= rate / 4:
        raise ValueError(
            f"F0 from {low_hz:g} to {high_hz:g} Hz: the range must rise and end at a quarter of the rate "
            f"({rate / 4:g} Hz) at most"
        )
    times_s = frame_times(len(samples), rate)
    if not len(samples):
        return PitchTrack(np.zeros(0, np.float32), np.zeros(0, np.float32), times_s)
    candidates = _candidates(samples, rate, times_s, low_hz, high_hz)
    path = best_path(candidates)
    rows = np.flatnonzero(path >= 0)
    f0_hz = np.zeros(len(path), dtype=np.float32)
    f0_hz[rows] = candidates.f0_hz[rows, path[rows]]
    return PitchTrack(f0_hz, candidates.probability.sum(axis=1).clip(max=1.0), times_s)


def frame_times(n_samples: int, rate: int) -> NDArray[np.float64]:
    """Return the centres of the frames of a contour in seconds, every 10 ms from 0.

    Parameters
    ----------
    n_samples, rate
        Number of samples and sample rate in Hz.

    Examples
    --------
    >>> frame_times(200, 8000).tolist(), len(frame_times(0, 8000))
    ([0.0, 0.01, 0.02], 0)
    """
    count = 1 + int(n_samples / (rate * HOP_S) + 1e-9) if n_samples else 0
    return np.asarray(np.arange(count) * HOP_S)


def check_samples(samples: NDArray[np.floating]) -> None:
    """Raise an error for what is no sound of one channel.

    Parameters
    ----------
    samples
        Floats of shape (n,).

    Raises
    ------
    ValueError
        If samples are not finite, or not one row.
    """
    if samples.ndim != 1:
        raise ValueError(f"samples have the shape {samples.shape}; give one channel, of shape (n,)")
    if wrong := int(np.count_nonzero(~np.isfinite(samples))):
        raise ValueError(f"{wrong} of {len(samples)} samples are not finite numbers")


def _candidates(
    samples: NDArray[np.floating], rate: int, times_s: NDArray[np.float64], low_hz: float, high_hz: float
) -> Candidates:
    every = max(1, rate // _ENOUGH_RATE)
    smooth = np.hanning(2 * max(1, round(_SMOOTH_S * rate / 2)) + 1).astype(np.float32)
    low = np.convolve(np.asarray(samples, dtype=np.float32), smooth / smooth.sum(), mode="same")[::every]
    half = round(_PERIODS * rate / every / low_hz / 2)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(low, (half, 2 * half)), 2 * half)
    starts = np.round(times_s * rate / every).astype(np.int64)
    n = len(starts)
    candidates_of_frames = Candidates(np.ones((n, MOST), dtype=np.float32), np.zeros((n, MOST), dtype=np.float32))
    for first in range(0, n, _BLOCK_FRAMES):
        block = slice(first, first + _BLOCK_FRAMES)
        candidates = frame_candidates(windows[starts[block]], rate / every, low_hz, high_hz)
        candidates_of_frames.f0_hz[block], candidates_of_frames.probability[block] = (
            candidates.f0_hz,
            candidates.probability,
        )
    return candidates_of_frames
