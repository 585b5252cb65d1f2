"""Overlap of a run of frames with reference events, looked up in constant time per run.

References of one class may overlap; a shared stretch then counts once for each of them, as in ``sed_scores_eval``. They
are distributed over *layers* within which no events overlap. A boundary between frames therefore crosses at most one
event per layer, and a run overlaps only the events at its two ends and those wholly inside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals, as_intervals


@dataclass(frozen=True, slots=True)
class Layer:
    """Disjoint events (n, 2) in order, indexed from the n_frames + 1 boundaries of the frames.

    ``begun``: int32, how many events begin before each boundary; ``over``: how many end at or before it. Where
    ``begun`` is greater than ``over``, event ``begun - 1`` crosses the boundary.
    """

    events: Intervals
    begun: NDArray[np.int32]
    over: NDArray[np.int32]


def layers(events: Intervals, edges_s: NDArray[np.float64]) -> list[Layer]:
    """Distribute events (n, 2; seconds) over layers; events of zero length are left out, since nothing can cover them.

    ``edges_s``: float64, shape (n_frames + 1,), the boundaries of the frames in seconds, ascending.
    """
    dealt: list[list[tuple[float, float]]] = []
    for start, end in sorted(as_intervals(events).tolist()):
        if start == end:
            continue
        free_layer = next((layer for layer in dealt if layer[-1][1] <= start), None)
        if free_layer is None:
            dealt.append([(start, end)])
        else:
            free_layer.append((start, end))
    return [_seen_from(np.array(layer), edges_s) for layer in dealt]


def _seen_from(events: Intervals, edges_s: NDArray[np.float64]) -> Layer:
    begun = np.searchsorted(events[:, 0], edges_s, side="left").astype(np.int32)
    over = np.searchsorted(events[:, 1], edges_s, side="right").astype(np.int32)
    return Layer(events, begun, over)


def covered_before(events: Intervals, edges_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds of ``events`` that lie before each boundary, summed over events, shape (n_frames + 1,).

    The difference between two boundaries is the length covered between them.

    >>> covered_before(np.array([[0.5, 2.0], [1.0, 2.0]]), np.array([0.0, 1.0, 3.0])).tolist()
    [0.0, 0.5, 2.5]
    """
    times = as_intervals(events)
    if len(times) == 0:
        return np.zeros(len(edges_s))
    # Piecewise linear: the slope is the number of active events.
    corners, corner = np.unique(times, return_inverse=True)
    steps = np.where(np.arange(times.size) % 2 == 0, 1, -1)
    slope = np.cumsum(np.bincount(corner.ravel(), weights=steps, minlength=len(corners)))
    height = np.concatenate([[0.0], np.cumsum(slope[:-1] * np.diff(corners))])
    covered: NDArray[np.float64] = np.interp(edges_s, corners, height)
    return covered
