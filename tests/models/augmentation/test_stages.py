"""All stages together: each in its order, alone, on silence, on single crops, from its generator and no other."""

import ast
import importlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.augmentation.settings import EarlySettings, MixupSettings, SpectralSettings
from ossicle.models.augmentation.sounds import Sounds, peaks, to_full_scale
from ossicle.models.augmentation.spectral import vary_log_mel
from ossicle.models.augmentation.stages import vary_waveforms, waveform_stages
from ossicle.models.augmentation.stretch import vary_stretch
from ossicle.models.settings import AugmentSettings

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=128, n_mels=24, fmax_hz=4000.0)
CLIP = ChunkPlan(rate=8000, hop_samples=2176, window_samples=2176, core_frames=1, context_frames=0)
FRAMES = ChunkPlan(rate=8000, hop_samples=128, window_samples=256, core_frames=12, context_frames=2)
PLANS = {"clip": CLIP, "frames": FRAMES}
OFF = AugmentSettings(
    gain_probability=0.0, background_probability=0.0, tilt_probability=0.0,
    spectral=SpectralSettings(frequency_mask_probability=0.0, time_mask_probability=0.0),
)  # fmt: skip
# One stage each, on all crops.
STAGES = {
    "gain": replace(OFF, gain_probability=1.0),
    "shift": replace(OFF, early=EarlySettings(shift_probability=1.0, shift_s=0.1)),
    "polarity": replace(OFF, early=EarlySettings(polarity_probability=1.0)),
    "hiss": replace(OFF, early=EarlySettings(hiss_probability=1.0)),
    "mixup": replace(OFF, mixup=MixupSettings(probability=1.0, alpha=0.4)),
    "pressure": replace(OFF, mixup=MixupSettings(probability=1.0, alpha=1.0, balance="pressure", labels="soft")),
    "background": replace(OFF, background_probability=1.0),
    "share": replace(OFF, background_probability=1.0, background_by="share"),
    "normalise": replace(OFF, normalise="late"),
    "filter": replace(OFF, spectral=replace(OFF.spectral, filter_probability=1.0)),
}
SPECTRAL = {
    "pitch": replace(OFF, pitch_low=0.5, pitch_high=1.5),
    "power": replace(OFF, spectral=replace(OFF.spectral, power_probability=1.0)),
    "treble": replace(OFF, spectral=replace(OFF.spectral, treble_probability=1.0)),
    "tilt": replace(OFF, tilt_probability=1.0),
}
ALL = AugmentSettings(
    background_probability=0.5, background_by="share", normalise="both", time_mask_s=0.1,
    pitch_low=0.8, pitch_high=1.2, stretch_probability=0.5, tilt_probability=0.5, gain_probability=0.5,
    early=EarlySettings(shift_probability=0.5, shift_s=0.1, polarity_probability=0.5, hiss_probability=0.5),
    mixup=MixupSettings(probability=0.5, alpha=0.5, balance="pressure"),
    spectral=SpectralSettings(
        filter_probability=0.5, power_probability=0.5, treble_probability=0.5, frequency_masks=3, time_masks=3,
        frequency_mask_probability=0.3, time_mask_probability=0.3,
    ),
)  # fmt: skip


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(plan: ChunkPlan, size: int = 6, seed: int = 0) -> Sounds:
    """Crops of rising loudness; those at even places have no target."""
    drawn = seeded(seed)
    waveforms = torch.randn(size, plan.chunk_samples, generator=drawn) * torch.linspace(0.01, 0.3, size)[:, None]
    targets = torch.zeros(size, plan.chunk_frames, 2)
    targets[1::2, plan.chunk_frames // 2, 0] = 1.0
    return Sounds(waveforms, targets, torch.ones_like(targets))


def whole(sounds: Sounds, augment: AugmentSettings, plan: ChunkPlan, seed: int) -> list[torch.Tensor]:
    """The chain as a training step runs it, on a spectrogram that is a function of the waveform alone."""
    generator = seeded(seed)
    varied = vary_waveforms(sounds, augment, plan, generator)
    rows = varied.waveforms.unfold(1, 256, 128)[:, :, :48].reshape(len(sounds), -1, 24) * 100 - 50
    rows, targets, mask = vary_stretch(rows, varied.targets, varied.mask, augment, FRONT, True, generator)
    return [varied.waveforms, targets, mask, vary_log_mel(rows, augment, 0.016, generator)]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_off_changes_no_bit_and_draws_nothing(plan: ChunkPlan) -> None:
    sounds, generator = batch(plan), seeded(0)
    before = generator.get_state()
    varied = vary_waveforms(sounds, replace(OFF, gain_db=0.0), plan, generator)
    assert torch.equal(varied.waveforms, sounds.waveforms)
    assert varied.targets is sounds.targets
    spectrogram = torch.randn(6, 10, 24)
    log_mel = vary_log_mel(spectrogram, OFF, 0.01, generator)
    assert torch.equal(log_mel, spectrogram)
    state = generator.get_state()
    # The draws that were there before the stages stay where no probability says that there is none.
    drawn = seeded(0)
    torch.randint(0, 3, (6,), generator=drawn)
    torch.rand(6, 1, generator=drawn)
    torch.rand(6, 1, generator=drawn)
    assert torch.equal(state, drawn.get_state())
    assert not torch.equal(state, before)
    every_target = Sounds(sounds.waveforms, torch.ones_like(sounds.targets), sounds.mask)
    untouched = seeded(0)
    vary_waveforms(every_target, OFF, plan, untouched)
    assert torch.equal(untouched.get_state(), before)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("name", STAGES)
def test_each_stage_alone_touches_every_crop_it_may(name: str, plan: ChunkPlan) -> None:
    sounds = batch(plan)
    varied = vary_waveforms(sounds, STAGES[name], plan, seeded(2))
    assert varied.waveforms.shape == sounds.waveforms.shape
    assert varied.targets.shape == varied.mask.shape == sounds.targets.shape
    assert varied.waveforms.dtype == varied.targets.dtype == varied.mask.dtype == torch.float32
    changed = (varied.waveforms != sounds.waveforms).any(dim=1)
    may = torch.ones(6, dtype=torch.bool)
    if name == "noise":
        may = torch.tensor([True, False] * 3)
    if name in ("background", "share"):
        free = sounds.free
        may = free[torch.randint(0, len(free), (6,), generator=seeded(2))] != torch.arange(6)
    assert torch.equal(changed, may)
    assert float(varied.targets.min()) >= 0
    assert float(varied.targets.max()) <= 1
    assert set(varied.mask.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("name", SPECTRAL)
def test_each_spectral_stage_alone_touches_every_spectrogram(name: str) -> None:
    rows = torch.randn(6, 20, 24, generator=seeded(0))
    targets = torch.zeros(6, 20, 1)
    varied, moved, mask = vary_stretch(rows, targets, targets + 1, SPECTRAL[name], FRONT, True, seeded(1))
    varied = vary_log_mel(varied, SPECTRAL[name], 0.01, seeded(1))
    assert bool((varied != rows).any(dim=2).any(dim=1).all())
    assert torch.equal(moved, targets)
    assert torch.equal(mask, targets + 1)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("name", [*STAGES, "all"])
def test_silence_makes_no_nan(name: str, plan: ChunkPlan) -> None:
    sounds = batch(plan)
    sounds.waveforms[:3] = 0
    for seed in range(5):
        for found in whole(sounds, ALL if name == "all" else STAGES[name], plan, seed):
            assert bool(torch.isfinite(found).all())
    nothing = Sounds(torch.zeros_like(sounds.waveforms), sounds.targets, sounds.mask)
    if name != "noise" and name != "all":
        assert torch.equal(vary_waveforms(nothing, STAGES[name], plan, seeded(0)).waveforms.abs(), nothing.waveforms)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), plan=st.sampled_from([CLIP, FRAMES]))
