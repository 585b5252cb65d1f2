import numpy as np
import pytest

from ossicle.models.vocoder.source import HarmonicSource, noise

RATE, HOP = 8000, 160


def slow_harmonics(f0: float, n: int) -> np.ndarray:
    """A sum of cosines, one by one; the last fades in."""
    phase = 2 * np.pi * f0 * np.arange(1, n + 1) / RATE
    room = RATE / 2 / f0 - 1
    whole, part = int(room), room - int(room)
    total = sum(np.cos(number * phase) for number in range(1, whole + 1)) + part * np.cos((whole + 1) * phase)
    return total * np.sqrt(2 / (whole + part**2))


@pytest.mark.parametrize("f0", [80.0, 123.4, 400.0])
def test_a_steady_voice_is_a_sum_of_harmonics_of_power_1(f0: float) -> None:
    made = HarmonicSource(np.full(20, f0), HOP, RATE).samples(0, 20)
    np.testing.assert_allclose(made, slow_harmonics(f0, 20 * HOP), atol=2e-5 * np.abs(made).max())
    assert np.mean(made**2) == pytest.approx(1.0, rel=0.05)


def test_any_stretch_has_the_samples_that_it_has_in_the_whole() -> None:
    f0 = 120 * 2 ** np.cumsum(np.random.default_rng(0).normal(0, 0.05, 60))
    f0[20:31] = 0
    source = HarmonicSource(f0, HOP, RATE)
    whole = source.samples(0, 60)
    for first, last in ((0, 1), (17, 24), (30, 60), (59, 60)):
        np.testing.assert_array_equal(source.samples(first, last), whole[first * HOP : last * HOP])


def test_unvoiced_units_are_silent_and_voices_fade() -> None:
    f0 = np.array([0.0, 0.0, 0.0, 150.0, 150.0, 150.0, 0.0, 0.0, 0.0])
    made = HarmonicSource(f0, HOP, RATE).samples(0, 9).reshape(9, HOP)
    level = np.sqrt((made**2).mean(axis=1))
    assert (level[[0, 1, 7, 8]] == 0).all()
    assert 0 < level[2] < level[4]
    assert not HarmonicSource(np.zeros(4), HOP, RATE).samples(0, 4).any()


def test_a_rising_voice_never_clicks() -> None:
    f0 = np.linspace(90, 300, 50)
    made = HarmonicSource(f0, HOP, RATE).samples(0, 50).astype(float)
    # Pulses are steep, but no step is larger than within a period of a steady voice.
    steady = max(np.abs(np.diff(HarmonicSource(np.full(10, one), HOP, RATE).samples(0, 10))).max() for one in (90, 300))
    assert np.abs(np.diff(made)).max() < 1.1 * steady


def test_noise_is_a_function_of_seed_and_unit() -> None:
    whole = noise(3, 0, 200, HOP)
    np.testing.assert_array_equal(noise(3, 61, 131, HOP), whole[61 * HOP : 131 * HOP])
    assert not np.array_equal(noise(4, 0, 200, HOP), whole)
    assert np.std(whole) == pytest.approx(1.0, abs=0.02)
    assert len(noise(3, 5, 5, HOP)) == 0
