from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.audio.encoders.copies import Background, Copy
from ossicle.audio.encoders.feature_settings import CopySettings

RATE = 16000
NOTHING = CopySettings(gain_db=0.0, tilt_probability=0.0, mix_probability=0.0)


@pytest.fixture
def window() -> np.ndarray:
    return (0.05 * np.random.default_rng(1).standard_normal(2 * RATE)).astype(np.float32)


def background(folder: Path, name: str, hz: float, start_s: float = 0.0) -> Background:
    times = np.arange(4 * RATE) / RATE
    sound = np.where(times < start_s, 0.9, 0.1 * np.sin(2 * np.pi * hz * times))
    soundfile.write(folder / f"{name}.wav", sound, RATE, subtype="FLOAT")
    return Background(name, folder / f"{name}.wav", start_s, 4.0, "mean")


def level(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


def test_a_copy_depends_only_on_seed_recording_copy_and_window(tmp_path, window):
    others = [background(tmp_path, "b", 500.0), background(tmp_path, "c", 900.0)]
    settings = CopySettings(mix_probability=1.0, tilt_probability=1.0)
    one, same = (Copy("a", 1, RATE, settings, others) for _ in range(2))
    late = [same(k, window) for k in (5, 2, 0)][2]
    np.testing.assert_array_equal(one(0, window), late)
    for other in (Copy("a", 2, RATE, settings, others), Copy("d", 1, RATE, settings, others)):
        assert not np.array_equal(other(0, window), late)
    assert not np.array_equal(Copy("a", 1, RATE, replace(settings, seed=2), others)(0, window), late)
    assert not np.array_equal(one(1, window), late)


def test_with_everything_off_a_copy_is_the_window_itself(window):
    copy = Copy("a", 1, RATE, NOTHING)
    np.testing.assert_array_equal(copy(0, window), window)
    assert copy(0, window) is not window


def test_gain_stays_within_its_bounds(window):
    copy = Copy("a", 1, RATE, replace(NOTHING, gain_db=6.0))
    changes = [level(copy(k, window)) - level(window) for k in range(200)]
    assert -6.01 < min(changes) < -5
    assert 5 < max(changes) < 6.01


def test_a_tilt_moves_low_and_high_sounds_in_opposite_directions(window):
    copy = Copy("a", 1, RATE, replace(NOTHING, tilt_probability=1.0, tilt_db=6.0))
    before = np.abs(np.fft.rfft(window)) ** 2
    hz = np.fft.rfftfreq(len(window), 1 / RATE)
    for k in range(5):
        ratio = np.abs(np.fft.rfft(copy(k, window))) ** 2 / before
        low = 10 * np.log10(np.median(ratio[(hz > 20) & (hz < 60)]))
        high = 10 * np.log10(np.median(ratio[hz > 7000]))
        assert low == pytest.approx(-high, abs=0.5)
        assert abs(low) <= 6.1


def test_backgrounds_are_added_at_the_asked_level(tmp_path, window):
    others = [background(tmp_path, "b", 500.0)]
    settings = replace(NOTHING, mix_probability=1.0, snr_low_db=10.0, snr_high_db=10.0)
    added = Copy("a", 1, RATE, settings, others)(3, window) - window
    assert level(added) == pytest.approx(level(window) - 10, abs=0.05)
    assert np.argmax(np.abs(np.fft.rfft(added))) == 1000


def test_only_the_stretch_without_labels_is_added(tmp_path, window):
    others = [background(tmp_path, "b", 500.0, start_s=2.0)]
    settings = replace(NOTHING, mix_probability=1.0)
    for number in (1, 2, 3):
        added = Copy("a", number, RATE, settings, others)(0, window) - window
        spectrum = np.abs(np.fft.rfft(added))
        assert np.argmax(spectrum) == 1000
        assert spectrum[0] < 0.01 * spectrum[1000]


def test_a_recording_is_never_its_own_background(tmp_path, window):
    settings = replace(NOTHING, mix_probability=1.0)
    copy = Copy("b", 1, RATE, settings, [background(tmp_path, "b", 500.0)])
    np.testing.assert_array_equal(copy(0, window), window)


def test_a_background_that_cannot_be_read_adds_nothing(tmp_path, window):
    (tmp_path / "b.wav").write_bytes(b"no sound")
    lost = [Background("b", tmp_path / "b.wav", 0.0, 4.0, "mean")]
    copy = Copy("a", 1, RATE, replace(NOTHING, mix_probability=1.0), lost)
    np.testing.assert_array_equal(copy(0, window), window)


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="snr_low_db"):
        CopySettings(snr_low_db=26.0)
