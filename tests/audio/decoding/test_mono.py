import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.audio.decoding.mono import MonoStream, load_mono
from ossicle.core.errors import AudioError
from ossicle.core.time import samples_at_rate


def whole(path, rate, **options) -> np.ndarray:
    return np.concatenate(list(MonoStream(path, rate, **options)))


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "m4a", "aiff"])
@pytest.mark.parametrize(("own", "rate"), [(44100, 16000), (48000, 16000), (16000, 22050)])
def test_a_click_stays_at_its_time_resampled(encode, clicks, kind, own, rate):
    path = encode(f"click.{kind}", clicks(own), own)
    out = whole(path, rate)
    allowed = 1 if kind in {"wav", "flac", "aiff"} else rate // 1000
    assert len(out) == 3 * rate
    assert abs(int(np.argmax(out)) - rate) <= allowed
    for start_s in (0.6, 0.9, 0.999):
        crop = load_mono(path, rate, start_s, 0.5)
        assert abs(round(start_s * rate) + int(np.argmax(crop)) - rate) <= allowed


@pytest.mark.parametrize("own", [8000, 16000, 22050, 44100, 384000])
def test_a_crop_equals_the_crop_of_the_resampled_whole(encode, own):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, 3 * own).astype(np.float32)
    path = encode("noise.flac" if own < 100000 else "noise.wav", samples, own)
    out = whole(path, 16000)
    for start_s, duration_s in ((0.0, 0.5), (0.0001, 0.01), (0.7, 1.3), (1.23456, 0.1), (2.9, 0.1), (2.5, 2.0)):
        first, stop = round(start_s * 16000), round((start_s + duration_s) * 16000)
        crop = load_mono(path, 16000, start_s, duration_s)
        np.testing.assert_allclose(crop, out[first:stop], atol=1e-4)
        assert len(crop) == len(out[first:stop])
    np.testing.assert_allclose(load_mono(path, 16000, 1.1), out[17600:], atol=1e-4)
    assert load_mono(path, 16000, 5.0, 1.0).shape == (0,)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start_s=st.floats(0, 2.2), duration_s=st.floats(0, 2.2))
def test_any_crop(encode, start_s, duration_s):
    path = encode("noise.ogg", np.random.default_rng(0).normal(0, 0.1, 88200).astype(np.float32), 44100)
    out = whole(path, 16000)
    first, stop = int(np.floor(start_s * 16000 + 0.5)), int(np.floor((start_s + duration_s) * 16000 + 0.5))
    np.testing.assert_allclose(load_mono(path, 16000, start_s, duration_s), out[first:stop], atol=1e-4)


def test_block_size_changes_no_bit(encode):
    samples = np.random.default_rng(1).normal(0, 0.1, (44100, 2)).astype(np.float32)
    path = encode("stereo.flac", samples, 44100)
    reference = whole(path, 16000)
    for block_samples in (1001, 8192):
        np.testing.assert_array_equal(whole(path, 16000, block_samples=block_samples), reference)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged(encode, channels):
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, (4000, channels)).astype(np.float32)
    out = whole(encode("many.wav", samples, 16000, "FLOAT"), 16000)
    np.testing.assert_allclose(out, samples.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize(("n", "own", "rate"), [(4801, 48000, 16000), (1, 8000, 44100), (38400, 384000, 16000)])
def test_length_is_exact(encode, n, own, rate):
    stream = MonoStream(encode("x.wav", np.full(n, 0.1, np.float32), own), rate)
    assert sum(map(len, stream)) == samples_at_rate(n, own, rate)
    assert stream.report.n_samples == n


def test_errors(encode, tmp_path):
    path = encode("x.wav", np.full(100, 0.1, np.float32), 8000)
    with pytest.raises(ValueError, match="negative"):
        load_mono(path, 8000, -1.0)
    with pytest.raises(AudioError):
        load_mono(tmp_path / "absent.wav", 8000)
