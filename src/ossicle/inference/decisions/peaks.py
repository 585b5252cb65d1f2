"""Onsets as peaks of a score track, of a whole track or block by block; the result is equal for any block sizes.

A frame is a peak if its smoothed score is at least ``on``, higher than in the ``reach`` frames before it and not lower
than in the ``reach`` frames after it, so of equal scores the first counts; at least one of them is lower. The time of
an onset lies between frames: at the vertex of the parabola through the peak and its neighbours, at most half a frame
from the middle of the peak's frame.

References
----------
S. Boeck, F. Krebs, M. Schedl, "Evaluating the online capabilities of onset detection methods", ISMIR 2012.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision
from ossicle.inference.decisions.regions import Frames, fewest_frames_lasting
from ossicle.inference.decisions.smooth import Column, Smoother

_BELOW = np.float32(-np.inf)
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Peaks:
    """Peaks in order of time: their frames int64 (n,), their places in frames with fractions from the start of frame 0,
    float64 (n,), and their smoothed and raw scores, float32 (n,).
    """

    frames: Frames
    places: NDArray[np.float64]
    heights: NDArray[np.float32]
    scores: NDArray[np.float32]

    def reaching(self, on: float) -> "Peaks":
        """Return the peaks whose smoothed score is at least ``on``."""
        is_reaching = self.heights >= np.float32(on)
        return Peaks(
            self.frames[is_reaching], self.places[is_reaching], self.heights[is_reaching], self.scores[is_reaching]
        )


def reach_frames(min_gap_s: float, hop_s: float) -> int:
    """Return in how many frames on either side a peak must be the highest: peaks ``min_gap_s`` apart are both found.

    Two peaks this far apart may be one frame closer after rounding to frames. At least the neighbours are lower.

    >>> reach_frames(0.05, 0.01), reach_frames(0.0, 0.01)
    (3, 1)
    """
    return max(1, fewest_frames_lasting(min_gap_s, hop_s) - 2)


def find_peaks(raw: Column, smoothed: Column, reach: int, on: float) -> Peaks:
    """Return the peaks of a whole track.

    Parameters
    ----------
    raw, smoothed
        Scores of one label and the same after smoothing, float32 (n,).
    reach
        Frames on either side in which a peak is the highest, at least 1.
    on
        Lowest smoothed score of a peak.
    """
    padding = np.full(reach, _BELOW)
    padded = np.concatenate([padding, smoothed, padding])
    return _peaks(np.concatenate([padding, raw, padding]), padded, reach, on, -reach)


def _peaks(raw: Column, smoothed: Column, reach: int, on: float, first: int) -> Peaks:
    """Return the peaks among the frames that have ``reach`` frames on either side; ``first``: number of frame 0."""
    n = len(smoothed) - 2 * reach
    if n <= 0:
        none = np.zeros(0, dtype=np.float32)
        return Peaks(np.zeros(0, dtype=np.int64), np.zeros(0), none, none)
    inner = smoothed[reach : reach + n]
    # Few frames reach the threshold, so only their neighbours are looked at.
    candidates = np.flatnonzero(inner >= np.float32(on))
    around = sliding_window_view(smoothed, 2 * reach + 1)[candidates]
    highest = (around[:, :reach] < inner[candidates, None]).all(axis=1) & (
        around[:, reach + 1 :] <= inner[candidates, None]
    ).all(axis=1)
    # A score that never changes has no peak; there is nothing beyond the ends of a recording.
    highest &= ((around < inner[candidates, None]) & (around > _BELOW)).any(axis=1)
    candidates, around = candidates[highest], around[highest]
    frames = candidates + reach + first
    return Peaks(
        frames, frames + _HALF + _vertex(around[:, reach - 1 : reach + 2]), inner[candidates], raw[reach + candidates]
    )


def _vertex(around: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return where the parabola through a peak and its two neighbours (n, 3) is highest, in frames from it (n,)."""
    before, height, after = around.astype(np.float64).T
    # Beyond the ends of a recording, and where no event may be found, scores are below 0 and say nothing of the place.
    known = (before >= 0) & (after >= 0)
    bend = before - 2 * height + after
    usable = known & (bend < 0)
    offsets: NDArray[np.float64] = np.zeros_like(height)
    offsets[usable] = _HALF * (before[usable] - after[usable]) / bend[usable]
    return offsets


class PeakFold:
    """The onsets of one label, block by block."""

    def __init__(self, decision: Decision, hop_s: float) -> None:
        self._on = decision.on
        self._reach = reach_frames(decision.min_gap_s, hop_s)
        self._smoother = Smoother(decision)
        # The frames before the first one score below everything.
        self._raw = self._smoothed = np.full(self._reach, _BELOW)
        self._first = -self._reach

    @property
    def delay_frames(self) -> int:
        """Frames from the score of a frame until it is decided whether it is a peak."""
        return 1 + self._smoother.delay_frames + self._reach

    def feed(self, raw: Column) -> Peaks:
        """Add the next scores, float32 (n,); return the peaks that became certain."""
        return self._advance(*self._smoother.feed(raw))

    def finish(self) -> Peaks:
        """Return the peaks that become certain at the end of the recording."""
        raw, smoothed = self._smoother.finish()
        padding = np.full(self._reach, _BELOW)
        return self._advance(np.concatenate([raw, padding]), np.concatenate([smoothed, padding]))

    def _advance(self, raw: Column, smoothed: Column) -> Peaks:
        self._raw, self._smoothed = np.concatenate([self._raw, raw]), np.concatenate([self._smoothed, smoothed])
        peaks = _peaks(self._raw, self._smoothed, self._reach, self._on, self._first)
        done = max(len(self._smoothed) - 2 * self._reach, 0)
        self._raw, self._smoothed, self._first = self._raw[done:], self._smoothed[done:], self._first + done
        return peaks
