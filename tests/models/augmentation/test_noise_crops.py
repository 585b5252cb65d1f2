"""Crops of noise without targets: every kind, its levels and spectra, and that draws are repeatable and wide."""

import numpy as np
import pytest
import torch

from ossicle.corpus.synthetic.noise_probes import synthetic_probes
from ossicle.models.augmentation.noise_crops import NOISE_KINDS, noise_count, noise_crops

RATE, SECONDS = 8000, 1.5
N_SAMPLES = int(RATE * SECONDS)
KINDS = list(NOISE_KINDS)


@pytest.fixture(scope="module")
def drawn() -> dict[str, torch.Tensor]:
    """Many crops of each kind."""
    crops = noise_crops(300, N_SAMPLES, RATE, torch.Generator().manual_seed(0))
    return {kind: crops.waveforms[crops.kinds == place] for place, kind in enumerate(KINDS)}


def level_db(waves: torch.Tensor) -> torch.Tensor:
    return 10 * torch.log10(waves.square().mean(dim=1).clamp_min(1e-20))


def centroid_hz(waves: torch.Tensor) -> torch.Tensor:
    power = torch.fft.rfft(waves).abs().square()
    return (power * torch.fft.rfftfreq(waves.shape[1], 1 / RATE)).sum(dim=1) / power.sum(dim=1)


def envelope_db(waves: torch.Tensor, seconds: float = 0.025) -> torch.Tensor:
    size = int(seconds * RATE)
    frames = waves[:, : waves.shape[1] // size * size].reshape(len(waves), -1, size)
    return 10 * torch.log10(frames.square().mean(dim=2).clamp_min(1e-12))


@pytest.mark.parametrize(
    ("batch", "share", "n"), [(16, 0.125, 2), (32, 0.125, 4), (4, 0.125, 1), (16, 0.0, 0), (8, 1, 8)]
)
def test_a_share_of_a_batch_is_a_whole_number_and_at_least_1(batch: int, share: float, n: int) -> None:
    assert noise_count(batch, share) == n


def test_crops_are_finite_within_full_scale_and_follow_from_the_generator() -> None:
    once, again, other = (noise_crops(20, N_SAMPLES, RATE, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert once.waveforms.shape == (20, N_SAMPLES)
    assert once.waveforms.dtype == torch.float32
    assert torch.isfinite(once.waveforms).all()
    assert once.waveforms.abs().max() <= 1
    assert torch.equal(once.waveforms, again.waveforms)
    assert not torch.equal(once.waveforms, other.waveforms)


def test_kinds_come_as_often_as_their_shares_say(drawn: dict[str, torch.Tensor]) -> None:
    assert sum(NOISE_KINDS.values()) == pytest.approx(1.0)
    for kind, share in NOISE_KINDS.items():
        assert len(drawn[kind]) / 300 == pytest.approx(share, abs=0.07), kind


def test_levels_reach_from_faint_to_loud_in_every_kind_but_silence(drawn: dict[str, torch.Tensor]) -> None:
    for kind in KINDS[1:]:
        level = level_db(drawn[kind])
        assert level.max() < -9.9, kind
        assert level.min() > -76, kind
        assert level.max() - level.min() > 40, kind


def test_silence_is_digital_or_faint_or_constant(drawn: dict[str, torch.Tensor]) -> None:
    silent = drawn["silence"]
    digital = (silent == 0).all(dim=1)
    constant = (silent.std(dim=1) < 1e-7) & ~digital
    assert 0.2 < digital.float().mean() < 0.8
    assert constant.any()
    assert (level_db(silent[~digital & ~constant]) < -79).all()


def test_steady_noise_is_white_or_of_many_slopes_and_steady(drawn: dict[str, torch.Tensor]) -> None:
    centres = centroid_hz(drawn["steady"])
    assert (abs(centres - RATE / 4) < 0.03 * RATE).float().mean() > 0.25
    assert centres.min() < 0.05 * RATE
    assert envelope_db(drawn["steady"]).std(dim=1).median() < 2


def test_modulated_noise_swings_and_gusts_are_low(drawn: dict[str, torch.Tensor]) -> None:
    swings = envelope_db(drawn["modulated"]).std(dim=1)
    assert swings.median() > 4
    assert swings.max() > 10
    assert centroid_hz(drawn["gusts"]).median() < 0.5 * centroid_hz(drawn["modulated"]).median()


def test_hum_holds_harmonics_of_45_to_65_hz(drawn: dict[str, torch.Tensor]) -> None:
    power = torch.fft.rfft(drawn["hum"] * torch.hann_window(N_SAMPLES)).abs().square()
    strongest = power.argmax(dim=1) / SECONDS
    orders = torch.arange(1, 41)
    near = [any(44 * order <= float(hz) <= 66 * order for order in orders) for hz in strongest]
    assert np.mean(near) > 0.95
    assert len(set(strongest.round().tolist())) > 10


def test_drops_are_short_and_dense(drawn: dict[str, torch.Tensor]) -> None:
    waves = drawn["drops"]
    crest = waves.abs().amax(dim=1) / waves.square().mean(dim=1).sqrt()
    assert crest.median() > 5


@pytest.mark.parametrize("rate", [2000, 48000, 250000])
def test_spectra_reach_over_the_whole_band_at_any_rate(rate: int) -> None:
    crops = noise_crops(40, rate // 4, rate, torch.Generator().manual_seed(0))
    steady = crops.waveforms[crops.kinds == KINDS.index("steady")]
    power = torch.fft.rfft(steady).abs().square()
    upper = power[:, power.shape[1] * 3 // 4 :].sum(dim=1) / power.sum(dim=1)
    assert upper.max() > 0.2
    assert torch.isfinite(crops.waveforms).all()


def test_no_crop_is_a_probe_of_the_noise_gate(drawn: dict[str, torch.Tensor]) -> None:
    """The gate's probes stay unseen: no crop correlates with any stretch of them, apart from silence."""
    for probe in synthetic_probes(RATE, 6.0, 0):
        if probe.name in ("silence", "hum"):
            continue
        spectrum = np.fft.rfft(probe.samples, 2 * len(probe.samples))
        norm = np.linalg.norm(probe.samples[:N_SAMPLES])
        for kind in ("steady", "modulated"):
            waves = drawn[kind][:10].double().numpy()
            waves /= np.linalg.norm(waves, axis=1, keepdims=True)
            matched = np.fft.irfft(spectrum * np.conj(np.fft.rfft(waves, 2 * len(probe.samples))))
            assert np.abs(matched).max() / norm < 0.5
