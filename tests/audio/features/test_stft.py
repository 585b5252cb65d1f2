import librosa
import numpy as np
import pytest
import scipy
from numpy.typing import DTypeLike, NDArray

from ossicle.audio.features import stft
from ossicle.audio.features.stft import power_spectrogram
from ossicle.core.model_input.frontend import analysis_window

CASES = [(512, 160, 16000), (384, 96, 9001), (300, 37, 4000), (64, 1, 500), (512, 700, 5000), (512, 160, 512)]


def noise(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(n).standard_normal(n).astype(np.float32)


@pytest.mark.parametrize(("n_fft", "hop", "n"), CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_equals_librosa(n_fft: int, hop: int, n: int, dtype: DTypeLike, tolerance: float) -> None:
    samples, window = noise(n), analysis_window(n_fft).astype(dtype)
    ours = power_spectrogram(samples, window, hop)
    assert ours.dtype == dtype
    theirs = librosa.stft(samples.astype(np.float64), n_fft=n_fft, hop_length=hop, window=window, center=False)
    np.testing.assert_allclose(ours, np.abs(theirs.T) ** 2, rtol=0, atol=tolerance * np.abs(theirs).max() ** 2)


@pytest.mark.parametrize(("n_fft", "hop", "n"), CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("block_values", [1, 3000, 1 << 20])
def test_blocks_of_any_size_give_the_bits_of_the_obvious_product(
    n_fft: int, hop: int, n: int, dtype: DTypeLike, block_values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stored features and figures were computed so: all frames at once.
    monkeypatch.setattr(stft, "_BLOCK_VALUES", block_values)
    samples, window = noise(n), analysis_window(n_fft).astype(dtype)
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop]
    obvious = np.abs(scipy.fft.rfft(frames * window, axis=-1)) ** 2
    np.testing.assert_array_equal(power_spectrogram(samples, window, hop), obvious)


def test_fewer_samples_than_a_window_are_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        power_spectrogram(noise(10), analysis_window(16), 4)
