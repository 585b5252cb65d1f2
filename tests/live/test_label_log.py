"""Counts, durations and duty cycle."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ossicle.live.label_log import LabelLog


def of(log: LabelLog, label: str, end_s: float, heard_s: float) -> dict[str, Any]:
    return next(one for one in log.summary(end_s, heard_s) if one["label"] == label)


def test_events_count_their_time_once() -> None:
    log = LabelLog(["call", "song"])
    log.event("call", 1.0, 3.0)
    log.event("call", 2.0, 4.0)
    log.event("call", 8.0, 9.0)
    assert of(log, "call", 10.0, 10.0) == {
        "label": "call",
        "count": 3,
        "on_s": 4.0,
        "mean_s": 1.333,
        "longest_s": 2.0,
        "duty_cycle": 0.4,
    }
    assert of(log, "song", 10.0, 10.0)["duty_cycle"] == 0.0
    assert of(log, "song", 0.0, 0.0)["duty_cycle"] is None


def test_states_count_known_time_and_gaps_do_not_count() -> None:
    log = LabelLog(["ac"])
    log.change("ac", "on", 2.0)
    log.change("ac", "off", 12.0)
    log.change("ac", "on", 20.0)
    assert log.gap(25.0, 25.0) == ["ac"]
    assert log.gap(25.0, 100.0) == []
    log.change("ac", "off", 102.0)
    result = of(log, "ac", 112.0, 37.0)
    assert (result["count"], result["on_s"], result["longest_s"], result["unknown_s"]) == (2, 15.0, 10.0, 4.0)
    # On for 15 of 33 known seconds.
    assert result["duty_cycle"] == round(15 / 33, 4)
    assert log.states() == {"ac": "off"}


@given(
    st.lists(st.tuples(st.floats(0.01, 100.0), st.sampled_from(["on", "off", "unknown"])), max_size=20),
    st.floats(0.0, 50.0),
)
def test_time_on_is_that_of_adding_up(changes: list[tuple[float, str]], rest_s: float) -> None:
    log, now_s, state, on_s = LabelLog(["a"]), 0.0, "unknown", 0.0
    for wait_s, new in changes:
        on_s += wait_s if state == "on" else 0.0
        now_s, state = now_s + wait_s, new
        log.change("a", new, now_s)
    on_s += rest_s if state == "on" else 0.0
    assert abs(of(log, "a", now_s + rest_s, now_s + rest_s)["on_s"] - on_s) < 0.002
