import librosa
import numpy as np
import pytest

from ossicle.audio.features.griffin_lim import Framing, griffin_lim
from ossicle.core.model_input.frontend import analysis_window

FRAMING = Framing(n_fft=256, hop_samples=64)


def sound(n=2048, seed=0):
    times = np.arange(n) / 8000
    return 0.3 * np.sin(2 * np.pi * (300 + 200 * times) * times) + 0.01 * np.random.default_rng(seed).normal(size=n)


def test_analysis_is_that_of_librosa_and_synthesis_undoes_it():
    samples = sound()
    window = analysis_window(256).astype(np.float64)
    theirs = librosa.stft(samples, n_fft=256, hop_length=64, window=window, pad_mode="constant").T
    result = FRAMING.analyse(samples)
    assert result.shape == theirs.shape == (FRAMING.n_frames(2048), 129)
    assert result == pytest.approx(theirs, abs=1e-5)
    assert FRAMING.synthesise(result, 2048) == pytest.approx(samples, abs=1e-9)
    again = librosa.istft(result.T, hop_length=64, window=window, n_fft=256, length=2048)
    assert again == pytest.approx(samples, abs=1e-4)


def error(made, magnitudes):
    return np.linalg.norm(np.abs(FRAMING.analyse(made.astype(np.float64))) - magnitudes) / np.linalg.norm(magnitudes)


@pytest.mark.parametrize("iterations", [0, 1, 8])
def test_the_sound_is_that_of_librosa_from_the_same_phases(iterations):
    magnitudes = np.abs(FRAMING.analyse(sound()))
    theirs = librosa.griffinlim(
        magnitudes.T,
        n_iter=iterations,
        hop_length=64,
        n_fft=256,
        window=analysis_window(256).astype(np.float64),
        length=2048,
        random_state=np.random.default_rng(5),
        pad_mode="constant",
    )
    result = griffin_lim(magnitudes, FRAMING, 2048, iterations=iterations, seed=5)
    assert result == pytest.approx(theirs, abs=1e-5)


def test_magnitudes_come_near_those_wanted():
    magnitudes = np.abs(FRAMING.analyse(sound()))
    assert error(griffin_lim(magnitudes, FRAMING, 2048), magnitudes) < 0.1
    assert error(griffin_lim(magnitudes, FRAMING, 2048, iterations=0), magnitudes) > 0.3


def test_equal_seeds_give_equal_sounds():
    magnitudes = np.abs(FRAMING.analyse(sound()))
    one, same, other = (griffin_lim(magnitudes, FRAMING, 2048, iterations=3, seed=seed) for seed in (1, 1, 2))
    assert one.dtype == np.float32
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_silence_stays_silence():
    assert not griffin_lim(np.zeros((FRAMING.n_frames(500), 129)), FRAMING, 500).any()


def test_magnitudes_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"640 samples have \(11, 129\)"):
        griffin_lim(np.zeros((9, 129)), FRAMING, 640)
