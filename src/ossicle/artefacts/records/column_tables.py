"""Conversion of columns of annotations and clips to tables and back, without a Python object for each row.

Tables have a fixed schema and are sorted by all their columns (missing values first), so equal rows give equal frames
in whatever order they arrive.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.records.record_tables import ANNOTATION_SCHEMA, CLIP_SCHEMA, checked
from ossicle.artefacts.tables import TableColumns, write_table
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.clip_columns import ROLES, ClipColumns
from ossicle.core.columns.row_groups import constant, group_rows
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Annotation, Clip

Read = Callable[[str], pl.Series]
"""Returns a column of a table by its name."""

_FIGURES = ("low_hz", "high_hz", "quality", "confidence")
_REMEDY = "build the index again"


def annotations_frame(annotations: Iterable[Annotation], first: Sequence[str] = ()) -> pl.DataFrame:
    """Return one row per annotation (``ANNOTATION_SCHEMA``), sorted.

    Parameters
    ----------
    annotations
        Columns, or any annotations.
    first
        The columns to sort by before the others.
    """
    notes = AnnotationColumns.from_annotations(annotations)
    codes = {
        "recording_id": (notes.recording, notes.recording_ids),
        "label": (notes.label, notes.labels),
        "provenance": (notes.provenance, notes.provenances),
    }
    numbers = {"start_s": notes.start_s, "end_s": notes.end_s}
    figures = {name: getattr(notes, name) for name in _FIGURES}
    return _frame(ANNOTATION_SCHEMA, first, codes, numbers, figures)


def clips_frame(clips: Iterable[Clip], first: Sequence[str] = ()) -> pl.DataFrame:
    """Return one row per clip (``CLIP_SCHEMA``), sorted: by the columns ``first``, then by the others."""
    clip_columns = ClipColumns.from_clips(clips)
    codes: dict[str, tuple[NDArray[Any], tuple[str, ...]]] = {
        "recording_id": (clip_columns.recording, clip_columns.recording_ids),
        "role": (clip_columns.role, ROLES),
        "group": (clip_columns.group, clip_columns.group_names),
        "label": (clip_columns.label, clip_columns.labels),
    }
    numbers: dict[str, NDArray[Any]] = {"start_s": clip_columns.start_s, "end_s": clip_columns.end_s}
    numbers |= {"fold": clip_columns.fold, "weight": clip_columns.weight}
    return _frame(CLIP_SCHEMA, first, codes, numbers, {})


def annotations_of(frame: pl.DataFrame) -> AnnotationColumns:
    """Return the annotations of a table made by :func:`annotations_frame`, in its order.

    Raises
    ------
    ArtefactError
        If columns are missing or values are invalid.
    """
    return _annotations(checked(frame, ANNOTATION_SCHEMA, "annotations").get_column)


def clips_of(frame: pl.DataFrame) -> ClipColumns:
    """Return the clips of a table made by :func:`clips_frame`; raises ArtefactError if a column is missing."""
    return _clips(checked(frame, CLIP_SCHEMA, "clips").get_column)


def read_annotations(path: Path) -> AnnotationColumns:
    """Read a table of annotations, one column at a time; raises ArtefactError as ``read_table`` and
    :func:`annotations_of` do.
    """
    return _annotations(TableColumns(path, dict(ANNOTATION_SCHEMA)))


def read_clips(path: Path) -> ClipColumns:
    """Read a table of clips, one column at a time; raises ArtefactError as ``read_table`` does."""
    return _clips(TableColumns(path, dict(CLIP_SCHEMA)))


def write_annotations(path: Path, annotations: Iterable[Annotation], first: Sequence[str]) -> None:
    """Write annotations as a table, sorted: by the columns ``first``, then by the others."""
    write_table(path, annotations_frame(annotations, first), None)


def write_clips(path: Path, clips: Iterable[Clip], first: Sequence[str]) -> None:
    """Write clips as a table, sorted: by the columns ``first``, then by the others."""
    write_table(path, clips_frame(clips, first), None)


def _frame(
    schema: Mapping[str, type[pl.DataType]],
    first: Sequence[str],
    codes: Mapping[str, tuple[NDArray[Any], tuple[str, ...]]],
    numbers: Mapping[str, NDArray[Any]],
    figures: Mapping[str, NDArray[np.float64] | None],
) -> pl.DataFrame:
    keys: list[NDArray[Any]] = []
    for name in (*first, *(name for name in schema if name not in first)):
        if name in codes:
            keys.append(_ranks(*codes[name]))
        elif name in numbers:
            keys.append(numbers[name])
        elif (figure := figures[name]) is not None:
            # Missing values come first; as zeros they are equal to each other.
            keys += [~np.isnan(figure), np.nan_to_num(figure)]
    order = _order(keys)
    n_rows = len(next(iter(numbers.values())))
    columns = []
    for name, kind in schema.items():
        if name in codes:
            places, values = codes[name]
            texts = pl.Series(name, values, dtype=kind)
            columns.append(texts.gather(places if order is None else places[order]))
            continue
        column: NDArray[Any] | None = numbers.get(name, figures.get(name))
        if column is None:
            columns.append(pl.repeat(None, n_rows, dtype=kind(), eager=True).alias(name))
        else:
            ordered = column if order is None else column[order]
            columns.append(pl.Series(name, np.ascontiguousarray(ordered), nan_to_null=name in figures).cast(kind))
    return pl.DataFrame(columns)


def _ranks(codes: NDArray[Any], values: Sequence[str]) -> NDArray[Any]:
    """Return codes whose order is that of their values."""
    if all(value < other for value, other in pairwise(values)):
        return codes
    ranks = np.empty(len(values), dtype=np.int32)
    ranks[sorted(range(len(values)), key=values.__getitem__)] = np.arange(len(values), dtype=np.int32)
    ranked: NDArray[np.int32] = ranks[codes]
    return ranked


def _order(keys: Sequence[NDArray[Any]]) -> NDArray[np.int64] | None:
    """Return the stable order of rows by ``keys``, the first one first; None if they are in order."""
    tied = np.ones(max(len(keys[0]) - 1, 0), dtype=np.bool_)
    for key in keys:
        if bool((tied & (key[1:] < key[:-1])).any()):
            return np.lexsort(keys[::-1])
        tied &= key[1:] == key[:-1]
    return None


def _annotations(read: Read) -> AnnotationColumns:
    groups, order = group_rows(*_texts(read("recording_id")))
    start_s, end_s = _numbers(read("start_s")), _numbers(read("end_s"))
    labels, label = _texts(read("label"))
    provenances, provenance = _texts(read("provenance"))
    figures: dict[str, NDArray[np.float64] | None] = {}
    valid = (start_s >= 0.0) & (end_s >= start_s) & (end_s < np.inf)
    if "" in labels[:1]:
        valid &= label != 0
    if "" in groups.recording_ids:
        valid[:] = False
    for name in _FIGURES:
        column = read(name)
        if column.null_count() == len(column):
            figures[name] = None
            continue
        values = _numbers(column)
        figures[name] = values
        valid &= np.isfinite(values) | column.is_null().to_numpy()
        if name == "low_hz":
            valid &= ~(values < 0.0)
        if name == "high_hz":
            low = figures["low_hz"]
            least = np.zeros_like(values) if low is None else np.nan_to_num(low)
            valid &= ~(values < least)
    if not bool(valid.all()):
        _raise_invalid(read, valid)
    annotation_columns = AnnotationColumns(
        groups, start_s, end_s, label, labels, **figures, provenance=provenance, provenances=provenances
    )
    return annotation_columns if order is None else annotation_columns.regrouped(order, groups)


def _raise_invalid(read: Read, valid: NDArray[np.bool_]) -> None:
    """Raise ArtefactError with the first invalid value, as an annotation object states it."""
    for row in np.flatnonzero(~valid).tolist():
        try:
            Annotation(**{name: read(name)[row] for name in ANNOTATION_SCHEMA})
        except ValueError as error:
            raise ArtefactError(f"the table of annotations contains an invalid row: {error}; {_REMEDY}") from None


def _clips(read: Read) -> ClipColumns:
    groups, order = group_rows(*_texts(read("recording_id")))
    names, role = _texts(read("role"))
    if unknown := sorted(set(names) - set(ROLES)):
        raise ArtefactError(f"the table of clips contains the unknown role {unknown[0]!r}; {_REMEDY}")
    places = np.array([ROLES.index(name) for name in names if name in ROLES], dtype=np.int8)
    group_names, group = _texts(read("group"))
    labels, label = _texts(read("label"))
    weight = _numbers(_complete(read("weight")))
    if len(weight) and bool((weight == weight[0]).all()):
        weight = constant(float(weight[0]), len(weight), np.float64)
    start_s, end_s = _numbers(_complete(read("start_s"))), _numbers(_complete(read("end_s")))
    fold = _complete(read("fold")).cast(pl.Int32).to_numpy()
    clip_columns = ClipColumns(groups, start_s, end_s, places[role], fold, group, group_names, label, labels, weight)
    return clip_columns if order is None else clip_columns.regrouped(order, groups)


def _texts(column: pl.Series) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the different texts of a column, sorted, and the place of each row's among them."""
    values = _complete(column).unique().sort().to_list()
    if len(values) == 1:
        return tuple(values), constant(0, len(column), np.int32)
    codes = column.cast(pl.Enum(values)).to_physical().cast(pl.Int32).to_numpy()
    return tuple(values), codes


def _complete(column: pl.Series) -> pl.Series:
    """Return a column; raises ArtefactError if it has rows without a value."""
    if column.null_count():
        raise ArtefactError(f"the column {column.name!r} of a table has rows without a value; {_REMEDY}")
    return column


def _numbers(column: pl.Series) -> NDArray[np.float64]:
    """Return a column as float64, NaN where a value is missing."""
    numbers: NDArray[np.float64] = column.cast(pl.Float64).to_numpy()
    return numbers
