"""Scores of frames of any length, and the annotated truth of the same frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals, as_intervals, union
from ossicle.core.tracks import ScoreTrack
from ossicle.metrics.psds.intersections import covered_before

# Seconds: decimal times of six places can put a boundary up to half a microsecond off the grid.
_TOLERANCE_S = 1e-6


@dataclass(frozen=True, slots=True)
class FrameScores:
    """Scores of one recording: frame k lies between ``edges_s[k]`` and ``edges_s[k + 1]``.

    Parameters
    ----------
    edges_s
        float64, shape (n_frames + 1,), seconds, strictly ascending.
    scores
        Floating, shape (n_frames, n_labels), finite, of any range.

    Raises
    ------
    ValueError
        If shapes do not fit, edges do not ascend, or scores are not finite.
    """

    edges_s: NDArray[np.float64]
    scores: NDArray[np.floating]

    def __post_init__(self) -> None:
        """Reject wrong shapes, edges that do not ascend, and scores that are not finite."""
        if self.scores.ndim != 2 or self.edges_s.shape != (len(self.scores) + 1,):
            raise ValueError(f"{self.edges_s.shape} edges do not bound frames of scores of shape {self.scores.shape}")
        if not (np.isfinite(self.edges_s).all() and np.all(np.diff(self.edges_s) > 0)):
            raise ValueError("the edges of frames must be finite seconds that ascend")
        if not np.isfinite(self.scores).all():
            raise ValueError("a score is not a finite number: it cannot be compared with thresholds")


def frames_of(track: ScoreTrack) -> FrameScores:
    """Return a score track as frames, with the last frame cut at the end of the recording as its events are.

    >>> track = ScoreTrack(("call",), np.zeros((3, 1), np.float32), hop_s=0.5, duration_s=1.25)
    >>> frames_of(track).edges_s.tolist()
    [0.0, 0.5, 1.0, 1.25]
    """
    edges = np.arange(len(track.scores) + 1) * track.hop_s
    inside = int(np.searchsorted(edges[:-1], track.duration_s - _TOLERANCE_S))
    return FrameScores(np.append(edges[:inside], min(edges[inside], track.duration_s)), track.scores[:inside])


def frame_targets(events: Intervals, edges_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether events (n, 2; seconds) cover at least half of each frame, shape (n_frames,).

    >>> frame_targets(np.array([[0.5, 2.4]]), np.array([0.0, 1.0, 2.0, 3.0])).tolist()
    [True, True, False]
    """
    covered = np.diff(covered_before(union(as_intervals(events)), edges_s))
    target: NDArray[np.bool_] = covered >= least_covered_s(edges_s)
    return target


def least_covered_s(edges_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds of each frame that events of a positive frame cover at least, (n_frames,)."""
    least: NDArray[np.float64] = np.diff(edges_s) / 2 - _TOLERANCE_S
    return least
