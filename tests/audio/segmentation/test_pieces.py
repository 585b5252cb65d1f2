"""Silences, short pieces and long pieces: every rule, and what holds for any levels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.segmentation.frame_levels import HOP_SAMPLES, RATE, frame_levels
from ossicle.audio.segmentation.pieces import END, LONGEST, SILENCE, WIDEST_JOIN_S, Piece, pieces_of, threshold_of
from ossicle.audio.segmentation.settings import SegmentSettings

LOUD, QUIET = -10.0, -80.0


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """Return noise with an amplitude for each part: (seconds, amplitude)."""
    draw = np.random.default_rng(0)
    return np.concatenate([draw.uniform(-1, 1, round(s * RATE)) * a for s, a in parts]).astype(np.float32)


def seconds_of(samples: np.ndarray, settings: SegmentSettings) -> list[tuple[float, float, str]]:
    levels, n = frame_levels([samples])
    pieces = pieces_of(levels, n, threshold_of(levels, settings), settings)
    return [(piece.start / RATE, piece.end / RATE, piece.cut) for piece in pieces]


def test_a_silence_of_half_a_second_cuts_and_a_shorter_one_does_not() -> None:
    samples = sound((3, 0.5), (0.5, 0), (3, 0.5), (0.4, 0), (3, 0.5))
    (a_start, a_end, a_cut), (b_start, b_end, b_cut) = seconds_of(samples, SegmentSettings())
    assert (a_start, a_cut, b_end, b_cut) == (0.0, SILENCE, 9.9, END)
    assert a_end == pytest.approx(3.1, abs=0.03)
    assert b_start == pytest.approx(3.4, abs=0.03)


@pytest.mark.parametrize("shift", range(0, HOP_SAMPLES, 20))
def test_a_silence_of_exactly_the_minimum_is_found_wherever_it_begins(shift: int) -> None:
    samples = sound((3 + shift / RATE, 0.5), (0.5, 0), (3, 0.5))
    assert len(seconds_of(samples, SegmentSettings())) == 2


def test_silence_after_the_last_sound_belongs_to_no_segment() -> None:
    ((start, end, cut),) = seconds_of(sound((1, 0), (4, 0.5), (5, 0)), SegmentSettings())
    assert start == pytest.approx(0.9, abs=0.03)
    assert end == pytest.approx(5.1, abs=0.03)
    assert cut == SILENCE


def test_the_threshold_is_relative_to_the_loudest_frame_a_percentile_or_full_scale() -> None:
    # A room at about -65 dBFS and a voice 20 dB above it.
    samples = sound((4, 0.001), (3, 0.01), (4, 0.001), (0.1, 1.0))
    levels, _ = frame_levels([samples])
    loudest = SegmentSettings()
    assert threshold_of(levels, loudest) == pytest.approx(levels.max() - 40, abs=1e-3)
    floor = SegmentSettings(relative_to="percentile", percentile=10, threshold_db=10, shortest_s=0.0)
    assert threshold_of(levels, floor) == pytest.approx(-65 + 10, abs=1)
    full = SegmentSettings(relative_to="full scale", threshold_db=-50)
    assert threshold_of(levels, full) == -50
    # The last burst makes the voice as good as silent relative to the loudest frame, but not to the room.
    assert len(seconds_of(samples, loudest)) == 1
    assert [round(start, 1) for start, _, _ in seconds_of(samples, floor)] == [3.9, 10.9]


def test_short_pieces_are_joined_to_the_nearer_neighbour_and_none_is_dropped() -> None:
    samples = sound((3, 0.5), (0.6, 0), (0.5, 0.5), (1.2, 0), (3, 0.5), (2, 0), (3, 0.5))
    result = seconds_of(samples, SegmentSettings())
    assert [(round(start, 1), round(end, 1)) for start, end, _ in result] == [(0, 4.2), (5.2, 8.4), (10.2, 13.3)]


def test_a_short_piece_far_from_all_others_stays_by_itself() -> None:
    samples = sound((3, 0.5), (WIDEST_JOIN_S + 1, 0), (0.5, 0.5), (WIDEST_JOIN_S + 1, 0), (3, 0.5))
    assert len(seconds_of(samples, SegmentSettings())) == 3


def test_a_short_piece_is_not_joined_beyond_the_longest() -> None:
    samples = sound((9.5, 0.5), (0.6, 0), (0.5, 0.5))
    assert len(seconds_of(samples, SegmentSettings(longest_s=10))) == 2


def test_long_pieces_are_cut_at_their_quietest_points() -> None:
    samples = sound((7, 0.5), (0.2, 0.005), (8, 0.5), (0.2, 0.005), (6, 0.5))
    settings = SegmentSettings(longest_s=10, threshold_db=-60)
    result = seconds_of(samples, settings)
    assert [cut for _, _, cut in result] == [LONGEST, LONGEST, END]
    assert [end for _, end, _ in result] == pytest.approx([7.1, 15.3, 21.4], abs=0.06)


def test_a_long_sound_without_a_quiet_point_is_still_cut_into_parts_of_useful_length() -> None:
    levels = np.full(3000, LOUD, np.float32)
    settings = SegmentSettings(longest_s=10, shortest_s=5)
    pieces = pieces_of(levels, 3000 * HOP_SAMPLES, -40, settings)
    assert all(5 * RATE <= piece.n_samples <= 10 * RATE for piece in pieces)


def test_silence_has_no_pieces() -> None:
    assert seconds_of(np.zeros(RATE, np.float32), SegmentSettings()) == []
    assert seconds_of(sound((2, 1e-5)), SegmentSettings()) == []


@given(
    st.lists(st.tuples(st.integers(1, 400), st.sampled_from([LOUD, QUIET, -35.0])), min_size=1, max_size=30),
    st.sampled_from([0.0, 0.5, 2.0, 5.0]),
    st.sampled_from([10.0, 12.5, 30.0]),
    st.integers(1, HOP_SAMPLES),
)
def test_for_any_levels_pieces_and_silences_cover_the_recording(
    runs: list[tuple[int, float]], shortest_s: float, longest_s: float, last: int
) -> None:
    levels = np.concatenate([np.full(n, level, np.float32) for n, level in runs])
    n_samples = (len(levels) - 1) * HOP_SAMPLES + last
    settings = SegmentSettings(shortest_s=shortest_s, longest_s=longest_s)
    pieces = pieces_of(levels, n_samples, -40.0, settings)
    edges = [edge for piece in pieces for edge in (piece.start, piece.end)]
    assert edges == sorted(edges)
    assert not edges or (edges[0] >= 0 and edges[-1] <= n_samples)
    assert all(0 < piece.n_samples <= longest_s * RATE for piece in pieces)
    inside = np.zeros(n_samples, bool)
    for piece in pieces:
        inside[piece.start : piece.end] = True
    # Every loud frame lies in a piece; where pieces do not reach, all frames are silent.
    for frame in np.flatnonzero(levels >= -40.0):
        assert inside[frame * HOP_SAMPLES]
        assert inside[min(frame * HOP_SAMPLES + 399, n_samples - 1)]
    refuse_joinable(pieces, settings)
    # No more than a whole recording in one piece: what ends by its length is followed at once.
    for piece, after in pairwise(pieces):
        assert (piece.cut == LONGEST) == (piece.end == after.start and piece.cut != SILENCE)


def refuse_joinable(pieces: list[Piece], settings: SegmentSettings) -> None:
    """Fail if a short piece could still be joined to a neighbour."""
    shortest, longest = settings.shortest_s * RATE, settings.longest_s * RATE
    for piece, after in pairwise(pieces):
        if piece.cut == LONGEST or after.cut == LONGEST:
            continue
        near = after.start - piece.end <= WIDEST_JOIN_S * RATE and after.end - piece.start <= longest
        assert not (near and min(piece.n_samples, after.n_samples) < shortest)
