"""Single crops: polarity, time, noise added; what moves with the sound, and what stays."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.models.augmentation.early import vary_early
from ossicle.models.augmentation.settings import EarlySettings
from ossicle.models.augmentation.shifting import shift
from ossicle.models.augmentation.sounds import Sounds
from ossicle.models.settings import AugmentSettings

RATE = 1000
OVERLAPPING = ChunkPlan(rate=RATE, hop_samples=10, window_samples=30, core_frames=8, context_frames=1)
CLIP = ChunkPlan(rate=RATE, hop_samples=200, window_samples=200, core_frames=1, context_frames=0)
CLIPS = ChunkPlan(rate=RATE, hop_samples=100, window_samples=100, core_frames=3, context_frames=0)
STILL = AugmentSettings(gain_db=0.0, background_probability=0.0)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(plan: ChunkPlan, size: int = 6) -> Sounds:
    drawn = seeded(0)
    shape = (size, plan.chunk_frames, 2)
    return Sounds(
        torch.randn(size, plan.chunk_samples, generator=drawn),
        (torch.rand(shape, generator=drawn) > 0.6).float(),
        (torch.rand(shape, generator=drawn) > 0.2).float(),
    )


@given(seed=st.integers(0, 10_000))
def test_frames_move_with_their_targets(seed: int) -> None:
    # Each frame's hop holds its number, and its target says the same: wherever they go, they go together.
    plan, edge = OVERLAPPING, 10
    numbers = torch.arange(1, 11.0)
    waveform = torch.cat([torch.zeros(edge), numbers.repeat_interleave(10), torch.zeros(edge)])[None]
    targets = (numbers / 10)[None, :, None]
    for kind in ("circular", "zeros"):
        settings = EarlySettings(shift_probability=1.0, shift_s=0.04, shift=kind)
        moved = shift(Sounds(waveform, targets, torch.ones_like(targets)), settings, plan, seeded(seed))
        hops = moved.waveforms[0, edge:-edge].reshape(10, 10)
        assert torch.equal(hops, hops[:, :1].expand(10, 10))
        assert torch.allclose(hops[:, 0], 10 * moved.targets[0, :, 0])
        by = int((hops[:, 0] == 5.0).nonzero()[0]) - 4
        assert 1 <= abs(by) <= 4
        if kind == "circular":
            assert torch.equal(moved.targets[0, :, 0], (numbers / 10).roll(by))
            assert torch.equal(moved.mask, torch.ones_like(targets))
        else:
            came_in = range(by) if by > 0 else range(10 + by, 10)
            assert sorted(torch.nonzero(moved.mask[0, :, 0] == 0)[:, 0].tolist()) == list(came_in)
            assert float(moved.targets[0, list(came_in)].max()) == 0


@pytest.mark.parametrize("kind", ["circular", "zeros"])
def test_clips_move_in_themselves_and_keep_their_labels(kind: str) -> None:
    for plan in (CLIP, CLIPS, replace(CLIPS, hop_samples=110), replace(CLIP, hop_samples=210)):
        sounds = batch(plan)
        settings = EarlySettings(shift_probability=1.0, shift_s=0.04, shift=kind)
        moved = shift(sounds, settings, plan, seeded(1))
        assert moved.targets is sounds.targets
        assert moved.mask is sounds.mask
        offsets = set()
        unchanged = (moved.waveforms == sounds.waveforms).all(dim=0)
        for frame in range(plan.chunk_frames):
            unchanged[frame * plan.hop_samples : frame * plan.hop_samples + plan.window_samples] = True
        assert bool(unchanged.all())
        before, after = (
            one.waveforms.unfold(1, plan.window_samples, plan.hop_samples).flatten(0, 1) for one in (sounds, moved)
        )
        for old, new in zip(before, after, strict=True):
            fits = []
            for by in [*range(-40, 0), *range(1, 41)]:
                expected = old.roll(by)
                if kind == "zeros":
                    expected[slice(by) if by > 0 else slice(by, None)] = 0
                if torch.equal(new, expected):
                    fits.append(by)
            assert len(fits) == 1
            offsets.add(fits[0])
        assert len(offsets) > 3
        assert min(offsets) < 0 < max(offsets)


def test_a_shift_longer_than_the_crop_is_less_than_a_turn_and_none_is_none() -> None:
    for plan in (OVERLAPPING, CLIP):
        sounds = batch(plan)
        moved = shift(sounds, EarlySettings(shift_probability=1.0, shift_s=99.0), plan, seeded(0))
        assert bool((moved.waveforms != sounds.waveforms).any(dim=1).all())
        assert shift(sounds, EarlySettings(shift_probability=1.0, shift_s=0.0), plan, seeded(0)) is sounds
    # Less than a frame is no whole frame.
    frames = batch(OVERLAPPING)
    assert shift(frames, EarlySettings(shift_probability=1.0, shift_s=0.005), OVERLAPPING, seeded(0)) is frames


def test_polarity_turns_the_sign_and_nothing_else() -> None:
    sounds = batch(CLIP, size=2000)
    half = replace(STILL, early=EarlySettings(polarity_probability=0.5))
    varied = vary_early(sounds, half, CLIP, seeded(0)).waveforms
    turned = (varied == -sounds.waveforms).all(dim=1)
    assert torch.equal(varied[~turned], sounds.waveforms[~turned])
    assert 0.45 < float(turned.float().mean()) < 0.55
    every = replace(STILL, early=EarlySettings(polarity_probability=1.0))
    assert torch.equal(vary_early(sounds, every, CLIP, seeded(0)).waveforms, -sounds.waveforms)


@pytest.mark.parametrize("ratio_db", [-5.0, 20.0])
def test_hiss_lies_below_the_calls_by_its_ratio(ratio_db: float) -> None:
    plan = replace(CLIPS, hop_samples=1000, window_samples=1000)
    sounds = batch(plan, size=3)
    targets = torch.zeros_like(sounds.targets)
    targets[0, 0, 1] = 1.0
    waveforms = sounds.waveforms.clone()
    waveforms[0, :1000] *= 8
    waveforms[2] = 0
    sounds = Sounds(waveforms, targets, sounds.mask)
    settings = replace(STILL, early=EarlySettings(hiss_probability=1.0, hiss_low_db=ratio_db, hiss_high_db=ratio_db))
    varied = vary_early(sounds, settings, plan, seeded(0)).waveforms
    noise = (varied - waveforms).square().mean(dim=1)
    call, whole = waveforms[0, :1000].square().mean(), waveforms[1].square().mean()
    assert float(10 * torch.log10(call / noise[0])) == pytest.approx(ratio_db, abs=0.01)
    assert float(10 * torch.log10(whole / noise[1])) == pytest.approx(ratio_db, abs=0.01)
    # Digital silence is nobody's ratio.
    assert torch.equal(varied[2], waveforms[2])


def test_a_share_of_the_crops_gets_a_gain() -> None:
    sounds = batch(CLIP, size=2000)
    varied = vary_early(sounds, replace(STILL, gain_db=6.0, gain_probability=0.25), CLIP, seeded(0)).waveforms
    changed = (varied != sounds.waveforms).any(dim=1)
    assert 0.21 < float(changed.float().mean()) < 0.29
    assert torch.equal(vary_early(sounds, replace(STILL, gain_probability=0.0), CLIP, seeded(0)).waveforms,
                       sounds.waveforms)  # fmt: skip


def test_ratios_upside_down_are_refused() -> None:
    with pytest.raises(ValueError, match="hiss_low_db = 30 dB must not be above hiss_high_db"):
        EarlySettings(hiss_low_db=30.0)
