"""Rounding: to the nearest, halves up, exact where integers allow."""

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.time import (
    first_frame_at_or_after,
    frames_covering,
    nearest_frames,
    samples_at_rate,
    to_samples,
    to_seconds,
)

rates = st.sampled_from([8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 192000, 384000])
day_samples = st.integers(0, 24 * 3600 * 48000)


@given(day_samples, rates)
def test_a_sample_survives_the_way_through_seconds(sample: int, rate: int) -> None:
    assert to_samples(to_seconds(sample, rate), rate) == sample


@given(st.floats(0, 86400, allow_nan=False), rates)
def test_the_nearest_sample_is_at_most_half_a_sample_away(seconds: float, rate: int) -> None:
    distance = abs(Fraction(to_samples(seconds, rate)) - Fraction(seconds) * rate)
    assert distance <= Fraction(1, 2) + Fraction(1, 10**5)


def test_halves_go_up_where_banker_rounding_would_not() -> None:
    assert [to_samples(half, 1) for half in (0.5, 1.5, 2.5, 3.5)] == [1, 2, 3, 4]
    assert [nearest_frames(half, 1.0) for half in (0.5, 1.5, 2.5, 3.5)] == [1, 2, 3, 4]


def test_a_click_at_one_second_is_at_its_sample() -> None:
    for rate in (8000, 22050, 44100, 48000):
        assert to_samples(1.0, rate) == rate


@given(st.integers(0, 10**7), st.integers(1, 4096))
def test_covering_frames_are_enough_and_not_one_too_many(samples: int, hop: int) -> None:
    frames = frames_covering(samples, hop)
    assert frames * hop >= samples
    assert samples == 0 or (frames - 1) * hop < samples


@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.02, 0.0213, 1 / 30, 0.1]))
def test_decimal_noise_does_not_move_a_boundary_off_its_frame(frame: int, hop_s: float) -> None:
    boundary = float(f"{frame * hop_s:.9f}")
    assert first_frame_at_or_after(boundary, hop_s) == frame
    assert nearest_frames(boundary, hop_s) == frame


@given(st.floats(0, 3600, allow_nan=False), st.sampled_from([0.01, 0.02, 0.0426]))
def test_the_first_frame_is_the_first(seconds: float, hop_s: float) -> None:
    frame = first_frame_at_or_after(seconds, hop_s)
    assert frame * hop_s >= seconds - 2e-6 * hop_s
    assert (frame - 1) * hop_s < seconds


@given(day_samples, rates, rates)
def test_the_length_at_another_rate_is_the_exact_quotient_rounded_half_up(samples: int, rate: int, new: int) -> None:
    exact = Fraction(samples * new, rate)
    assert samples_at_rate(samples, rate, new) == floor(exact + Fraction(1, 2))


@given(day_samples, rates)
def test_the_same_rate_keeps_the_length(samples: int, rate: int) -> None:
    assert samples_at_rate(samples, rate, rate) == samples
