"""Counts and seconds of clips by fold, group, role, label and quality."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.clip_columns import ROLES, ClipColumns


@dataclass(frozen=True, slots=True)
class StatsRow:
    """Number and total seconds of clips of one fold, group, role, label and quality (None: unknown, or noise)."""

    fold: int
    group: str
    role: str
    label: str
    quality: int | None
    clips: int
    seconds: float


def dataset_stats(clips: ClipColumns, quality: NDArray[np.float64]) -> list[StatsRow]:
    """Return counts and seconds, sorted.

    Parameters
    ----------
    clips
        The clips.
    quality
        float64 (n_clips,): the quality of each target's annotation, NaN if unknown, and for noise.
    """
    if not len(clips):
        return []
    # Unknown quality counts as 0 in the order of rows.
    known = ~np.isnan(quality)
    keys = (clips.fold, clips.group, clips.role, clips.label, np.where(known, quality, 0.0), known)
    order = np.lexsort(keys[::-1])
    changes = np.zeros(len(order) - 1, dtype=np.bool_)
    for key in keys:
        changes |= key[order][1:] != key[order][:-1]
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    lengths = (clips.end_s - clips.start_s)[order]
    rows = []
    for first, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        row = order[first]
        rows.append(
            StatsRow(
                fold=int(clips.fold[row]),
                group=clips.group_names[int(clips.group[row])],
                role=ROLES[int(clips.role[row])],
                label=clips.labels[int(clips.label[row])],
                quality=int(quality[row]) if known[row] else None,
                clips=stop - first,
                # Python's sum adds in the order of the clips, so equal clips give equal seconds.
                seconds=round(sum(lengths[first:stop].tolist()), 6),
            )
        )
    return rows
