import librosa
import numpy as np
import pytest

from ossicle.metrics.speech.defects import clicks, clipped_samples, has_offset
from ossicle.metrics.speech.distortion import log_mel_distance
from ossicle.metrics.speech.frames import mel_frames
from ossicle.units import mean_spectrum as module
from ossicle.units.mean_spectrum import MeanSpectrum, mean_spectrum

RATE, HOP = 8000, 160
TONES_HZ = (300.0, 900.0, 2000.0)


def spoken(units, seed=0):
    """Return a sound in which every unit is a narrow noise of its own."""
    generator = np.random.default_rng(seed)
    hz = np.repeat(np.array(TONES_HZ)[units], HOP)
    wander = np.cumsum(generator.normal(0, 0.3, len(hz)))
    return (0.1 * np.sin(2 * np.pi * np.cumsum(hz) / RATE + 0.3 * wander)).astype(np.float32)


@pytest.fixture(scope="module")
def trained():
    segments = []
    for seed in range(6):
        units = np.repeat(np.random.default_rng(seed).integers(3, size=8), 8)
        segments.append((spoken(units, seed), units))
    return mean_spectrum(segments, 4, RATE, HOP)


def test_levels_are_means_over_the_frames_of_a_unit():
    units = np.array([0, 1, 1, 0, 2])
    samples = np.random.default_rng(0).normal(0, 0.1, 5 * HOP).astype(np.float32)
    result = mean_spectrum([(samples, units)], 4, RATE, HOP)
    padded = np.pad(samples, (512 - HOP) // 2)
    power = librosa.feature.melspectrogram(
        y=padded, sr=RATE, n_fft=512, hop_length=HOP, n_mels=80, center=False, fmin=0.0, fmax=RATE / 2
    )
    levels = 10 * np.log10(power.T / 128**2)
    assert len(levels) == 5
    assert result.counts.tolist() == [2, 2, 1, 0]
    for unit in range(3):
        assert result.levels_db[unit] == pytest.approx(levels[units == unit].mean(axis=0), abs=1e-2)
    assert result.levels_db[3] == pytest.approx(levels.mean(axis=0), abs=1e-2)


def test_each_unit_sounds_as_its_mean(trained):
    for unit, hz in enumerate(TONES_HZ):
        made = trained.synthesise(np.full(30, unit))
        assert len(made) == 30 * HOP
        spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
        assert np.argmax(spectrum) * RATE / len(made) == pytest.approx(hz, abs=60)


def test_speech_of_known_units_is_nearer_than_speech_of_others(trained):
    units = np.repeat([0, 2, 1], 10)
    original = mel_frames(spoken(units, 99), RATE)
    near = log_mel_distance(original, mel_frames(trained.synthesise(units), RATE))
    far = log_mel_distance(original, mel_frames(trained.synthesise(np.repeat([1, 0, 2], 10)), RATE))
    assert near < 0.5 * far


@pytest.mark.parametrize("n", [0, 1, 2, 8, 9, 17, 40])
def test_blocks_have_the_length_and_the_level_of_the_whole_and_no_seams(trained, monkeypatch, n):
    monkeypatch.setattr(module, "_BLOCK_UNITS", 8)
    made = trained.synthesise(np.zeros(n, dtype=np.int16))
    assert made.shape == (n * HOP,)
    assert made.dtype == np.float32
    assert not len(clicks(made, RATE, np.arange(1, n) * HOP))
    assert not clipped_samples(made)
    if n >= 40:
        assert not has_offset(made)
        levels = [np.sqrt(np.mean(np.square(part))) for part in np.array_split(made[4 * HOP : -4 * HOP], 8)]
        assert max(levels) < 3 * min(levels)


def test_unknown_units_and_nothing_are_refused(trained):
    with pytest.raises(ValueError, match="0 to 3"):
        trained.synthesise(np.array([4]))
    with pytest.raises(ValueError, match="0 to 1"):
        mean_spectrum([(np.zeros(HOP, np.float32), np.array([2]))], 2, RATE, HOP)
    with pytest.raises(ValueError, match="there are no frames"):
        mean_spectrum([(np.zeros(HOP, np.float32), np.array([], dtype=int))], 2, RATE, HOP)


def test_equal_units_give_equal_sounds(trained):
    assert isinstance(trained, MeanSpectrum)
    units = np.array([0, 1, 2, 2])
    assert np.array_equal(trained.synthesise(units), trained.synthesise(units))


@pytest.mark.parametrize("hop", [1, 7, 100, 161, 800, 1601])
def test_any_hop_is_taken(hop):
    generator = np.random.default_rng(0)
    units = np.array([0, 1, 1, 0, 1])
    samples = generator.normal(0, 0.1, 5 * hop).astype(np.float32)
    result = mean_spectrum([(samples, units)], 2, RATE, hop)
    # The window of frame 2, cut by hand.
    first = 2 * hop + (hop - 512) // 2
    window = np.pad(samples, 3000)[first + 3000 : first + 3512]
    one = mean_spectrum([(window, np.array([0]))], 1, RATE, 512)
    apart = mean_spectrum([(samples, np.array([0, 0, 1, 0, 0]))], 2, RATE, hop)
    assert apart.levels_db[1] == pytest.approx(one.levels_db[0], abs=1e-3)
    made = result.synthesise(units, iterations=2)
    assert made.shape == (5 * hop,)
    assert np.isfinite(made).all()
