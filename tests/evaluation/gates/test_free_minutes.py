"""Counts by minute equal a slow count, and minutes of all recordings are numbered through."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.intervals import Intervals, as_intervals, gaps, overlap, union
from ossicle.evaluation.gates.free_minutes import MINUTE_S, FreeMinutes

DURATIONS_S = {"long": 200.0, "even": 120.0, "short": 7.5}
TENTHS = {key: st.lists(st.integers(0, int(10 * end)), max_size=8) for key, end in DURATIONS_S.items()}
times_of_each = st.fixed_dictionaries({key: tenths.map(lambda found: pairs(found)) for key, tenths in TENTHS.items()})


def pairs(tenths: list[int]) -> Intervals:
    """Sorted, disjoint intervals between neighbouring times in tenths of a second."""
    edges = sorted(set(tenths))[: len(set(tenths)) // 2 * 2]
    return as_intervals([(edges[k] / 10, edges[k + 1] / 10) for k in range(0, len(edges), 2)])


@given(annotated=times_of_each, found=times_of_each)
def test_counts_equal_a_slow_count(annotated: dict[str, Intervals], found: dict[str, Intervals]) -> None:
    free = {key: gaps(annotated[key], 0.0, end) for key, end in DURATIONS_S.items()}
    minutes = FreeMinutes(free, list(DURATIONS_S.values()))
    n_events, active_s = minutes.counted(found)
    row = 0
    for key, end_s in DURATIONS_S.items():
        for number in range(int(end_s / MINUTE_S) + 1):
            minute = as_intervals([(number * MINUTE_S, (number + 1) * MINUTE_S)])
            inside = [piece for piece in (overlap_of(stretch, minute) for stretch in free[key]) if len(piece)]
            pieces = union(np.concatenate([np.zeros((0, 2)), *inside]))
            assert np.isclose(minutes.seconds[row], (pieces[:, 1] - pieces[:, 0]).sum())
            assert np.isclose(active_s[row], overlap(pieces, found[key]).sum())
            starts = [
                start
                for start, end in found[key]
                if int(start / MINUTE_S) == number
                and np.isclose(overlap(as_intervals([(start, end)]), free[key]).sum(), end - start)
            ]
            assert n_events[row] == len(starts)
            row += 1
    assert row == len(minutes.seconds)


def overlap_of(stretch: Intervals, minute: Intervals) -> Intervals:
    start, end = max(stretch[0], minute[0, 0]), min(stretch[1], minute[0, 1])
    return as_intervals([(start, end)]) if end > start else np.zeros((0, 2))


def test_an_event_of_no_length_counts_nowhere() -> None:
    minutes = FreeMinutes({"a": as_intervals([(0.0, 60.0)])}, [60.0])
    n_events, active_s = minutes.counted({"a": as_intervals([(30.0, 30.0), (600.0, 600.0)])})
    assert (n_events.sum(), active_s.sum()) == (0, 0.0)


def test_recordings_that_are_not_judged_and_no_recordings_count_nothing() -> None:
    minutes = FreeMinutes({}, [])
    n_events, active_s = minutes.counted({"unknown": as_intervals([(0.0, 1.0)])})
    assert (len(minutes.seconds), len(n_events), len(active_s)) == (0, 0, 0)
