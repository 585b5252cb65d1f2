"""Parts of work: little to repeat, nothing left out."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.processes.work_parts import items_per_part, work_parts


@given(st.lists(st.floats(0, 200), max_size=80), st.floats(1, 100), st.integers(1, 9))
def test_parts_are_runs_that_hold_little_and_are_full(seconds, most_s, most_items):
    numbers = work_parts(seconds, most_s, most_items)
    parts = [[seconds[k] for k in run] for _, run in groupby(range(len(seconds)), key=lambda k: numbers[k])]
    assert [one for part in parts for one in part] == seconds
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(len(parts)))
    for part, following in zip(parts, [*parts[1:], None][: len(parts)], strict=True):
        assert len(part) == 1 or (len(part) <= most_items and sum(part) <= most_s)
        # The next item would have been too much, so parts are no smaller than they have to be.
        assert following is None or len(part) == most_items or sum(part) + following[0] > most_s


def test_short_recordings_share_parts_of_a_two_hundredth_or_a_minute():
    numbers = work_parts([20.0] * 2000, 60.0, items_per_part(2000))
    assert len(set(numbers)) == 667
    assert max(work_parts([1.0] * 2000, 60.0, items_per_part(2000))) == 199
    assert items_per_part(199) == items_per_part(0) == 1


@pytest.mark.parametrize(("most_s", "most_items"), [(0.0, 1), (1.0, 0)])
def test_parts_without_room_are_refused(most_s, most_items):
    with pytest.raises(ValueError, match="must be positive"):
        work_parts([1.0], most_s, most_items)
