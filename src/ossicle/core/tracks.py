"""Scores of one recording on a frame grid, and the events decided from them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScoreTrack:
    """Scores of one recording.

    ``scores``: float32, shape (n_frames, n_labels), in [0, 1]. Frame k stands for [k * hop_s, (k + 1) * hop_s), so its
    centre is ``origin_s + k * hop_s`` with ``origin_s = hop_s / 2``.
    """

    labels: tuple[str, ...]
    scores: NDArray[np.float32]
    hop_s: float
    duration_s: float

    @property
    def origin_s(self) -> float:
        """Centre of frame 0 in seconds."""
        return self.hop_s / 2


@dataclass(frozen=True, slots=True)
class Event:
    """A decided stretch of a recording: times in seconds, ``score`` in [0, 1] (the highest frame in it)."""

    start_s: float
    end_s: float
    label: str
    score: float


def event_order(event: Event) -> tuple[float, float, str]:
    """Sorting key of events: start, end, label."""
    return (event.start_s, event.end_s, event.label)


def rasterise(intervals: NDArray[np.float64], n_frames: int, hop_s: float, start_s: float = 0.0) -> NDArray[np.float32]:
    """The share of each frame that ``intervals`` (n, 2; seconds) cover: float32, shape (n_frames,), in [0, 1].

    Frame k covers [start_s + k * hop_s, start_s + (k + 1) * hop_s). Intervals of one call must not overlap
    (``core.intervals.union`` sees to it); overlaps would count twice and are clipped at 1.

    >>> rasterise(np.array([[0.005, 0.02]]), 3, 0.01).tolist()
    [0.5, 1.0, 0.0]
    """
    out = np.zeros(n_frames, dtype=np.float64)
    for start, end in (intervals - start_s) / hop_s:
        lo, hi = max(start, 0.0), min(end, float(n_frames))
        if hi <= lo:
            continue
        first, last = int(lo), min(int(np.ceil(hi)), n_frames)
        edges = np.arange(first, last)
        out[first:last] += np.minimum(edges + 1, hi) - np.maximum(edges, lo)
    # Decimal times leave shares like 0.9999999: six decimals are far below any audible difference.
    return np.clip(np.round(out, 6), 0.0, 1.0).astype(np.float32)
