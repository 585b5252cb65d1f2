"""Results of mining on each tape (group), counted from the clips themselves and not from the miner's own report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.errors import SplitError
from ossicle.core.records import Clip

_TOUCH_S = 1e-9


@dataclass(frozen=True, slots=True)
class TapeMining:
    """Noise mined on one tape: ``asked == placed + skipped``; ``from_fallback`` of the placed lie in another recording
    than their target.

    ``overlapping`` noise clips share time with an earlier one; ``duplicates`` are clips of any role that equal an
    earlier one in times and label.
    """

    group: str
    asked: int
    placed: int
    from_fallback: int
    skipped: int
    overlapping: int
    duplicates: int


def mining_report(
    n_asked: Mapping[str, int], fallback: Mapping[str, int], all_clips: Iterable[Clip]
) -> list[TapeMining]:
    """Return one row per group, sorted: ``n_asked`` and ``fallback`` give noise by group, the rest is counted from
    the clips ``all_clips``.
    """
    clips = ClipColumns.from_clips(all_clips)
    noise = clips.has_role("noise")
    n_groups = len(clips.group_names)
    placed = np.bincount(clips.group[noise], minlength=n_groups)
    overlapping = np.bincount(clips.group[_overlapping(clips, noise)], minlength=n_groups)
    repeated = np.bincount(clips.group[_repeated(clips)], minlength=n_groups)
    present = np.bincount(clips.group, minlength=n_groups) > 0
    group_code = {group: number for number, group in enumerate(clips.group_names)}
    rows = []
    for group in sorted(
        {*n_asked, *(name for name, is_present in zip(clips.group_names, present, strict=True) if is_present)}
    ):
        n_placed, n_over, n_repeated = (
            int(counts[group_code[group]]) if group in group_code else 0 for counts in (placed, overlapping, repeated)
        )
        rows.append(
            TapeMining(
                group=group,
                asked=n_asked.get(group, 0),
                placed=n_placed,
                from_fallback=fallback.get(group, 0),
                skipped=n_asked.get(group, 0) - n_placed,
                overlapping=n_over,
                duplicates=n_repeated,
            )
        )
    return rows


def refuse_overlaps(rows: Iterable[TapeMining]) -> None:
    """Raise SplitError, naming every tape, if noise overlaps other noise or a clip occurs twice."""
    bad = [
        f"{row.group}: {row.overlapping} overlapping, {row.duplicates} exact duplicates"
        for row in rows
        if row.overlapping or row.duplicates
    ]
    if bad:
        raise SplitError(
            "[dataset] refuse_overlaps: clips overlap or occur twice:\n  "
            + "\n  ".join(bad)
            + "\nlower noise_per_target or margin_s, set fallback_raw = true, correct annotations that occur twice "
            "(`ossicle dataset health` lists them), or set refuse_overlaps = false"
        )


def _overlapping(clips: ClipColumns, noise: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows of ``noise`` that begin before an earlier one of their recording ends."""
    rows = np.flatnonzero(noise)
    recording = clips.recording[rows]
    rows = rows[np.lexsort((clips.end_s[rows], clips.start_s[rows], recording))]
    edges = np.concatenate([[0], np.cumsum(np.bincount(recording))]) if len(rows) else np.zeros(1, dtype=np.int64)
    overlapping = []
    for first, stop in pairwise(edges.tolist()):
        if stop - first > 1:
            recording_rows = rows[first:stop]
            reach = np.maximum.accumulate(clips.end_s[recording_rows[:-1]])
            overlapping.append(recording_rows[1:][clips.start_s[recording_rows[1:]] < reach - _TOUCH_S])
    return np.concatenate([np.zeros(0, dtype=np.int64), *overlapping])


def _repeated(clips: ClipColumns) -> NDArray[np.int64]:
    """Return the rows that equal an earlier one in recording, times, role and label."""
    keys = (clips.recording, clips.start_s, clips.end_s, clips.role, clips.label)
    order = np.lexsort(keys[::-1])
    equal = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        equal &= key[order][1:] == key[order][:-1]
    return order[1:][equal]
