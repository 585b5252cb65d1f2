"""Rows of a table that are grouped by recording, and text columns as codes: the common parts of columns of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True, eq=False)
class RowGroups:
    """The recordings of a table whose rows of one recording lie together.

    Parameters
    ----------
    recording_ids
        One id for each group of rows, without duplicates, in the order of the rows.
    offsets
        int64 (n_recordings + 1,): the rows of recording k are ``offsets[k]`` to ``offsets[k + 1] - 1``; the first
        offset is 0.

    Examples
    --------
    >>> groups = RowGroups(("b", "a"), np.array([0, 2, 3]))
    >>> groups.rows("a"), groups.codes.tolist(), groups.recording(1)
    (slice(2, 3, None), [0, 0, 1], 'b')
    """

    recording_ids: tuple[str, ...]
    offsets: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.offsets[-1])

    @property
    def codes(self) -> NDArray[np.int32]:
        """The place of each row's recording in ``recording_ids``: int32 (n_rows,), a new array."""
        counts = np.diff(self.offsets)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    @property
    def ranks(self) -> NDArray[np.int32]:
        """The place of each recording among the sorted ids: int32 (n_recordings,)."""
        ranks = np.empty(len(self.recording_ids), dtype=np.int32)
        ranks[sorted(range(len(ranks)), key=self.recording_ids.__getitem__)] = np.arange(len(ranks), dtype=np.int32)
        return ranks

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each recording in ``recording_ids``, by id."""
        return {key: row for row, key in enumerate(self.recording_ids)}

    def rows(self, recording_id: str) -> slice:
        """Return the rows of a recording; an empty slice if it has none."""
        row = self.places.get(recording_id)
        return slice(0, 0) if row is None else slice(int(self.offsets[row]), int(self.offsets[row + 1]))

    def recording(self, row: int) -> str:
        """Return the id of a row's recording."""
        return self.recording_ids[int(np.searchsorted(self.offsets, row, side="right")) - 1]

    def one(self, recording_id: str) -> "RowGroups":
        """Return the groups of the rows of one recording alone; no group if it has none."""
        rows = self.rows(recording_id)
        n_rows = rows.stop - rows.start
        return RowGroups((recording_id,), np.array([0, n_rows])) if n_rows else RowGroups((), np.zeros(1, np.int64))

    def take(self, rows: NDArray[Any]) -> "RowGroups":
        """Return the groups of some rows, without recordings that have none.

        Parameters
        ----------
        rows
            A boolean mask (n_rows,), or integers (m,): the rows in their new order, those of a recording together.

        Raises
        ------
        ValueError
            If rows of one recording do not lie together.
        """
        codes = self.codes[rows]
        groups, order = group_rows(self.recording_ids, codes)
        if order is not None:
            raise ValueError("the rows of a recording do not lie together: sort them by recording first")
        return groups


def group_rows(recording_ids: Sequence[str], codes: NDArray[np.int32]) -> tuple[RowGroups, NDArray[np.int64] | None]:
    """Return the groups of rows, and the order of rows that puts those of each recording together.

    Parameters
    ----------
    recording_ids
        Ids without duplicates; some may have no row.
    codes
        int32 (n,): the place of each row's recording among them.

    Returns
    -------
    tuple
        The groups, in the order in which recordings appear; and the order of rows (n,), None if they are grouped.
    """
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]])) if len(codes) else np.zeros(0, np.int64)
    runs = codes[starts]
    present, first = np.unique(runs, return_index=True)
    if len(present) == len(runs):
        offsets = np.append(starts, len(codes)).astype(np.int64)
        return RowGroups(tuple(recording_ids[int(code)] for code in runs), offsets), None
    appearing = present[np.argsort(first)]
    new_codes = np.zeros(len(recording_ids), dtype=np.int32)
    new_codes[appearing] = np.arange(len(appearing), dtype=np.int32)
    order = np.argsort(new_codes[codes], kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(new_codes[codes], minlength=len(appearing)))])
    return RowGroups(tuple(recording_ids[int(code)] for code in appearing), offsets.astype(np.int64)), order


def text_codes(texts: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the different texts, sorted, and the place of each text among them: int32 (n,).

    >>> values, codes = text_codes(["wren", "robin", "wren"])
    >>> values, codes.tolist()
    (('robin', 'wren'), [1, 0, 1])
    """
    values = tuple(sorted(set(texts)))
    places = {value: code for code, value in enumerate(values)}
    codes = np.fromiter((places[text] for text in texts), dtype=np.int32, count=len(texts))
    return values, constant(int(codes[0]), len(codes), np.int32) if len(values) == 1 else codes


def constant(value: float, n_rows: int, dtype: type[_Number]) -> NDArray[_Number]:
    """Return a read-only column of equal values that takes no memory for its rows."""
    return np.broadcast_to(np.array(value, dtype=dtype), (n_rows,))


def is_constant(column: NDArray[Any]) -> bool:
    """Return whether all rows of a column share one value in memory."""
    return column.strides == (0,)


def taken(column: NDArray[_Number], rows: NDArray[Any] | slice) -> NDArray[_Number]:
    """Return some rows of a column; slices give views, and a constant column stays one."""
    if is_constant(column) and not isinstance(rows, slice):
        n_rows = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
        return np.broadcast_to(column[:1].reshape(()) if len(column) else np.zeros((), column.dtype), (n_rows,))
    return column[rows]


def known_or_none(column: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return a column of figures, NaN where unknown; None if no row has a known one."""
    return None if column is None or bool(np.isnan(column).all()) else column


def joined_codes(
    parts: Sequence[tuple[Sequence[str], NDArray[np.int32]]], *, ordered: bool = True
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the texts of several coded columns as one column.

    Parameters
    ----------
    parts
        The values and codes of each column.
    ordered
        Whether to sort the values; else they stay in the order of the columns.
    """
    every = dict.fromkeys(value for values, _ in parts for value in values)
    values = tuple(sorted(every)) if ordered else tuple(every)
    places = {value: code for code, value in enumerate(values)}
    moved = [
        np.fromiter((places[text] for text in texts), dtype=np.int32, count=len(texts))[codes] for texts, codes in parts
    ]
    return values, np.concatenate([np.zeros(0, np.int32), *moved])


def joined_figures(parts: Sequence[tuple[NDArray[np.float64] | None, int]]) -> NDArray[np.float64] | None:
    """Return columns of figures, each with its number of rows, as one column; None if all are unknown."""
    if all(column is None for column, _ in parts):
        return None
    return np.concatenate([np.full(n_rows, np.nan) if column is None else column for column, n_rows in parts])