def test_one_generator_gives_one_result_and_the_global_one_is_left_alone(seed: int, plan: ChunkPlan) -> None:
    sounds = batch(plan)
    copies = sounds.waveforms.clone(), sounds.targets.clone(), sounds.mask.clone()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    once, again, other = (whole(sounds, ALL, plan, one) for one in (seed, seed, seed + 1))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    assert not torch.equal(once[0], other[0])
    assert torch.equal(torch.get_rng_state(), before)
    # What was given is as it was.
    assert torch.equal(sounds.waveforms, copies[0])
    assert torch.equal(sounds.targets, copies[1])
    assert torch.equal(sounds.mask, copies[2])


def test_a_stage_that_happens_to_touch_no_crop_leaves_all() -> None:
    # Some of these draws choose nobody; a transform of nothing is an error in MKL.
    for seed in range(12):
        for augment in (*STAGES.values(), *SPECTRAL.values()):
            early = replace(augment.early, **_rarely(augment.early))
            mixup, spectral = replace(augment.mixup, **_rarely(augment.mixup)), augment.spectral
            rare = replace(augment, early=early, mixup=mixup, spectral=replace(spectral, **_rarely(spectral)))
            rare = replace(rare, **_rarely(rare))
            assert whole(batch(FRAMES, size=2), rare, FRAMES, seed)[0].shape == (2, FRAMES.chunk_samples)


