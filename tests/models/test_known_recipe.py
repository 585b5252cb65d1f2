"""The published front end of the sliding-window models, written out slowly, against the three forms we have of it.

48 kHz, pre-emphasis 0.98, Hann power STFT of 2048 every 1024 samples without centring, divided by the window's energy,
cropped to 0 to 4 kHz, nearest interpolation to 128 bins, decibels from -100; padding before all of it.
"""

import cmath
import math

import numpy as np
import pytest
import torch

from ossicle.audio.features.logmel import chunk_log_mel, log_mel
from ossicle.core.model_input.chunks import framing, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window, band_centres_hz, linear_filter_bank
from ossicle.models.frontend import ChunkLogMel, ExportableLogMel, LogMel

KNOWN = FrontEndSettings(
    rate=48000,
    n_fft=2048,
    hop_samples=1024,
    n_mels=128,
    fmin_hz=0.0,
    fmax_hz=4000.0,
    scale="linear",
    preemphasis=0.98,
    window_scale="energy",
)
SECONDS = 0.4


def published(samples: np.ndarray, rate: int, n_fft: int, hop: int, bins: int, high_hz: float) -> np.ndarray:
    """(frames, bins) in dB of float64 samples; loops, and a discrete Fourier transform by its definition."""
    emphasised = [samples[0]] + [samples[n] - 0.98 * samples[n - 1] for n in range(1, len(samples))]
    hann = [0.5 * (1 - math.cos(2 * math.pi * n / n_fft)) for n in range(n_fft)]
    energy = sum(value * value for value in hann)
    cropped = math.ceil(high_hz * n_fft / rate)
    twiddle = np.array([cmath.exp(-2j * math.pi * k / n_fft) for k in range(n_fft)])
    out = []
    for start in range(0, len(samples) - n_fft + 1, hop):
        frame = np.array(emphasised[start : start + n_fft]) * hann
        row = []
        for place in range(bins):
            k = math.floor(place * cropped / bins)
            value = (frame * twiddle[(k * np.arange(n_fft)) % n_fft]).sum()
            row.append(10 * math.log10(max(abs(value) ** 2 / energy, 1e-10)))
        out.append(row)
    return np.array(out)


def hum(seed: int = 0, seconds: float = SECONDS) -> np.ndarray:
    """A low call with harmonics over noise."""
    time = np.arange(round(seconds * KNOWN.rate)) / KNOWN.rate
    call = sum(0.2 / k * np.sin(2 * np.pi * 310 * k * time) for k in range(1, 6))
    return (call + 0.01 * np.random.default_rng(seed).standard_normal(len(time))).astype(np.float32)


def forms(front: FrontEndSettings, waves: np.ndarray) -> dict[str, np.ndarray]:
    """Every front end we have."""
    given = torch.from_numpy(waves)
    return {
        "numpy": log_mel(waves, front),
        "torch": LogMel(front)(given).numpy(),
        "exportable": ExportableLogMel(front)(given).numpy(),
    }


@pytest.mark.parametrize("padded", [0, 9000])
def test_the_three_forms_are_the_published_recipe(padded: int) -> None:
    wave = hum()
    # A call that is shorter than the window is padded before anything else: its zeros are -100 dB, as silence is.
    wave[len(wave) - padded :] = 0
    expected = published(wave.astype(np.float64), 48000, 2048, 1024, 128, 4000.0)
    assert expected.shape == (17, 128)
    for name, got in forms(KNOWN, wave[None]).items():
        # float32: within 0.01 dB wherever a bin is within 80 dB of the loudest, and no louder than that elsewhere.
        heard = expected > expected.max(axis=1, keepdims=True) - 80
        assert np.abs(got[0] - expected)[heard].max() < 0.01, name
        assert got[0][~heard].max(initial=-np.inf) < expected.max() - 60, name
    if padded:
        assert np.all(expected[-7:] == -100)
        assert np.allclose(log_mel(wave, KNOWN)[-7:], -100, atol=1e-4)


