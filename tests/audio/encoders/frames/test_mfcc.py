"""The built-in encoders of frames, against librosa."""

import librosa
import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

from ossicle.audio.encoders.frames.logmel import FRONT, LogMelEncoder
from ossicle.audio.encoders.frames.mfcc import N_COEFFICIENTS, N_SLOPES, SLOPE_REACH, MfccEncoder, slopes
from ossicle.audio.encoders.spec import Encoder

RATE = 16000
ENCODERS: tuple[Encoder, ...] = (LogMelEncoder(), MfccEncoder())


def voice(n: int = 9000) -> NDArray[np.float32]:
    """Return a chirp over noise, which has no band at the floor."""
    rng = np.random.default_rng(3)
    noise = 0.01 * rng.standard_normal(n)
    return (noise + 0.3 * scipy.signal.chirp(np.arange(n) / RATE, 200, n / RATE, 3000)).astype(np.float32)


def oracle_levels(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    power = (
        np.abs(librosa.stft(samples.astype(np.float64), n_fft=400, hop_length=320, window="hann", center=False)) ** 2
    )
    power *= (2 / scipy.signal.get_window("hann", 400).sum()) ** 2
    bank = librosa.filters.mel(sr=RATE, n_fft=400, n_mels=40, fmin=50, fmax=8000)
    return 10 * np.log10(np.maximum(bank @ power, 1e-9)).T


def test_levels_are_those_of_librosa() -> None:
    samples = voice()
    np.testing.assert_allclose(LogMelEncoder().encode(samples[None])[0], oracle_levels(samples), atol=2e-2)


def test_coefficients_and_slopes_are_those_of_librosa() -> None:
    samples = voice()
    result = MfccEncoder().encode(samples[None])[0]
    cepstra = librosa.feature.mfcc(S=oracle_levels(samples).T, n_mfcc=N_COEFFICIENTS)
    np.testing.assert_allclose(result[:, :N_COEFFICIENTS], cepstra.T, atol=2e-2)
    # Savitzky and Golay's filter of the first order is the fitted slope; it differs where frames are missing.
    width = 2 * SLOPE_REACH + 1
    changes = librosa.feature.delta(cepstra[:N_SLOPES], width=width, mode="nearest")
    np.testing.assert_allclose(result[:, N_COEFFICIENTS:], changes.T, atol=2e-2)


def test_slopes_are_fitted_lines() -> None:
    values = np.random.default_rng(1).standard_normal((9, 2)).astype(np.float32)
    result = slopes(values, 3)
    padded = np.pad(values, ((3, 3), (0, 0)), mode="edge")
    for k in range(9):
        expected = np.polyfit(np.arange(-3, 4), padded[k : k + 7], 1)[0]
        np.testing.assert_allclose(result[k], expected, atol=1e-5)


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda one: one.spec.name)
@pytest.mark.parametrize("n_samples", [400, 719, 720, 721, 4000])
def test_the_number_of_frames_and_their_centres_are_as_stated(encoder: Encoder, n_samples: int) -> None:
    spec = encoder.spec
    result = encoder.encode(np.zeros((1, n_samples), np.float32))
    assert result.shape == (1, 1 + (n_samples - 400) // 320, spec.dim)
    assert (spec.hop_s, spec.origin_s) == (0.02, 0.0125)


def test_a_click_is_loudest_in_the_frame_whose_centre_is_nearest() -> None:
    for k in (0, 7, 20):
        samples = np.zeros(8000, np.float32)
        samples[320 * k + 200] = 1
        assert LogMelEncoder().encode(samples[None])[0].mean(axis=1).argmax() == k


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda one: one.spec.name)
def test_silence_is_finite_and_a_waveform_does_not_depend_on_its_batch(encoder: Encoder) -> None:
    batch = np.stack([np.zeros(4000, np.float32), voice(4000), np.ones(4000, np.float32)])
    together = encoder.encode(batch)
    assert np.isfinite(together).all()
    assert together.dtype == np.float32
    for one, found in zip(batch, together, strict=True):
        np.testing.assert_array_equal(encoder.encode(one[None])[0], found)


def test_less_than_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 400"):
        MfccEncoder().encode(np.zeros((1, 399), np.float32))


def test_the_front_end_has_whole_samples() -> None:
    assert (FRONT.n_fft / RATE, FRONT.hop_samples / RATE) == (0.025, 0.02)
