import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.decoding.array_stream import ArrayStream, mono_samples
from ossicle.audio.decoding.damage import damage

SOUND = (0.3 * np.sin(np.arange(4000) / 9)).astype(np.float32)


@given(
    at=st.integers(0, 3999),
    bit=st.integers(27, 30),
    channels=st.integers(1, 3),
    channel=st.integers(0, 2),
)
def test_a_flipped_bit_of_the_exponent_is_found(at, bit, channels, channel):
    block = np.repeat(SOUND[:, None], channels, axis=1)
    channel %= channels
    raw = block[at, channel : channel + 1].view(np.uint32)
    raw ^= np.uint32(1 << bit)
    value = abs(float(block[at, channel]))
    result = damage(block)
    if not np.isfinite(value):
        assert result == (at, "NaN or Inf")
    elif value > 4096 * 0.31:
        assert result == (at, f"a value of {value:.3g} times full scale")
    else:
        # Not louder than sound can be beside what is around it.
        assert result is None or value > 16


@pytest.mark.parametrize("scale", [1.0, 15.9, 1000.0, 32768.0, 2.0**31])
def test_sound_in_any_unit_is_no_damage(scale):
    rng = np.random.default_rng(0)
    clicks = rng.normal(0, 1e-3, 4000)
    # A click that a converter could write: it rings.
    clicks[2000:2032] += np.sinc(np.arange(-16, 16) / 1.5)
    for sound in (SOUND, clicks, rng.uniform(-1, 1, (4000, 2)), np.zeros(10), np.zeros(0)):
        assert damage(np.asarray(scale * sound, dtype=np.float32)) is None


def test_an_impulse_at_full_scale_is_no_damage():
    impulse = np.zeros(100, np.float32)
    impulse[50] = 1.0
    assert damage(impulse) is None
    assert damage(16 * impulse) is None


@pytest.mark.parametrize("value", [3e38, -3e38, 1e300, 1e10, 500.0])
def test_samples_in_memory_are_judged_alike(value):
    samples = SOUND.astype(np.float64)
    samples[100] = value
    samples[101:103] = 0.0
    samples[98:100] = 0.0
    with pytest.raises(ValueError, match=r"samples contain a value of .* times full scale, first in sample 100"):
        mono_samples(samples)
    with pytest.raises(ValueError, match="times full scale"):
        ArrayStream(np.stack([samples, samples], 1), 8000, 8000)