def test_the_band_is_cropped_and_read_as_torch_interpolates() -> None:
    bins = torch.arange(171, dtype=torch.float32)[None, None]
    expected = torch.nn.functional.interpolate(bins, size=128, mode="nearest")[0, 0].numpy()
    bank = linear_filter_bank(KNOWN)
    assert np.array_equal(bank.argmax(axis=1), expected)
    assert np.array_equal(bank.sum(axis=1), np.ones(128))
    assert bank[:, 171:].max() == 0


@pytest.mark.parametrize("scale", ["linear", "mel"])
def test_a_bands_centre_is_where_a_tone_is_loudest(scale: str) -> None:
    front = FrontEndSettings(rate=16000, n_fft=1024, hop_samples=512, n_mels=40, scale=scale)
    centres = band_centres_hz(front)
    assert np.all(np.diff(centres) > 0)
    time = np.arange(4096) / front.rate
    for band in range(3, 40, 6):
        tone = np.sin(2 * np.pi * centres[band] * time).astype(np.float32)
        assert abs(int(log_mel(tone, front).mean(axis=0).argmax()) - band) <= 1


def test_a_window_scaled_by_energy_has_energy_one_and_begins_with_zero() -> None:
    window = analysis_window(2048, "energy")
    assert float(np.square(window, dtype=np.float64).sum()) == pytest.approx(1.0, abs=1e-6)
    assert window[0] == 0
    assert analysis_window(2048)[0] == 0


@pytest.mark.parametrize("step_s", [0.05, 0.032])
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("preemphasis", [0.0, 0.98])
def test_one_stft_gives_every_window_what_it_has_alone(step_s: float, exact: bool, preemphasis: float) -> None:
    front = FrontEndSettings(
        rate=48000, n_fft=2048, hop_samples=1024, n_mels=128, fmax_hz=4000.0, fmin_hz=0.0, scale="linear",
        preemphasis=preemphasis,
    )  # fmt: skip
    plan = window_plan(front, 0.4, step_s, 0.5, exact)
    result = framing(plan, front)
    assert result.shared is not exact
    chunks = np.stack([hum(seed, plan.chunk_samples / plan.rate) for seed in (1, 2)])
    given = torch.from_numpy(chunks)
    spectrograms = {
        "numpy": chunk_log_mel(chunks, plan, front),
        "torch": ChunkLogMel(LogMel(front), plan, front)(given).numpy(),
        "exportable": ChunkLogMel(ExportableLogMel(front), plan, front)(given).numpy(),
    }
    for name, got in spectrograms.items():
        assert got.shape == (2, result.n_frames, 128), name
        for frame in range(plan.core_frames):
            alone = chunks[:, frame * plan.hop_samples :][:, : plan.window_samples]
            expected = forms(front, alone)[name]
            rows = got[:, frame * result.step_frames :][:, : result.window_frames]
            # The first sample of a window is emphasised alone, not so in the chunk; the Hann window's zero hides it.
            assert np.abs(rows - expected).max() < 2e-3, (name, frame)


@pytest.mark.parametrize("preemphasis", [0.0, 0.5, 0.98])
@pytest.mark.parametrize("scale", ["linear", "mel"])
@pytest.mark.parametrize("window_scale", ["amplitude", "energy"])
def test_the_three_forms_agree(preemphasis: float, scale: str, window_scale: str) -> None:
    front = FrontEndSettings(
        rate=16000, n_fft=512, hop_samples=160, n_mels=48, scale=scale, preemphasis=preemphasis,
        window_scale=window_scale,
    )  # fmt: skip
    waves = (0.1 * np.random.default_rng(3).standard_normal((3, 8000))).astype(np.float32)
    result = forms(front, waves)
    for name in ("torch", "exportable"):
        assert np.abs(result[name] - result["numpy"]).max() < 2e-3, name
