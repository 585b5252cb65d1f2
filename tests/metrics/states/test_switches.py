import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateChange, StateStretch
from ossicle.metrics.states.switches import (
    JudgedStates,
    differing_s,
    matched_switches,
    reported_switches,
    switch_figures,
    true_switches,
)


def stretches(*parts, label="ac"):
    out, start = [], 0.0
    for end, state in parts:
        out.append(StateStretch(start, end, label, state, None))
        start = end
    return out


def changes(*parts, label="ac", delay_s=1.0):
    return [StateChange(time, label, state, 0.5, time + delay_s) for time, state in parts]


def test_figures_of_a_recording_worked_out_by_hand():
    truth = stretches((100.0, OFF), (200.0, ON), (300.0, OFF), (400.0, UNKNOWN), (500.0, ON))
    decided = changes((1.0, OFF), (101.0, ON), (150.0, OFF), (152.0, ON), (210.0, OFF), (350.0, ON))
    figures = switch_figures([JudgedStates(truth, decided, 500.0, "a")], ["ac"], within_s=3.0)["ac"]
    # The switch at 100 s is found after 2 s; that at 200 s too late (11 s), so its report is false, and so is the
    # pair at 150 s. The report at 350 s lies where nothing is known.
    assert (figures.n_switches, figures.n_found, figures.n_false) == (2, 1, 3)
    assert (figures.found.value, figures.delay_median_s, figures.delay_p90_s) == (0.5, 2.0, 2.0)
    assert figures.false_per_hour.value == pytest.approx(3 * 3600 / 400)
    assert figures.wrong.value == pytest.approx((1 + 2 + 10) / 400)
    assert figures.wrong_live.value == pytest.approx((2 + 2 + 11) / 400)
    assert figures.unknown.value == pytest.approx(1 / 400)


def test_a_perfect_report_has_no_fault_and_an_empty_one_no_figures():
    truth = stretches((10.0, OFF), (20.0, ON))
    best = changes((0.0, OFF), (10.0, ON), delay_s=0.0)
    figures = switch_figures([JudgedStates(truth, best, 20.0, "a")] * 3, ["ac"], 3.0)["ac"]
    assert (figures.found.value, figures.false_per_hour.value, figures.wrong.value, figures.unknown.value) == (
        1.0,
        0.0,
        0.0,
        0.0,
    )
    none = switch_figures([JudgedStates([], [], 20.0, "a")], ["ac"], 3.0)["ac"]
    assert math.isnan(none.found.value)
    assert none.to_json()["delay_median_s"] is None


def test_changes_to_and_from_unknown_are_no_switches():
    decided = changes((1.0, OFF), (5.0, UNKNOWN), (9.0, ON), (12.0, OFF))
    assert [(state_change.time_s, state_change.state) for state_change in reported_switches(decided, "ac")] == [
        (12.0, OFF)
    ]
    assert true_switches(stretches((1.0, OFF), (2.0, UNKNOWN), (3.0, ON), (4.0, ON), (5.0, OFF)), "ac") == [(4.0, OFF)]
    assert true_switches([StateStretch(0.0, 1.0, "ac", ON, None), StateStretch(2.0, 3.0, "ac", OFF, None)], "ac") == []


times = st.lists(st.integers(0, 30), max_size=8).map(sorted)


@settings(deadline=None)
@given(times, times, st.data())
def test_as_many_switches_are_matched_as_an_optimal_assignment_matches(true, reported, data):
    kinds = st.sampled_from([ON, OFF])
    switches = [(float(time_s), data.draw(kinds)) for time_s in true]
    decided = [StateChange(0.0, "ac", data.draw(kinds), 0.5, float(time_s)) for time_s in reported]
    pairs = matched_switches(switches, decided, 5.0)
    fits = np.array(
        [
            [state_change.state == state and time <= state_change.decided_at_s <= time + 5 for state_change in decided]
            for time, state in switches
        ]
    ).reshape(len(switches), len(decided))
    rows, columns = linear_sum_assignment(-fits.astype(float))
    assert len(pairs) == fits[rows, columns].sum()
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    assert all(fits[a, b] for a, b in pairs)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([ON, OFF, UNKNOWN])), max_size=8), st.data())
def test_seconds_in_the_wrong_state_equal_those_counted_second_by_second(parts, data):
    def laid(parts):
        ends = np.cumsum([length for length, _ in parts]).tolist()
        return stretches(*((float(end), state) for end, (_, state) in zip(ends, parts, strict=True)))

    def by_second(rows):
        return [row.state for row in rows for _ in range(int(row.end_s - row.start_s))]

    truth, decided = laid(parts), laid(data.draw(st.permutations(parts)))
    pairs = list(zip(by_second(truth), by_second(decided), strict=True))
    known = [pair for pair in pairs if pair[0] != UNKNOWN]
    unknown = sum(decided_state == UNKNOWN for _, decided_state in known)
    wrong = sum(decided_state not in (UNKNOWN, true) for true, decided_state in known)
    assert differing_s(truth, decided) == (len(known), wrong, unknown)
