"""Tables of events, there and back."""

import polars as pl
import pytest

from ossicle.artefacts.records.event_tables import EVENT_SCHEMA, events_frame, events_of
from ossicle.core.tracks import Event

EVENTS = {"b": [Event(1.0, 2.0, "jay", 0.5), Event(0.5, 0.75, "wren", 0.25)], "a": [Event(3.0, 3.0, "jay", 1.0)]}


def test_events_come_back_for_every_recording_asked_for() -> None:
    table = events_frame(EVENTS)
    assert table.schema == EVENT_SCHEMA
    assert table.rows() == [("b", 1.0, 2.0, "jay", 0.5), ("b", 0.5, 0.75, "wren", 0.25), ("a", 3.0, 3.0, "jay", 1.0)]
    assert events_of(table, ("a", "empty", "b")) == {**EVENTS, "empty": []}


def test_no_events() -> None:
    table = events_frame({"a": []})
    assert (table.schema, len(table)) == (EVENT_SCHEMA, 0)
    assert events_of(table, ("a",)) == {"a": []}


def test_events_of_other_recordings_are_left_out() -> None:
    # A split that judges its test folds alone has events in other recordings too.
    assert events_of(events_frame(EVENTS), ("a",)) == {"a": EVENTS["a"]}


def test_impossible_events_are_refused() -> None:
    table = events_frame(EVENTS)
    with pytest.raises(ValueError, match=r"start_s = 9.0 is after end_s = 3.0"):
        events_of(table.with_columns(pl.Series("start_s", [1.0, 0.5, 9.0])), ("a", "b"))
    with pytest.raises(ValueError, match=r"score = -1.0"):
        events_of(table.with_columns(pl.Series("score", [-1.0, 0.5, 0.5])), ("a", "b"))
