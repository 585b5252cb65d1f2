"""Changes of unit beside the starts and ends of words, counted by segment."""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import union
from ossicle.metrics.units.boundaries import TOLERANCE_S, matched_boundaries

_ONE_BOUNDARY_S = 0.001


def boundary_counts(
    units: NDArray[np.integer],
    times_s: NDArray[np.float64],
    words_s: NDArray[np.float64],
    generator: np.random.Generator,
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return matched, found and true boundaries of a segment, and the same of as many random boundaries.

    A change of unit lies halfway between the centres of its two frames. Only changes in words or at most the tolerance
    beside them are judged: silence is left out. Edges of words beyond the first and last frame cannot be found and do
    not count; edges at most 1 ms apart, of neighbouring words, are one.

    Parameters
    ----------
    units
        Unit of each frame, shape (n,).
    times_s
        Centre of each frame in seconds, sorted, shape (n,).
    words_s
        Start and end of the words of the recording in seconds, shape (m, 2).
    generator
        Draws the random boundaries: other places between two judged frames.
    """
    nothing = (0, 0, 0)
    if len(units) < 2:
        return nothing, nothing
    start_s, end_s = float(times_s[0]), float(times_s[-1])
    near = words_s[(words_s[:, 1] > start_s) & (words_s[:, 0] < end_s)]
    edges = np.unique(near)
    edges = edges[(edges >= start_s) & (edges <= end_s)]
    edges = edges[np.diff(edges, prepend=-np.inf) > _ONE_BOUNDARY_S]
    stretches = np.clip(union(near + np.array([-TOLERANCE_S, TOLERANCE_S])), start_s, end_s)
    between = (times_s[1:] + times_s[:-1]) / 2
    stretch_index = np.searchsorted(stretches[:, 0], between, side="right") - 1
    judged = (stretch_index >= 0) & (between <= np.append(stretches[:, 1], -np.inf)[stretch_index])
    unit_edges = between[judged & (units[1:] != units[:-1])]
    random = np.sort(generator.choice(between[judged], len(unit_edges), replace=False))
    matched, by_chance = matched_boundaries(unit_edges, edges), matched_boundaries(random, edges)
    return (matched, len(unit_edges), len(edges)), (by_chance, len(unit_edges), len(edges))
