import librosa
import numpy as np
import pytest

from ossicle.audio.features.logmel import log_mel, n_frames
from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window

FRONTS = [
    FrontEndSettings(),
    FrontEndSettings(rate=48000, n_fft=1024, hop_samples=320, n_mels=128, fmin_hz=150, fmax_hz=15000),
    FrontEndSettings(rate=22050, n_fft=2048, hop_samples=512, n_mels=40, fmin_hz=0, fmax_hz=11025, floor_db=-80),
    # More bands than bins: some bands are empty and show the floor.
    FrontEndSettings(rate=16000, n_fft=64, hop_samples=32, n_mels=64),
]


def by_librosa(wave: np.ndarray, front: FrontEndSettings) -> np.ndarray:
    """The same quantity, in float64, by other hands."""
    window = analysis_window(front.n_fft).astype(np.float64)
    stft = librosa.stft(
        wave.astype(np.float64), n_fft=front.n_fft, hop_length=front.hop_samples, window=window, center=False
    )
    bank = librosa.filters.mel(
        sr=front.rate, n_fft=front.n_fft, n_mels=front.n_mels, fmin=front.fmin_hz, fmax=front.fmax_hz, dtype=np.float64
    )
    return (10 * np.log10(np.maximum(bank @ np.abs(stft) ** 2, 10 ** (front.floor_db / 10)))).T


@pytest.mark.filterwarnings("ignore:Empty filters detected")
@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("level", [1.0, 1e-2, 1e-4])
def test_equals_librosa(front, level):
    wave = (level * np.random.default_rng(0).uniform(-1, 1, 30011)).astype(np.float32)
    out = log_mel(wave, front)
    assert out.dtype == np.float32
    assert out.shape == (1 + (30011 - front.n_fft) // front.hop_samples, front.n_mels)
    # float32 against float64: 7e-5 dB is the most that was seen.
    np.testing.assert_allclose(out, by_librosa(wave, front), atol=2e-4)
    assert np.abs(out - by_librosa(wave, front)).mean() < 1e-5


def test_silence_is_the_floor():
    front = FrontEndSettings(floor_db=-90)
    np.testing.assert_allclose(log_mel(np.zeros(2000, np.float32), front), -90, atol=1e-5)


def test_batches_of_any_shape_give_the_same_bits():
    front = FrontEndSettings()
    waves = np.random.default_rng(1).normal(0, 0.1, (2, 3, 48000)).astype(np.float32)
    out = log_mel(waves, front)
    assert out.shape == (2, 3, n_frames(48000, front), 64)
    for i in range(2):
        for j in range(3):
            np.testing.assert_array_equal(out[i, j], log_mel(waves[i, j], front))


@pytest.mark.parametrize(("n_samples", "frames"), [(0, 0), (511, 0), (512, 1), (671, 1), (672, 2)])
def test_short_waveforms(n_samples, frames):
    assert log_mel(np.zeros((2, n_samples), np.float32), FrontEndSettings()).shape == (2, frames, 64)


def test_the_waveform_is_left_as_it_was():
    wave = np.random.default_rng(2).normal(0, 1, (1, 4000)).astype(np.float32)
    before = wave.copy()
    log_mel(wave, FrontEndSettings())
    np.testing.assert_array_equal(wave, before)
