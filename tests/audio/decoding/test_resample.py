import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.audio.decoding.resample import Resampler, common_period
from ossicle.core.time import samples_at_rate

RATES = [(48000, 16000), (44100, 16000), (16000, 48000), (384000, 16000), (11025, 32000), (16000, 16000), (16001, 8000)]


def stream(samples: np.ndarray, rate: int, new_rate: int, cuts: list[int]) -> np.ndarray:
    resampler = Resampler(rate, new_rate)
    parts = [resampler.feed(block) for block in np.split(samples, cuts)]
    return np.concatenate([*parts, resampler.feed(np.zeros(0, np.float32), last=True)])


@pytest.mark.parametrize(("rate", "new_rate"), RATES)
def test_blocks_of_any_size_give_the_bits_of_soxr_on_the_whole(rate, new_rate):
    samples = np.random.default_rng(0).normal(0, 0.2, 50001).astype(np.float32)
    whole = soxr.resample(samples, rate, new_rate, quality="HQ")
    for step in (1013, 4096, 60000):
        out = stream(samples, rate, new_rate, list(range(step, len(samples), step)))
        assert len(out) == samples_at_rate(len(samples), rate, new_rate)
        np.testing.assert_array_equal(out, whole)


@settings(deadline=None, max_examples=30)
@given(
    n=st.integers(1, 5000),
    pair=st.sampled_from(RATES),
    cuts=st.lists(st.integers(0, 5000), max_size=6),
)
def test_length_and_bits_for_any_cuts(n, pair, cuts):
    samples = np.random.default_rng(n).normal(0, 0.2, n).astype(np.float32)
    out = stream(samples, *pair, sorted(min(cut, n) for cut in cuts))
    assert len(out) == samples_at_rate(n, *pair)
    np.testing.assert_array_equal(out, stream(samples, *pair, []))


@pytest.mark.parametrize(("rate", "new_rate"), RATES)
def test_no_delay(rate, new_rate):
    samples = np.zeros(2 * rate, np.float32)
    samples[rate] = 1
    assert int(np.argmax(stream(samples, rate, new_rate, [777]))) == new_rate


def test_a_tone_keeps_its_phase_and_level():
    t_old, t_new = np.arange(44100) / 44100, np.arange(16000) / 16000
    out = stream(np.sin(2 * np.pi * 440 * t_old).astype(np.float32), 44100, 16000, [])
    inner = slice(200, -200)
    np.testing.assert_allclose(out[inner], np.sin(2 * np.pi * 440 * t_new)[inner], atol=1e-4)


def test_common_period():
    assert common_period(48000, 16000) == 3
    assert common_period(16000, 48000) == 1