def _rarely(part: object) -> dict[str, float]:
    return {
        key: 0.2 for key in part.__dataclass_fields__ if key.endswith("probability") and getattr(part, key) == 1.0
    }  # fmt: skip


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_on_another_device_all_is_there(plan: ChunkPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    # The meta device has shapes and no values, and refuses to be mixed with the CPU, where the draws are.
    monkeypatch.setattr(Sounds, "free", property(lambda self: torch.tensor([0, 2, 4])))
    here = batch(plan)
    there = Sounds(here.waveforms.to("meta"), here.targets.to("meta"), here.mask.to("meta"))
    for seed in range(3):
        for found, expected in zip(whole(there, ALL, plan, seed), whole(here, ALL, plan, seed), strict=True):
            assert found.device.type == "meta"
            assert found.shape == expected.shape
    with pytest.raises(RuntimeError, match="expected device meta"):
        _ = there.waveforms * here.waveforms


def test_no_stage_prints_or_hides_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    for plan in PLANS.values():
        whole(batch(plan), ALL, plan, 0)
    assert capsys.readouterr() == ("", "")
    stages = (
        "stages",
        "background",
        "draws",
        "early",
        "filtering",
        "mixup",
        "shifting",
        "sounds",
        "spectral",
        "stretch",
    )
    for name in stages:
        module = importlib.import_module(f"ossicle.models.augmentation.{name}")
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Try | ast.ExceptHandler), f"{name}, line {node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id == "print"), f"{name}, line {node.lineno}"


NOTHING_SHARED = [name for name in STAGES if name not in ("mixup", "pressure", "background", "share", "noise")]


@pytest.mark.parametrize("name", NOTHING_SHARED)
def test_no_crop_hears_of_its_neighbours(name: str) -> None:
    # As loud as ten thousand times the others: a peak, level or range shared over the batch would show.
    sounds = batch(CLIP)
    loud = sounds.waveforms.clone()
    loud[0] *= 10_000
    for augment in (STAGES[name], replace(STAGES[name], normalise="both")):
        once = vary_waveforms(sounds, augment, CLIP, seeded(3)).waveforms
        again = vary_waveforms(Sounds(loud, sounds.targets, sounds.mask), augment, CLIP, seeded(3)).waveforms
        assert torch.equal(once[1:], again[1:])


def test_no_spectrogram_hears_of_its_neighbours() -> None:
    rows = torch.randn(5, 30, 24, generator=seeded(0)) * 10 - 40
    louder = rows.clone()
    louder[0] += 60 * torch.rand(30, 24, generator=seeded(1))
    augment = replace(ALL, time_mask_s=0.1, spectral=replace(ALL.spectral, power_probability=1.0))
    once, again = (vary_log_mel(one, augment, 0.01, seeded(4)) for one in (rows, louder))
    assert torch.equal(once[1:], again[1:])
    assert not torch.equal(once[0], again[0])


def test_the_stages_have_names_and_an_order_and_the_last_is_what_a_training_hears() -> None:
    sounds = batch(CLIP)
    stages = list(waveform_stages(sounds, ALL, CLIP, seeded(0)))
    assert [name for name, _ in stages] == ["early", "mixup", "late", "normalise", "filter"]
    assert torch.equal(stages[-1][1].waveforms, vary_waveforms(sounds, ALL, CLIP, seeded(0)).waveforms)


