"""The filter bank and the window against librosa, the outside oracle."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window, hz_to_mel, mel_filter_bank, mel_to_hz


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin_hz", "fmax_hz"),
    [
        (16000, 512, 64, 50.0, 8000.0),
        (48000, 1024, 128, 0.0, 24000.0),
        (22050, 2048, 40, 300.0, 11025.0),
        (32000, 512, 32, 1500.0, 9000.0),
        (250000, 1024, 64, 15000.0, 120000.0),
    ],
)
def test_the_filter_bank_equals_librosas(rate: int, n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float) -> None:
    front = FrontEndSettings(rate=rate, n_fft=n_fft, n_mels=n_mels, fmin_hz=fmin_hz, fmax_hz=fmax_hz)
    expected = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin_hz, fmax=fmax_hz, htk=False, norm="slaney"
    )
    bank = mel_filter_bank(front)
    assert bank.shape == (n_mels, n_fft // 2 + 1)
    assert bank.dtype == np.float32
    np.testing.assert_allclose(bank, expected, rtol=1e-5, atol=1e-9)


@given(st.floats(0, 200_000, allow_nan=False))
def test_mels_equal_librosas_and_lead_back_to_hertz(hz: float) -> None:
    frequency_hz = np.array([hz])
    mel = hz_to_mel(frequency_hz)
    assert mel == pytest.approx(librosa.hz_to_mel(frequency_hz), rel=1e-9, abs=1e-12)
    assert mel_to_hz(mel) == pytest.approx(frequency_hz, rel=1e-9, abs=1e-9)


@given(st.floats(0, 100_000, allow_nan=False), st.floats(0, 100_000, allow_nan=False))
def test_mels_rise_with_frequency(a: float, b: float) -> None:
    mel_a, mel_b = hz_to_mel(np.array([a]))[0], hz_to_mel(np.array([b]))[0]
    assert (mel_a < mel_b) == (a < b) or abs(mel_a - mel_b) < 1e-9


@pytest.mark.parametrize("n_fft", [256, 512, 1024])
def test_the_window_is_librosas_periodic_hann_up_to_its_scale(n_fft: int) -> None:
    hann = librosa.filters.get_window("hann", n_fft, fftbins=True)
    np.testing.assert_allclose(analysis_window(n_fft), hann / (hann.sum() / 2), atol=1e-7)


@pytest.mark.parametrize("bin_index", [3, 40, 200])
def test_a_full_scale_sine_has_power_one_in_its_bin(bin_index: int) -> None:
    n_fft = 512
    sine = np.sin(2 * np.pi * bin_index * np.arange(n_fft) / n_fft)
    power = np.abs(np.fft.rfft(sine * analysis_window(n_fft))) ** 2
    assert power[bin_index] == pytest.approx(1.0, abs=1e-5)
    assert int(np.argmax(power)) == bin_index


def test_bands_beyond_nyquist_or_upside_down_are_refused() -> None:
    with pytest.raises(ValueError, match="above half the rate"):
        FrontEndSettings(rate=8000)
    with pytest.raises(ValueError, match="must lie below"):
        FrontEndSettings(fmin_hz=4000.0, fmax_hz=4000.0)
