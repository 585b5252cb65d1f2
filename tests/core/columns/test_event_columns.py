"""Events as columns hold what the lists of objects held."""

import numpy as np
import pytest

from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.tracks import Event

EVENTS = {
    "b": [Event(1.0, 2.0, "jay", 0.5), Event(0.5, 0.75, "wren", 0.25)],
    "empty": [],
    "a": [Event(3.0, 3.0, "jay", 1.0)],
}


def test_columns_equal_the_lists() -> None:
    columns = EventColumns.of(EVENTS)
    assert columns == EVENTS
    assert dict(columns) == EVENTS
    assert list(columns) == ["b", "empty", "a"]
    assert columns.recordings.tolist() == [0, 0, 2]
    assert EventColumns.of(columns) is columns
    with pytest.raises(KeyError):
        columns["c"]


def test_some_events_are_kept_and_every_recording_stays() -> None:
    columns = EventColumns.of(EVENTS)
    kept_events = columns.where(np.array([False, True, True]))
    assert kept_events == {"b": EVENTS["b"][1:], "empty": [], "a": EVENTS["a"]}


def test_no_events() -> None:
    assert EventColumns.of({}) == {}
    assert EventColumns.of({"a": []}) == {"a": []}
    assert EventColumns.of({"a": []}).times.shape == (0, 2)
