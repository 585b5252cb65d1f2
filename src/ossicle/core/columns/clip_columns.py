"""Clips as columns: arrays with an offset for each recording, for datasets of millions of clips."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.grouped_rows import GroupedRows
from ossicle.core.columns.row_groups import RowGroups, constant, group_rows, joined_codes, taken, text_codes
from ossicle.core.records import Clip, Role

ROLES: tuple[Role, ...] = tuple(sorted(get_args(Role)))
"""The roles of clips, sorted; a role's code is its place here."""


@dataclass(frozen=True, eq=False)
class ClipColumns(GroupedRows[Clip]):
    """Clips as arrays; ``Clip`` objects are made when a row is asked for.

    Equal to any sequence of equal clips in the same order.

    Parameters
    ----------
    groups
        The recordings, and the rows of each; rows of a recording lie together.
    start_s, end_s
        float64 (n,), seconds from the start of the recording.
    role
        int8 (n,): place of each role in :data:`ROLES`.
    fold
        int32 (n,).
    group, group_names
        int32 (n,): place of each group in ``group_names``, which are sorted; some may have no row.
    label, labels
        As ``group`` and ``group_names``.
    weight
        float64 (n,).
    """

    groups: RowGroups
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    role: NDArray[np.int8]
    fold: NDArray[np.int32]
    group: NDArray[np.int32]
    group_names: tuple[str, ...]
    label: NDArray[np.int32]
    labels: tuple[str, ...]
    weight: NDArray[np.float64]

    @classmethod
    def from_clips(cls, clips: Iterable[Clip]) -> "ClipColumns":
        """Return the columns of clips; those of one recording are moved behind its first one, in their order."""
        if isinstance(clips, cls):
            return clips
        rows_in_order = list(clips)
        ids, codes = text_codes([clip.recording_id for clip in rows_in_order])
        groups, order = group_rows(ids, codes)
        if order is not None:
            rows_in_order = [rows_in_order[int(row)] for row in order]
        group_names, group = text_codes([clip.group for clip in rows_in_order])
        labels, label = text_codes([clip.label for clip in rows_in_order])
        weights = [clip.weight for clip in rows_in_order]
        return cls(
            groups,
            np.array([clip.start_s for clip in rows_in_order], dtype=np.float64),
            np.array([clip.end_s for clip in rows_in_order], dtype=np.float64),
            np.array([ROLES.index(clip.role) for clip in rows_in_order], dtype=np.int8),
            np.array([clip.fold for clip in rows_in_order], dtype=np.int32),
            group,
            group_names,
            label,
            labels,
            constant(weights[0], len(weights), np.float64)
            if len(set(weights)) == 1
            else np.array(weights, dtype=np.float64),
        )

    @classmethod
    def joined(cls, parts: Sequence["ClipColumns"]) -> "ClipColumns":
        """Return the rows of all parts; those of one recording are moved behind its first one, in their order."""
        ids, codes = joined_codes([(part.recording_ids, part.recording) for part in parts], ordered=False)
        groups, order = group_rows(ids, codes)
        group_names, group = joined_codes([(part.group_names, part.group) for part in parts])
        labels, label = joined_codes([(part.labels, part.label) for part in parts])
        whole = cls(
            groups,
            np.concatenate([np.zeros(0), *(part.start_s for part in parts)]),
            np.concatenate([np.zeros(0), *(part.end_s for part in parts)]),
            np.concatenate([np.zeros(0, np.int8), *(part.role for part in parts)]),
            np.concatenate([np.zeros(0, np.int32), *(part.fold for part in parts)]),
            group,
            group_names,
            label,
            labels,
            np.concatenate([np.zeros(0), *(part.weight for part in parts)]),
        )
        return whole if order is None else whole.regrouped(order, groups)

    def places(self) -> list[tuple[str, str, int]]:
        """Return recording id, group and fold of the clips, each combination once."""
        rows = np.unique(np.stack([self.recording, self.group, self.fold], axis=1), axis=0).tolist()
        return [(self.recording_ids[recording], self.group_names[group], fold) for recording, group, fold in rows]

    def has_role(self, role: Role) -> NDArray[np.bool_]:
        """Return which rows have a role: bool (n,)."""
        matching: NDArray[np.bool_] = self.role == ROLES.index(role)
        return matching

    def held_out_in(self, folds: Sequence[int]) -> NDArray[np.bool_]:
        """Return which rows lie in one of some folds: bool (n,)."""
        held_out: NDArray[np.bool_] = np.isin(self.fold, np.asarray(folds, dtype=np.int64))
        return held_out

    def regrouped(self, rows: NDArray[Any] | slice, groups: RowGroups) -> "ClipColumns":
        """Return some rows in the given order, of which the caller knows the groups."""
        return ClipColumns(
            groups,
            taken(self.start_s, rows),
            taken(self.end_s, rows),
            taken(self.role, rows),
            taken(self.fold, rows),
            taken(self.group, rows),
            self.group_names,
            taken(self.label, rows),
            self.labels,
            taken(self.weight, rows),
        )

    def _objects(self, first: int, stop: int) -> Iterator[Clip]:
        rows = slice(first, stop)
        ids, groups, labels = self.recording_ids, self.group_names, self.labels
        for recording, start, end, role, fold, group, label, weight in zip(
            self._recording_places(first, stop),
            self.start_s[rows].tolist(),
            self.end_s[rows].tolist(),
            self.role[rows].tolist(),
            self.fold[rows].tolist(),
            self.group[rows].tolist(),
            self.label[rows].tolist(),
            self.weight[rows].tolist(),
            strict=True,
        ):
            yield Clip(ids[recording], start, end, ROLES[role], fold, groups[group], labels[label], weight)
