"""Conversion between events of recordings and tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.tracks import Event

EVENT_SCHEMA = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "score": pl.Float64,
}


def events_frame(events: Mapping[str, Sequence[Event]]) -> pl.DataFrame:
    """Return the events of recordings as a table."""
    columns = EventColumns.of(events)
    return pl.DataFrame(
        {
            "recording_id": _names_at(columns.recording_ids, columns.recordings),
            "start_s": columns.times[:, 0],
            "end_s": columns.times[:, 1],
            "label": _names_at(columns.labels, columns.codes),
            "score": columns.scores,
        },
        schema=EVENT_SCHEMA,
    )


def events_of(frame: pl.DataFrame, ids: tuple[str, ...]) -> EventColumns:
    """Return the events of the recordings ``ids`` from a table that :func:`events_frame` made.

    Raises
    ------
    ValueError
        For an event with impossible times or an impossible score.
    """
    frame = frame.filter(pl.col("recording_id").is_in(list(ids)))
    row_of_id, labels = {key: row for row, key in enumerate(ids)}, sorted(frame["label"].unique().to_list())
    recordings = _coded(frame["recording_id"], row_of_id)
    order = np.argsort(recordings, kind="stable")
    start_s, end_s, scores = (frame[name].to_numpy() for name in ("start_s", "end_s", "score"))
    valid = (start_s >= 0) & (start_s <= end_s) & (end_s < np.inf) & (scores >= 0) & (scores < np.inf)
    for row in np.flatnonzero(~valid)[:1].tolist():
        Event(float(start_s[row]), float(end_s[row]), str(frame["label"][row]), float(scores[row]))
    return EventColumns(
        tuple(ids),
        tuple(labels),
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(recordings, minlength=len(ids)))]),
        np.stack([start_s, end_s], axis=1)[order],
        _coded(frame["label"], {label: code for code, label in enumerate(labels)})[order].astype(np.int32),
        scores[order],
    )


def _names_at(names: Sequence[str], places: np.ndarray[tuple[int], np.dtype[np.integer]]) -> pl.Series:
    """Return the name at each place."""
    return pl.Series(names, dtype=pl.String).gather(places) if len(places) else pl.Series([], dtype=pl.String)


def _coded(values: pl.Series, places: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the place of each name."""
    unique = values.unique()
    codes = {name: places[name] for name in unique.to_list()}
    return values.replace_strict(codes, return_dtype=pl.Int64).to_numpy() if codes else np.zeros(0, dtype=np.int64)
