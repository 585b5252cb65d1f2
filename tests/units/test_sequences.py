import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.units.sequences import boundaries_s, frames_of, runs_of

UNITS = st.lists(st.integers(0, 5), max_size=60)


@given(UNITS)
def test_runs_hold_every_frame(units: list[int]) -> None:
    runs = runs_of(units)
    assert frames_of(runs).tolist() == units
    assert (np.diff(runs.units) != 0).all()
    assert (runs.frames >= 1).all()
    assert (runs.units.dtype, runs.frames.dtype) == (np.int16, np.int32)


@pytest.mark.parametrize("units", [[-1, 2], [3, 40_000], [[1, 2], [3, 4]]])
def test_only_rows_of_units_are_sequences(units: list[int]) -> None:
    with pytest.raises(ValueError, match="units"):
        runs_of(np.array(units))


def test_runs_meet_half_way_between_the_centres_of_their_frames() -> None:
    # Centres at 0.0125, 0.0325, 0.0525, 0.0725 s: linspace(0, duration, n), as in older scripts, would give others.
    assert boundaries_s([2, 2], 0.0, 0.02, 0.0125).tolist() == pytest.approx([0.0025, 0.0425, 0.0825])


def test_no_error_of_rounding_grows_with_the_length_of_a_segment() -> None:
    times = boundaries_s(np.ones(1_800_000, np.int32), start_s=7.0, hop_s=0.02, origin_s=0.0125)
    assert times[-1] == pytest.approx(7.0 + 0.0025 + 36_000.0, abs=1e-9)


def test_no_run_begins_before_its_segment() -> None:
    assert boundaries_s([3, 2], start_s=5.0, hop_s=0.02, origin_s=0.0).tolist() == pytest.approx([5.0, 5.05, 5.09])


def test_a_segment_without_frames_has_no_runs() -> None:
    runs = runs_of([])
    assert len(runs.units) == len(runs.frames) == 0
    assert len(boundaries_s(runs.frames, 1.0, 0.02, 0.0125)) == 1
