"""Frequencies and spectrograms: filters, contrast, treble and several masks, in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ossicle.models.augmentation.filtering import filtered, vary_frequencies
from ossicle.models.augmentation.settings import SpectralSettings
from ossicle.models.augmentation.spectral import masks, vary_log_mel
from ossicle.models.settings import AugmentSettings

PLAIN = AugmentSettings(tilt_db=0.0, frequency_mask=0.0)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("n_samples", [1000, 1001])
def test_a_tone_is_turned_down_by_the_gain_at_its_frequency(n_samples: int) -> None:
    gains = torch.tensor([[0.0, -20.0, -5.0, -15.0]])
    time = torch.arange(n_samples)
    n_bins = n_samples // 2 + 1
    for cycles in (10, n_bins // 3, 300, 499):
        tone = torch.sin(2 * torch.pi * cycles * time / n_samples)[None]
        got_db = 20 * np.log10(float(filtered(tone, gains).norm() / tone.norm()))
        expected_db = np.interp(cycles / (n_bins - 1) * 3, [0, 1, 2, 3], gains[0].numpy())
        assert got_db == pytest.approx(expected_db, abs=0.01)


def test_a_filter_of_no_gain_is_the_identity_and_silence_stays_silent() -> None:
    waveforms = torch.randn(3, 999, generator=seeded(0))
    assert torch.allclose(filtered(waveforms, torch.zeros(3, 4)), waveforms, atol=1e-5)
    assert torch.equal(filtered(torch.zeros(1, 999), torch.full((1, 4), -10.0)), torch.zeros(1, 999))


def test_filters_lie_within_their_limit_and_each_crop_has_its_own() -> None:
    click = torch.zeros(50, 512)
    click[:, 0] = 1.0
    heard = vary_frequencies(click, SpectralSettings(filter_probability=1.0, filter_db=12.0), seeded(1))
    gains_db = 20 * torch.log10(torch.fft.rfft(heard).abs())
    assert float(gains_db.max()) <= 1e-3
    assert -12.001 <= float(gains_db.min()) < -11
    assert len({round(float(one), 3) for one in gains_db[:, 0]}) > 40


def test_a_share_of_the_crops_is_filtered() -> None:
    waveforms = torch.randn(600, 64, generator=seeded(0))
    varied = vary_frequencies(waveforms, SpectralSettings(filter_probability=0.4), seeded(0))
    changed = (varied != waveforms).any(dim=1)
    assert 0.33 < float(changed.float().mean()) < 0.47


@given(seed=st.integers(0, 10_000), longest=st.integers(0, 6), most=st.integers(1, 5))
def test_masks_are_at_most_so_many_of_at_most_so_long(seed: int, longest: int, most: int) -> None:
    result = masks(16, 30, longest, most, 1.0, seeded(seed)).numpy()
    assert result.shape == (16, 30)
    for row in result:
        edges = np.diff(np.concatenate([[0], row.astype(int), [0]]))
        assert (edges == 1).sum() <= most
        assert row.sum() <= most * longest


def test_every_number_of_masks_is_drawn_and_a_share_of_crops_has_none() -> None:
    result = masks(4000, 400, 1, 3, 0.3, seeded(0)).numpy()
    numbers = result.sum(axis=1)
    # Of widths 0 and 1: none is drawn in (1 - p) + p * (1/2 + 1/4 + 1/8) / 3 of the crops.
    assert float((numbers == 0).mean()) == pytest.approx(0.7 + 0.3 * (0.5 + 0.25 + 0.125) / 3, abs=0.03)
    assert set(numbers.tolist()) == {0, 1, 2, 3}


def test_time_masks_in_seconds_are_frames_and_masks_hold_the_mean_of_their_crop() -> None:
    log_mel = torch.randn(200, 100, 40, generator=seeded(0)) + torch.arange(200)[:, None, None]
    spectral = SpectralSettings(frequency_masks=3, time_masks=3)
    settings = replace(PLAIN, frequency_mask=0.08, time_mask_s=0.2, spectral=spectral)
    varied = vary_log_mel(log_mel, settings, 0.01, seeded(1))
    most_bands = most_frames = 0
    for before, after in zip(log_mel, varied, strict=True):
        changed = before != after
        assert torch.allclose(after[changed], before.mean().expand(int(changed.sum())), atol=1e-3)
        bands, frames = int(changed.all(dim=0).sum()), int(changed.all(dim=1).sum())
        assert bands <= 3 * 3
        assert frames <= 3 * 20
        most_bands, most_frames = max(most_bands, bands), max(most_frames, frames)
    assert most_bands > 5
    assert most_frames > 35


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_contrast_is_a_power_of_the_share_of_a_crops_range(power: float) -> None:
    low, high = min(power, 1.0), max(power, 1.0)
    log_mel = torch.rand(5, 20, 8, generator=seeded(0)) * 60 - 80
    log_mel[4] = -100.0
    spectral = SpectralSettings(power_probability=1.0, power_low=low, power_high=high)
    varied = vary_log_mel(log_mel, replace(PLAIN, spectral=spectral), 0.01, seeded(0))
    for before, after in zip(log_mel[:4], varied[:4], strict=True):
        share = ((before - before.min()) / (before.max() - before.min())).double()
        changed = ((after - before.min()) / (before.max() - before.min())).double()
        inner = (share > 0.05) & (share < 0.95)
        result = (changed[inner].log() / share[inner].log()).numpy()
        assert np.allclose(result, result[0], atol=1e-3)
        assert low - 1e-3 <= result[0] <= high + 1e-3
        # The least and the largest stay, so that every normaliser hears it.
        assert torch.allclose(after.min(), before.min(), atol=1e-4)
        assert torch.allclose(after.max(), before.max(), atol=1e-4)
    assert torch.equal(varied[4], log_mel[4])


def test_treble_falls_evenly_to_a_band_of_the_upper_half() -> None:
    log_mel = torch.zeros(300, 4, 33)
    spectral = SpectralSettings(treble_probability=1.0, treble_db=18.0)
    curve = vary_log_mel(log_mel, replace(PLAIN, spectral=spectral), 0.01, seeded(0))
    assert torch.equal(curve, curve[:, :1].expand_as(curve))
    curve = curve[:, 0]
    assert float(curve.abs()[:, 0].max()) == 0
    assert float(curve.max()) <= 0
    assert -18 <= float(curve.min()) < -16
    steps = curve.diff(dim=1)
    assert float(steps.max()) <= 1e-5
    # Even below the middle, and level from some band of the upper half on.
    assert torch.allclose(steps[:, :16], steps[:, :1].expand(300, 16), atol=1e-5)
    level = (steps.abs() < 1e-6).sum(dim=1)
    assert {0, 1} <= set(level.tolist())
    assert int(level.max()) in (14, 15)


def test_a_share_of_spectrograms_goes_through_the_equaliser() -> None:
    log_mel = torch.zeros(2000, 3, 8)
    varied = vary_log_mel(log_mel, replace(PLAIN, tilt_db=6.0, tilt_probability=0.2), 0.01, seeded(0))
    assert 0.17 < float(varied.abs().amax(dim=(1, 2)).gt(0).float().mean()) < 0.23
