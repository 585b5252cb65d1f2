import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.models.augmentation import stages
from ossicle.models.augmentation.draws import uniform
from ossicle.models.augmentation.early import steady_noise
from ossicle.models.augmentation.sounds import Sounds
from ossicle.models.augmentation.spectral import masks, vary_log_mel
from ossicle.models.settings import AugmentSettings

OFF = AugmentSettings(gain_db=0.0, background_probability=0.0, tilt_db=0.0, frequency_mask=0.0, time_mask_s=0.0)
ALL = AugmentSettings(tilt_db=6.0, frequency_mask=0.25, time_mask_s=0.1, background_probability=1.0)


PLAN = ChunkPlan(rate=8000, hop_samples=40, window_samples=40, core_frames=10, context_frames=0)


def vary_waveforms(waves: Tensor, targets: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """The waveforms of a batch in which all is known."""
    sounds = Sounds(waves, targets, torch.ones_like(targets))
    return stages.vary_waveforms(sounds, settings, PLAN, generator).waveforms


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(free: tuple[int, ...] = (1, 3), size: int = 5) -> tuple[Tensor, Tensor]:
    waves = torch.randn(size, 400, generator=seeded(9))
    targets = torch.zeros(size, 10, 2)
    for item in set(range(size)) - set(free):
        targets[item, item % 10, item % 2] = 0.5
    return waves, targets


def test_off_is_the_identity() -> None:
    waves, targets = batch()
    assert torch.equal(vary_waveforms(waves, targets, OFF, seeded(0)), waves)
    log_mel = torch.randn(4, 30, 16)
    assert torch.equal(vary_log_mel(log_mel, OFF, 0.01, seeded(0)), log_mel)


def test_the_same_generator_gives_the_same_and_another_gives_another() -> None:
    waves, targets = batch()
    log_mel = torch.randn(4, 30, 16)
    for vary in (lambda g: vary_waveforms(waves, targets, ALL, g), lambda g: vary_log_mel(log_mel, ALL, 0.01, g)):
        assert torch.equal(vary(seeded(1)), vary(seeded(1)))
        assert not torch.equal(vary(seeded(1)), vary(seeded(2)))


def test_the_global_generator_is_neither_read_nor_moved() -> None:
    waves, targets = batch()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    vary_waveforms(waves, targets, ALL, seeded(1))
    vary_log_mel(torch.randn(2, 30, 16, generator=seeded(0)), ALL, 0.01, seeded(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_given_stays_as_it_is() -> None:
    waves, targets = batch()
    log_mel = torch.randn(4, 30, 16)
    copies = waves.clone(), targets.clone(), log_mel.clone()
    vary_waveforms(waves, targets, ALL, seeded(1))
    vary_log_mel(log_mel, ALL, 0.01, seeded(1))
    assert torch.equal(waves, copies[0])
    assert torch.equal(targets, copies[1])
    assert torch.equal(log_mel, copies[2])


def slow_waveforms(waves: Tensor, targets: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """One crop after the other, from the same draws."""
    n = len(waves)
    gain = uniform((n, 1), -settings.gain_db, settings.gain_db, generator)
    loud = [waves[i] * 10 ** (float(gain[i]) / 20) for i in range(n)]
    free = [i for i in range(n) if not targets[i].any()]
    if not free:
        return torch.stack(loud)
    partner = [free[int(k)] for k in torch.randint(0, len(free), (n,), generator=generator)]
    chance = torch.rand(n, 1, generator=generator)
    level = uniform((n, 1), settings.background_low_db, settings.background_high_db, generator)
    out = []
    for i in range(n):
        mixed = loud[i].clone()
        if float(chance[i]) < settings.background_probability and partner[i] != i:
            mixed += loud[partner[i]] * 10 ** (float(level[i]) / 20)
        out.append(mixed)
    return torch.stack(out)


@given(seed=st.integers(0, 10_000), free=st.sets(st.integers(0, 4)))
def test_backgrounds_against_one_crop_at_a_time(seed: int, free: set[int]) -> None:
    waves, targets = batch(tuple(free))
    settings = AugmentSettings(background_probability=0.6)
    got = vary_waveforms(waves, targets, settings, seeded(seed))
    assert torch.allclose(got, slow_waveforms(waves, targets, settings, seeded(seed)), atol=1e-5)


def test_only_crops_without_a_target_are_added_to_others() -> None:
    # The crops are unit vectors, so a sum says who is in it.
    size = 6
    waves = torch.eye(size)
    _, targets = batch(free=(2, 5), size=size)
    settings = AugmentSettings(gain_db=0.0, background_probability=1.0)
    for seed in range(20):
        varied = vary_waveforms(waves, targets, settings, seeded(seed))
        added = varied - waves
        assert set(torch.nonzero(added)[:, 1].tolist()) <= {2, 5}
        assert torch.equal(varied.diagonal(), torch.ones(size))
        level_db = 20 * torch.log10(added[added > 0])
        assert level_db.min() >= settings.background_low_db - 1e-4
        assert level_db.max() <= settings.background_high_db + 1e-4


def test_without_a_free_crop_only_the_gain_remains() -> None:
    waves, targets = batch(free=())
    varied = vary_waveforms(waves, targets, AugmentSettings(gain_db=3.0, background_probability=1.0), seeded(0))
    ratio_db = 20 * torch.log10(varied / waves)
    assert torch.allclose(ratio_db, ratio_db[:, :1].expand_as(ratio_db), atol=1e-3)
    assert float(ratio_db.abs().max()) <= 3.0 + 1e-3


@given(seed=st.integers(0, 10_000), size=st.integers(1, 40), data=st.data())
def test_a_mask_is_one_stretch_of_at_most_the_longest(seed: int, size: int, data: st.DataObject) -> None:
    longest = data.draw(st.integers(0, size))
    result = masks(8, size, longest, 1, 1.0, seeded(seed)).numpy()
    assert result.shape == (8, size)
    for row in result:
        places = np.flatnonzero(row)
        assert len(places) <= longest
        assert len(places) == 0 or places[-1] - places[0] + 1 == len(places)


def test_masks_reach_every_place_and_every_width() -> None:
    result = masks(4000, 10, 3, 1, 1.0, seeded(0))
    assert set(result.sum(dim=1).tolist()) == {0, 1, 2, 3}
    assert bool(result.any(dim=0).all())
    assert bool(result[:, 0].any())
    assert bool(result[:, -1].any())


def test_masked_places_hold_the_mean_of_the_crop_and_others_are_untouched() -> None:
    log_mel = torch.randn(6, 40, 20, generator=seeded(4))
    settings = AugmentSettings(tilt_db=0.0, frequency_mask=0.5, time_mask_s=0.2)
    varied = vary_log_mel(log_mel, settings, 0.01, seeded(5))
    for before, after in zip(log_mel, varied, strict=True):
        changed = after != before
        assert torch.allclose(after[changed], before.mean().expand(int(changed.sum())), atol=1e-6)
        bands, frames = changed.all(dim=0), changed.all(dim=1)
        assert torch.equal(changed, bands[None, :] | frames[:, None])
        assert int(bands.sum()) <= 10
        assert int(frames.sum()) <= 20


def test_a_time_mask_longer_than_the_crop_is_as_long_as_the_crop() -> None:
    settings = AugmentSettings(tilt_db=0.0, frequency_mask=0.0, time_mask_s=5.0)
    assert vary_log_mel(torch.randn(8, 12, 4), settings, 0.01, seeded(0)).shape == (8, 12, 4)


def test_the_equaliser_is_one_smooth_curve_a_crop_within_its_limit() -> None:
    log_mel = torch.zeros(5, 7, 33)
    settings = AugmentSettings(tilt_db=4.0, frequency_mask=0.0)
    curve = vary_log_mel(log_mel, settings, 0.01, seeded(1))
    assert torch.equal(curve, curve[:, :1].expand_as(curve))
    assert float(curve.abs().max()) <= 4.0
    # Five points over 33 bands: straight between every eighth band.
    points = curve[:, 0, ::8]
    expected = np.stack([np.interp(np.arange(33), np.arange(0, 33, 8), row) for row in points.numpy()])
    assert np.allclose(curve[:, 0].numpy(), expected, atol=1e-5)


def test_levels_upside_down_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be above"):
        AugmentSettings(background_low_db=3.0, background_high_db=1.0)


def test_steady_noise_has_a_level_of_1_and_falls_with_frequency_in_half_of_the_crops() -> None:
    noise = steady_noise(200, 8000, torch.Generator().manual_seed(0))
    assert torch.allclose(noise.square().mean(dim=1), torch.ones(200), atol=1e-4)
    power = torch.fft.rfft(noise).abs().square()
    ratio = power[:, 1000:1500].mean(dim=1) / power[:, 3000:3500].mean(dim=1)
    assert (ratio > 0.7).all()
    assert 0.3 < (ratio < 1.2).float().mean() < 0.7
    assert ratio.max() > 4


@pytest.mark.parametrize("ratio_db", [-3.0, 12.0])
def test_backgrounds_can_be_added_at_a_signal_to_noise_ratio(ratio_db: float) -> None:
    snr = AugmentSettings(
        gain_db=0.0, background_probability=1.0, background_by="snr",
        background_low_db=ratio_db, background_high_db=ratio_db,
    )  # fmt: skip
    waves, targets = batch(free=(1,))
    targets[0] = 0
    targets[0, :5] = 1
    # A call ten times as loud as the rest of its crop, in the first half.
    waves[0, :200] *= 10
    waves[1] *= 0.01
    added = vary_waveforms(waves, targets, snr, seeded(0)) - waves
    call = float(waves[0, :200].square().mean())
    assert 10 * np.log10(call / float(added[0].square().mean())) == pytest.approx(ratio_db, abs=0.01)
    # The only crop without a target is not added to itself.
    assert torch.equal(added[1], torch.zeros(400))
    waves[1] = 0
    silent = vary_waveforms(waves, targets, snr, seeded(0))
    assert torch.equal(silent, waves)
