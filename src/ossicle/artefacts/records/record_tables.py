"""Conversion of recordings to tables and back, and the schemas of all tables of records.

Every table has a fixed schema and is sorted by its key, so equal values give equal frames in whatever order they
arrive. The free fields of a recording are one column of canonical JSON, because their names differ between corpora and
the schema does not. ``duration_s`` is for readers of the table; reading it back derives it from the counts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from ossicle.core.digest import canonical_json
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Recording

RECORDING_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "id": pl.String,
    "root": pl.String,
    "path": pl.String,
    "rate": pl.Int64,
    "channels": pl.Int64,
    "n_samples": pl.Int64,
    "duration_s": pl.Float64,
    "digest": pl.String,
    "reviewed": pl.Boolean,
    "status": pl.String,
    "reason": pl.String,
    "fields": pl.String,
}
ANNOTATION_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "low_hz": pl.Float64,
    "high_hz": pl.Float64,
    "quality": pl.Int64,
    "confidence": pl.Float64,
    "provenance": pl.String,
}
STRETCH_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
}
UNKNOWN_SCHEMA: Mapping[str, type[pl.DataType]] = {"recording_id": pl.String, "label": pl.String}
CLIP_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "role": pl.String,
    "fold": pl.Int64,
    "group": pl.String,
    "label": pl.String,
    "weight": pl.Float64,
}


def recordings_frame(recordings: Iterable[Recording]) -> pl.DataFrame:
    """Return one row per recording (``RECORDING_SCHEMA``), sorted by root, path and id."""
    rows = [
        {name: getattr(recording, name) for name in RECORDING_SCHEMA if name != "fields"}
        | {"fields": canonical_json(dict(recording.fields))}
        for recording in recordings
    ]
    return pl.DataFrame(rows, schema=RECORDING_SCHEMA, orient="row").sort("root", "path", "id")


def recordings_of(frame: pl.DataFrame) -> list[Recording]:
    """Return the recordings of a table made by :func:`recordings_frame`; raises ArtefactError for missing or invalid
    values.
    """
    rows = checked(frame, RECORDING_SCHEMA, "recordings")
    try:
        return [
            Recording(
                **{name: row[name] for name in RECORDING_SCHEMA if name not in ("fields", "duration_s")},
                fields=json.loads(row["fields"]),
            )
            for row in rows.iter_rows(named=True)
        ]
    except ValueError as error:
        raise ArtefactError(
            f"the table of recordings contains an invalid row: {error}; build the index again"
        ) from None


def stretches_frame(stretches: Mapping[str, Sequence[tuple[float, float]]]) -> pl.DataFrame:
    """Return one row per stretch (``STRETCH_SCHEMA``, seconds) of the recordings by id, sorted."""
    rows = [(key, start, end) for key, times in stretches.items() for start, end in times]
    return pl.DataFrame(rows, schema=STRETCH_SCHEMA, orient="row").sort(list(STRETCH_SCHEMA))


def stretches_of(frame: pl.DataFrame) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return the stretches of a table made by :func:`stretches_frame`; raises ArtefactError if a column is missing."""
    stretches: dict[str, tuple[tuple[float, float], ...]] = {}
    for key, start, end in checked(frame, STRETCH_SCHEMA, "stretches").iter_rows():
        stretches[key] = (*stretches.get(key, ()), (start, end))
    return stretches


def unknown_frame(unknown: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Return one row per recording and label whose presence is unknown (``UNKNOWN_SCHEMA``), sorted."""
    rows = [(key, label) for key, labels in unknown.items() for label in labels]
    return pl.DataFrame(rows, schema=UNKNOWN_SCHEMA, orient="row").sort(list(UNKNOWN_SCHEMA))


def unknown_of(frame: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the labels of a table made by :func:`unknown_frame`, sorted; raises ArtefactError if a column is
    missing.
    """
    labels_by_key: dict[str, list[str]] = {}
    for key, label in checked(frame, UNKNOWN_SCHEMA, "unknown labels").iter_rows():
        labels_by_key.setdefault(key, []).append(label)
    return {key: tuple(labels) for key, labels in labels_by_key.items()}


def checked(frame: pl.DataFrame, schema: Mapping[str, type[pl.DataType]], table_name: str) -> pl.DataFrame:
    """Return the columns of a schema; raises ArtefactError, naming the table by ``table_name``, if one is missing."""
    missing = [name for name in schema if name not in frame.columns]
    if missing:
        raise ArtefactError(f"the table of {table_name} lacks the columns {', '.join(missing)}: build the index again")
    return frame.select(list(schema))