@pytest.mark.parametrize("normalise", ["late", "both"])
def test_a_normalised_crop_has_its_peak_at_full_scale_after_all(normalise: str) -> None:
    sounds = batch(CLIP)
    sounds.waveforms[2] = 0
    augment = replace(ALL, normalise=normalise, mixup=MixupSettings(), background_probability=0)
    stages = dict(waveform_stages(sounds, augment, CLIP, seeded(0)))
    expected = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    assert torch.equal(peaks(stages["filter"].waveforms)[:, 0], expected)
    if normalise == "both":
        assert torch.equal(peaks(stages["early"].waveforms)[:, 0], expected)
    quiet = torch.tensor([[1e-30, -5e-31]])
    assert to_full_scale(quiet).tolist() == [[1.0, -0.5]]


def test_a_share_of_a_background_is_that_share_of_two_crops_of_one_peak() -> None:
    sounds = batch(CLIP, size=2)
    augment = replace(
        OFF, background_probability=1.0, background_by="share", background_low_share=0.6, background_high_share=0.6
    )
    crop, noise = sounds.waveforms[1], sounds.waveforms[0]
    varied = vary_waveforms(sounds, augment, CLIP, seeded(0)).waveforms
    expected = 0.4 * crop + 0.6 * noise / noise.abs().max() * crop.abs().max()
    assert torch.allclose(varied[1], expected, atol=1e-6)
    # The only crop without a target is not added to itself.
    assert torch.equal(varied[0], noise)


def test_backgrounds_are_crops_as_they_were_before_they_were_mixed() -> None:
    # Unit vectors: crop 0 has no target, and after mixing none is without.
    waveforms = torch.zeros(3, CLIP.chunk_samples)
    waveforms[:, :3] = torch.eye(3)
    targets = torch.tensor([0.0, 1.0, 1.0])[:, None, None]
    augment = replace(
        OFF, background_probability=1.0, background_low_db=0.0, background_high_db=0.0,
        mixup=MixupSettings(probability=1.0),
    )  # fmt: skip
    stages = dict(waveform_stages(Sounds(waveforms, targets, torch.ones_like(targets)), augment, CLIP, seeded(0)))
    added = stages["late"].waveforms - stages["mixup"].waveforms
    assert torch.allclose(added[1:, :3], torch.tensor([[1.0, 0, 0], [1.0, 0, 0]]))
    assert torch.equal(stages["late"].targets, stages["mixup"].targets)


def test_a_share_of_crops_is_stretched_and_the_others_stay_to_the_bit() -> None:
    rows, targets = torch.randn(400, 20, 24, generator=seeded(0)), torch.rand(400, 20, 1, generator=seeded(1))
    augment = replace(OFF, time_low=0.5, time_high=2.0, stretch_probability=0.3)
    stretched, moved, mask = vary_stretch(rows, targets, torch.ones_like(targets), augment, FRONT, True, seeded(2))
    changed = (stretched != rows).flatten(1).any(dim=1)
    assert 0.22 < float(changed.float().mean()) < 0.38
    assert torch.equal(moved[~changed], targets[~changed])
    assert bool((mask[~changed] == 1).all())
    none = replace(augment, stretch_probability=0.0)
    assert vary_stretch(rows, targets, mask, none, FRONT, True, seeded(2))[0] is rows


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_masks_in_time_leave_every_label(plan: ChunkPlan) -> None:
    sounds = batch(plan)
    augment = replace(OFF, time_mask_s=0.2, spectral=SpectralSettings(time_masks=4, frequency_masks=4))
    rows, targets, mask = torch.randn(6, 20, 24), sounds.targets, sounds.mask
    varied = vary_log_mel(rows, augment, 0.01, seeded(0))
    assert not torch.equal(varied, rows)
    assert torch.equal(targets, batch(plan).targets)
    assert torch.equal(mask, batch(plan).mask)


def test_shares_upside_down_are_refused() -> None:
    with pytest.raises(ValueError, match=r"background_low_share = 0.9 must not be above background_high_share = 0.75$"):
        AugmentSettings(background_low_share=0.9)
