"""Rows grouped by recording, as a sequence of objects: what annotations and clips as columns have in common."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.row_groups import RowGroups

_BLOCK = 1 << 14

One = TypeVar("One", covariant=True)


class GroupedRows(Sequence[One]):
    """A sequence of records held as arrays; an object is made when its row is asked for.

    Equal to any sequence of equal records in the same order.

    Attributes
    ----------
    groups
        The recordings, and the rows of each; rows of a recording lie together.
    """

    groups: RowGroups

    @abstractmethod
    def regrouped(self, rows: NDArray[Any] | slice, groups: RowGroups) -> Self:
        """Return some rows in the given order, of which the caller knows the groups."""

    @abstractmethod
    def _objects(self, first: int, stop: int) -> Iterator[One]:
        """Make the records of rows [first, stop)."""

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
        return self.groups.n_rows

    @overload
    def __getitem__(self, key: int) -> One: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: int | slice) -> One | Self:
        """Return one record, or the columns of some."""
        if isinstance(key, slice):
            return self.take(np.arange(len(self))[key])
        row = range(len(self))[key]
        return next(self._objects(row, row + 1))

    def __iter__(self) -> Iterator[One]:
        """Make one record after the other."""
        for first in range(0, len(self), _BLOCK):
            yield from self._objects(first, min(first + _BLOCK, len(self)))

    def __eq__(self, other: object) -> bool:
        """Compare rows with those of another sequence."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            own_item == other_item for own_item, other_item in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def of(self, recording_id: str) -> Self:
        """Return the rows of one recording, as views; empty if it has none."""
        return self.regrouped(self.groups.rows(recording_id), self.groups.one(recording_id))

    def where(self, mask: NDArray[np.bool_]) -> Self:
        """Return the rows where ``mask`` (n,) is true."""
        return self if bool(mask.all()) else self.take(mask)

    def take(self, rows: NDArray[Any]) -> Self:
        """Return some rows (integers or a mask) in the given order; those of a recording must lie together.

        Raises
        ------
        ValueError
            If they do not.
        """
        return self.regrouped(rows, self.groups.take(rows))

    def _recording_places(self, first: int, stop: int) -> list[int]:
        """Return the place in ``recording_ids`` of the recordings of rows [first, stop)."""
        places: list[int] = (np.searchsorted(self.offsets, np.arange(first, stop), side="right") - 1).tolist()
        return places
