"""Conversion between events of recordings and tables."""

from collections.abc import Mapping
from dataclasses import asdict

import polars as pl

from ossicle.core.tracks import Event

EVENT_SCHEMA = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "score": pl.Float64,
}


def events_frame(events: Mapping[str, list[Event]]) -> pl.DataFrame:
    """Return the events of recordings as a table."""
    rows = [{"recording_id": key, **asdict(event)} for key, found in events.items() for event in found]
    return pl.DataFrame(rows, schema=EVENT_SCHEMA)


def events_of(frame: pl.DataFrame, ids: tuple[str, ...]) -> dict[str, list[Event]]:
    """Read a table that :func:`events_frame` made; every id has its list."""
    out: dict[str, list[Event]] = {key: [] for key in ids}
    for row in frame.iter_rows(named=True):
        out[row["recording_id"]].append(Event(row["start_s"], row["end_s"], row["label"], row["score"]))
    return out
