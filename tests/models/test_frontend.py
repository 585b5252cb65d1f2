import librosa
import numpy as np
import pytest
import torch

from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window
from ossicle.models.frontend import ExportableLogMel, LogMel

SETTINGS = [
    FrontEndSettings(),
    FrontEndSettings(rate=22050, n_fft=500, hop_samples=220, n_mels=40, fmin_hz=100.0, fmax_hz=11025.0),
    FrontEndSettings(rate=8000, n_fft=250, hop_samples=80, n_mels=20, fmax_hz=3000.0),
    FrontEndSettings(rate=48000, n_fft=1024, hop_samples=480, n_mels=96, fmin_hz=0.0, fmax_hz=20000.0),
    FrontEndSettings(rate=16000, n_fft=128, hop_samples=160, n_mels=24, floor_db=-60.0),
]
FORMS = [LogMel, ExportableLogMel]


def sounds(front: FrontEndSettings, seconds: float = 0.3) -> np.ndarray:
    """Noise, a loud tone, a click in silence, nothing at all: (4, n_samples)."""
    n = int(seconds * front.rate)
    rng = np.random.default_rng(1)
    tone = 0.9 * np.sin(2 * np.pi * 0.11 * front.rate * np.arange(n) / front.rate)
    click = np.zeros(n)
    click[n // 2] = 1.0
    return np.stack([0.1 * rng.standard_normal(n), tone, click, np.zeros(n)]).astype(np.float32)


@pytest.mark.parametrize("front", SETTINGS, ids=lambda front: f"{front.rate}/{front.n_fft}")
@pytest.mark.parametrize("form", FORMS)
def test_both_forms_give_the_numpy_front_end(form: type, front: FrontEndSettings) -> None:
    waves = sounds(front)
    expected = log_mel(waves, front)
    got = form(front)(torch.from_numpy(waves)).numpy()
    assert got.shape == expected.shape
    assert got.dtype == np.float32
    # As power, everywhere: 1e-4 of the loudest band of the frame. Decibels of a band 90 dB below a loud neighbour are
    # rounding of float32, so in dB the limit holds for bands within 60 dB of the frame's loudest.
    power, wanted = 10 ** (got / 10), 10 ** (expected / 10)
    assert np.all(np.abs(power - wanted) <= 1e-4 * wanted.max(axis=-1, keepdims=True))
    heard = expected > expected.max(axis=-1, keepdims=True) - 60
    assert np.abs(got - expected)[heard].max() < 1e-2
    noise = np.abs(got - expected)[0]
    assert noise.max() < 1e-3


@pytest.mark.parametrize("front", SETTINGS, ids=lambda front: f"{front.rate}/{front.n_fft}")
@pytest.mark.parametrize("form", FORMS)
def test_both_forms_give_librosa(form: type, front: FrontEndSettings) -> None:
    wave = sounds(front)[0]
    power = librosa.feature.melspectrogram(
        y=wave.astype(np.float64),
        sr=front.rate,
        n_fft=front.n_fft,
        hop_length=front.hop_samples,
        window=analysis_window(front.n_fft).astype(np.float64),
        center=False,
        n_mels=front.n_mels,
        fmin=front.fmin_hz,
        fmax=front.fmax_hz,
    )
    expected = 10 * np.log10(np.maximum(power, 10 ** (front.floor_db / 10))).T
    got = form(front)(torch.from_numpy(wave[None]))[0].numpy()
    assert np.abs(got - expected).max() < 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_silence_is_the_floor_exactly(form: type) -> None:
    front = FrontEndSettings(floor_db=-80.0)
    assert torch.all((form(front)(torch.zeros(1, 2000)) + 80.0).abs() < 1e-5)


def test_a_mixed_precision_region_leaves_the_front_end_in_float32() -> None:
    front = SETTINGS[0]
    waves = torch.from_numpy(sounds(front))
    expected = LogMel(front)(waves)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = LogMel(front)(waves)
    assert got.dtype == torch.float32
    assert torch.equal(got, expected)


def test_nothing_of_the_front_end_is_saved_with_the_weights() -> None:
    assert LogMel(SETTINGS[0]).state_dict() == {}
    assert ExportableLogMel(SETTINGS[0]).state_dict() == {}
