"""The inventory of units: how often each is used, for how long, and where it can be heard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """Counts of each unit, int64 (k,).

    Attributes
    ----------
    frames
        Frames with the unit.
    runs
        Uses: stretches of frames with the unit.
    segments
        Segments with a use.
    first_segment
        Place of the first segment with a use; -1 without one.
    """

    frames: NDArray[np.int64]
    runs: NDArray[np.int64]
    segments: NDArray[np.int64]
    first_segment: NDArray[np.int64]


def inventory(runs: Sequence[NDArray[np.integer]], run_frames: Sequence[NDArray[np.integer]], k: int) -> Inventory:
    """Return the counts of all units.

    Parameters
    ----------
    runs
        Units of each segment without repeats.
    run_frames
        Frames of each of these runs.
    k
        Number of units.

    Examples
    --------
    >>> found = inventory([np.array([2, 0, 2])], [np.array([3, 1, 2])], 4)
    >>> found.frames.tolist(), found.runs.tolist(), found.first_segment.tolist()
    ([1, 0, 5, 0], [1, 0, 2, 0], [0, -1, 0, -1])
    """
    frames, uses, segments = (np.zeros(k, dtype=np.int64) for _ in range(3))
    first = np.full(k, -1, dtype=np.int64)
    for segment_index, (of_segment, lengths) in enumerate(zip(runs, run_frames, strict=True)):
        np.add.at(frames, of_segment, lengths)
        counts = np.bincount(of_segment, minlength=k)
        uses += counts
        segments += counts > 0
        first[(counts > 0) & (first < 0)] = segment_index
    return Inventory(frames, uses, segments, first)


def heard_segments(unit_inventory: Inventory, n_segments: int, most: int, seed: int) -> list[int]:
    """Return segments to listen to: some at random, and the first one of each unit that these lack or may lack.

    Parameters
    ----------
    unit_inventory
        The inventory.
    n_segments
        Number of all segments.
    most
        How many are drawn; at most as many again are added.
    seed
        Seed of the draw.
    """
    drawn = np.random.default_rng(seed).permutation(n_segments)[:most]
    rare = np.argsort(unit_inventory.segments, kind="stable")
    added = [int(unit_inventory.first_segment[unit]) for unit in rare if unit_inventory.first_segment[unit] >= 0][:most]
    return sorted({*drawn.tolist(), *added})


def longest_runs(
    runs: NDArray[np.integer], run_frames: NDArray[np.integer], most: int
) -> Iterator[tuple[int, int, int]]:
    """Yield unit, first frame and number of frames of the longest uses of each unit in a segment.

    Parameters
    ----------
    runs, run_frames
        Units without repeats, and the frames of each run.
    most
        Uses of each unit.
    """
    first = np.cumsum(run_frames) - run_frames
    order = np.lexsort((first, -run_frames, runs))
    _, start = np.unique(runs[order], return_index=True)
    rank = np.arange(len(order)) - np.repeat(start, np.diff(np.append(start, len(order))))
    for row in order[rank < most].tolist():
        yield int(runs[row]), int(first[row]), int(run_frames[row])
