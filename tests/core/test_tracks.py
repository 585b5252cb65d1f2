"""Rasterising against a slow oracle: exact fractions, frame by frame."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.intervals import as_intervals, union
from ossicle.core.tracks import Event, ScoreTrack, event_order, rasterise

N_FRAMES = 12
# Times in units of a twentieth of a frame, reaching beyond both ends of the grid.
ticks = st.integers(-60, 20 * N_FRAMES + 60)


def slow_shares(pairs: list[tuple[Fraction, Fraction]], n_frames: int, hop: Fraction, start: Fraction) -> list[float]:
    """Covered length of each frame over its length, added up as fractions."""
    shares = []
    for k in range(n_frames):
        low, high = start + k * hop, start + (k + 1) * hop
        covered = sum((max(Fraction(0), min(b, high) - max(a, low)) for a, b in pairs), Fraction(0))
        shares.append(float(min(Fraction(1), covered / hop)))
    return shares


@given(
    st.lists(st.tuples(ticks, ticks), max_size=6),
    st.sampled_from([Fraction(1, 100), Fraction(1, 50), Fraction(160, 16000), Fraction(2048, 48000)]),
    st.integers(0, 5),
)
def test_shares_equal_exact_fractions(pairs: list[tuple[int, int]], hop: Fraction, start_frames: int) -> None:
    start = start_frames * hop
    seconds = as_intervals([(min(a, b) * float(hop) / 20, max(a, b) * float(hop) / 20) for a, b in pairs])
    merged = union(seconds)
    exact = [(Fraction(float(a)), Fraction(float(b))) for a, b in merged]
    shares = rasterise(merged, N_FRAMES, float(hop), float(start))
    assert shares.dtype == np.float32
    assert shares.tolist() == pytest.approx(slow_shares(exact, N_FRAMES, hop, start), abs=2e-6)


@given(st.integers(0, N_FRAMES), st.integers(0, N_FRAMES))
def test_whole_frames_are_ones_and_zeros(a: int, b: int) -> None:
    low, high = min(a, b), max(a, b)
    shares = rasterise(as_intervals([(low * 0.01, high * 0.01)]), N_FRAMES, 0.01)
    assert shares.tolist() == [float(low <= k < high) for k in range(N_FRAMES)]


@given(st.lists(st.tuples(ticks, ticks), max_size=6), st.integers(1, N_FRAMES - 1))
def test_two_halves_of_the_grid_make_the_whole(pairs: list[tuple[int, int]], cut: int) -> None:
    intervals = union(as_intervals([(min(a, b) / 2000, max(a, b) / 2000) for a, b in pairs]))
    whole = rasterise(intervals, N_FRAMES, 0.01)
    halves = [rasterise(intervals, cut, 0.01), rasterise(intervals, N_FRAMES - cut, 0.01, cut * 0.01)]
    assert np.concatenate(halves) == pytest.approx(whole, abs=2e-6)


def test_no_intervals_and_overlapping_intervals() -> None:
    assert rasterise(as_intervals([]), 3, 0.01).tolist() == [0.0, 0.0, 0.0]
    assert rasterise(as_intervals([(0, 0.02), (0, 0.02)]), 3, 0.01).tolist() == [1.0, 1.0, 0.0]
    assert rasterise(as_intervals([(0.005, 0.005)]), 3, 0.01).tolist() == [0.0, 0.0, 0.0]


def test_the_origin_is_the_centre_of_frame_zero() -> None:
    track = ScoreTrack(("call",), np.zeros((3, 1), np.float32), hop_s=0.02, duration_s=0.05)
    assert track.origin_s == 0.01


def test_events_sort_by_start_end_and_label() -> None:
    events = [Event(1, 2, "b", 0.1), Event(1, 2, "a", 0.9), Event(0, 5, "z", 0.5), Event(1, 1.5, "z", 0.5)]
    assert [(e.start_s, e.end_s, e.label) for e in sorted(events, key=event_order)] == [
        (0, 5, "z"),
        (1, 1.5, "z"),
        (1, 2, "a"),
        (1, 2, "b"),
    ]
