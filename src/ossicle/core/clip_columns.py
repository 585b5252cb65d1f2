"""Clips as columns: arrays with an offset for each recording, for datasets of millions of clips."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args, overload

import numpy as np
from numpy.typing import NDArray

from ossicle.core.records import Clip, Role
from ossicle.core.row_groups import RowGroups, constant, group_rows, joined_codes, taken, text_codes

_BLOCK = 1 << 14
ROLES: tuple[Role, ...] = tuple(sorted(get_args(Role)))
"""The roles of clips, sorted; a role's code is its place here."""


@dataclass(frozen=True, eq=False)
class ClipColumns(Sequence[Clip]):
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
        ones = list(clips)
        ids, codes = text_codes([one.recording_id for one in ones])
        groups, order = group_rows(ids, codes)
        if order is not None:
            ones = [ones[int(row)] for row in order]
        group_names, group = text_codes([one.group for one in ones])
        labels, label = text_codes([one.label for one in ones])
        weights = [one.weight for one in ones]
        return cls(
            groups,
            np.array([one.start_s for one in ones], dtype=np.float64),
            np.array([one.end_s for one in ones], dtype=np.float64),
            np.array([ROLES.index(one.role) for one in ones], dtype=np.int8),
            np.array([one.fold for one in ones], dtype=np.int32),
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
        ids, codes = joined_codes([(one.recording_ids, one.recording) for one in parts], ordered=False)
        groups, order = group_rows(ids, codes)
        group_names, group = joined_codes([(one.group_names, one.group) for one in parts])
        labels, label = joined_codes([(one.labels, one.label) for one in parts])
        whole = cls(
            groups,
            np.concatenate([np.zeros(0), *(one.start_s for one in parts)]),
            np.concatenate([np.zeros(0), *(one.end_s for one in parts)]),
            np.concatenate([np.zeros(0, np.int8), *(one.role for one in parts)]),
            np.concatenate([np.zeros(0, np.int32), *(one.fold for one in parts)]),
            group,
            group_names,
            label,
            labels,
            np.concatenate([np.zeros(0), *(one.weight for one in parts)]),
        )
        return whole if order is None else whole.regrouped(order, groups)

    @property
    def recording_ids(self) -> tuple[str, ...]:
        """The recordings that have rows, in the order of the rows."""
        return self.groups.recording_ids

    @property
    def offsets(self) -> NDArray[np.int64]:
        """int64 (n_recordings + 1,): the first row of each recording, and the number of rows."""
        return self.groups.offsets

    @property
    def recording(self) -> NDArray[np.int32]:
        """int32 (n,): place of each row's recording in ``recording_ids``; a new array."""
        return self.groups.codes

    def __len__(self) -> int:
        return len(self.start_s)

    @overload
    def __getitem__(self, key: int) -> Clip: ...
    @overload
    def __getitem__(self, key: slice) -> "ClipColumns": ...
    def __getitem__(self, key: int | slice) -> "Clip | ClipColumns":
        """Return one clip, or the columns of some."""
        if isinstance(key, slice):
            return self.take(np.arange(len(self))[key])
        row = range(len(self))[key]
        return next(self._objects(row, row + 1))

    def __iter__(self) -> Iterator[Clip]:
        """Make one clip after the other."""
        for first in range(0, len(self), _BLOCK):
            yield from self._objects(first, min(first + _BLOCK, len(self)))

    def __eq__(self, other: object) -> bool:
        """Compare rows with those of another sequence."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def of(self, recording_id: str) -> "ClipColumns":
        """Return the clips of one recording, as views; empty if it has none."""
        return self.regrouped(self.groups.rows(recording_id), self.groups.one(recording_id))

    def where(self, mask: NDArray[np.bool_]) -> "ClipColumns":
        """Return the rows where ``mask`` (n,) is true."""
        return self if bool(mask.all()) else self.take(mask)

    def take(self, rows: NDArray[Any]) -> "ClipColumns":
        """Return some rows (integers or a mask) in the given order; those of a recording must lie together.

        Raises
        ------
        ValueError
            If they do not.
        """
        return self.regrouped(rows, self.groups.take(rows))

    def places(self) -> list[tuple[str, str, int]]:
        """Return recording id, group and fold of the clips, each combination once."""
        rows = np.unique(np.stack([self.recording, self.group, self.fold], axis=1), axis=0).tolist()
        return [(self.recording_ids[place], self.group_names[group], fold) for place, group, fold in rows]

    def has_role(self, role: Role) -> NDArray[np.bool_]:
        """Return which rows have a role: bool (n,)."""
        found: NDArray[np.bool_] = self.role == ROLES.index(role)
        return found

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
        places = np.searchsorted(self.offsets, np.arange(first, stop), side="right") - 1
        ids, groups, labels = self.recording_ids, self.group_names, self.labels
        for place, start, end, role, fold, group, label, weight in zip(
            places.tolist(),
            self.start_s[rows].tolist(),
            self.end_s[rows].tolist(),
            self.role[rows].tolist(),
            self.fold[rows].tolist(),
            self.group[rows].tolist(),
            self.label[rows].tolist(),
            self.weight[rows].tolist(),
            strict=True,
        ):
            yield Clip(ids[place], start, end, ROLES[role], fold, groups[group], labels[label], weight)
