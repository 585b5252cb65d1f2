from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils.data import DataLoader

from ossicle.core.digest import seed_of
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Clip
from ossicle.training.batches.crops import (
    Crop,
    CropDraw,
    EpochCrops,
    FixedCrops,
    label_shares,
    place,
    place_weak,
    read_crop,
    validation_crops,
)
from ossicle.training.batches.loading import EpochBatches
from ossicle.training.batches.material import Material, load_material
from ossicle.training.batches.target_rules import TargetRules
from ossicle.training.settings import TrainingSettings

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)


class Lengths:
    """A store of which only lengths are asked."""

    def n_samples(self, recording_id: str) -> int:
        return 80 * PLAN.rate


MATERIAL = Material((), (), {}, Lengths(), PLAN)


def clip(start_s: float, label: str = "", rid: str = "r") -> Clip:
    return Clip(rid, start_s, start_s + 0.3, "target" if label else "noise", 0, "g", label)


# The recording's name tells the clip's label.
CLIPS = (
    *[clip(float(i), "common", "common") for i in range(64)],
    *[clip(float(i), "rare", "rare") for i in range(4)],
    *[clip(float(i), "", "noise") for i in range(10)],
)


def test_a_draw_is_a_function_of_seed_epoch_and_index_alone() -> None:
    def crops(draw: CropDraw, epoch: int, indices: Any) -> list[Crop]:
        return [draw(epoch, i) for i in indices]

    draw = CropDraw(CLIPS, MATERIAL, TrainingSettings(target_share=0.7, seed=3))
    forwards = crops(draw, 2, range(20))
    assert (
        crops(CropDraw(CLIPS, MATERIAL, TrainingSettings(target_share=0.7, seed=3)), 2, reversed(range(20)))
        == forwards[::-1]
    )
    assert crops(draw, 3, range(20)) != forwards
    assert crops(CropDraw(CLIPS, MATERIAL, TrainingSettings(target_share=0.7, seed=4)), 2, range(20)) != forwards


def drawn_from_lists(clips: tuple[Clip, ...], training: TrainingSettings, epoch: int, index: int) -> Clip:
    """Return the clip that a draw gives, from a list of clip objects for each label."""
    rng = np.random.default_rng(seed_of(training.seed, "crop", epoch, index))
    by_label: dict[str, list[Clip]] = {}
    for one in clips:
        by_label.setdefault(one.label if one.role == "target" else "", []).append(one)
    noise = by_label.pop("", [])
    labels = sorted(by_label)
    share = 0.0 if not labels else training.target_share if noise else 1.0
    mine = noise
    if rng.random() < share:
        shares = label_shares([len(by_label[label]) for label in labels], training.balance)
        mine = by_label[labels[int(rng.choice(len(labels), p=shares))]]
    weights = [one.weight for one in mine]
    if len(set(weights)) == 1:
        return mine[int(rng.integers(len(mine)))]
    upto = np.cumsum(weights)
    return mine[int(np.searchsorted(upto, rng.random() * upto[-1], side="right"))]


@given(
    clips=st.lists(
        st.builds(
            Clip,
            recording_id=st.sampled_from("ab"),
            start_s=st.integers(0, 70).map(float),
            end_s=st.just(71.0),
            role=st.sampled_from(["target", "target", "noise"]),
            fold=st.just(0),
            group=st.just("g"),
            label=st.sampled_from(["wren", "robin", ""]),
            weight=st.sampled_from([1.0, 1.0, 2.0]),
        ),
        min_size=1,
        max_size=12,
    ).map(lambda ones: tuple(sorted(ones, key=lambda one: one.recording_id))),
    balance=st.sampled_from(["natural", "sqrt", "uniform", "effective"]),
    seed=st.integers(0, 9),
)
def test_columns_are_drawn_as_objects(clips: tuple[Clip, ...], balance: str, seed: int) -> None:
    training = TrainingSettings(balance=balance, seed=seed)
    draw = CropDraw(clips, MATERIAL, training)
    for index in range(6):
        rng = np.random.default_rng(seed_of(seed, "crop", 1, index))
        assert draw._drawn_clip(rng) == drawn_from_lists(clips, training, 1, index)


def test_labels_come_by_the_root_of_their_counts_and_noise_by_its_share() -> None:
    draw = CropDraw(CLIPS, MATERIAL, TrainingSettings(target_share=0.7, seed=0))
    n = 4000
    seen = Counter(draw(0, i).recording_id for i in range(n))
    # sqrt(64) : sqrt(4) = 4 : 1.
    expected = {"common": 0.7 * 0.8 * n, "rare": 0.7 * 0.2 * n, "noise": 0.3 * n}
    names = sorted(expected)
    assert chisquare([seen[k] for k in names], [expected[k] for k in names]).pvalue > 0.01


def test_every_clip_of_a_label_is_as_likely_as_the_next() -> None:
    clips = tuple(clip(float(i), "a", f"r{i}") for i in range(8))
    draw = CropDraw(clips, MATERIAL, TrainingSettings(target_share=1.0, seed=1))
    seen = Counter(draw(0, i).recording_id for i in range(4000))
    assert chisquare([seen[f"r{i}"] for i in range(8)]).pvalue > 0.01


def test_clips_are_drawn_in_proportion_to_their_weights() -> None:
    clips = tuple(replace(clip(float(i), "", f"r{i}"), weight=float(i)) for i in range(5))
    draw = CropDraw(clips, MATERIAL, TrainingSettings(target_share=0.0, seed=1))
    seen = Counter(draw(0, i).recording_id for i in range(4000))
    assert seen["r0"] == 0
    assert chisquare([seen[f"r{i}"] for i in range(1, 5)], [400 * i for i in range(1, 5)]).pvalue > 0.01


@pytest.mark.parametrize(
    ("clips", "share", "only"),
    [(CLIPS[:64], 0.2, "common"), (CLIPS[-10:], 0.9, "noise"), (CLIPS, 0.0, "noise")],
)
def test_where_one_kind_is_missing_the_other_fills_in(clips: tuple[Clip, ...], share: float, only: str) -> None:
    draw = CropDraw(clips, MATERIAL, TrainingSettings(target_share=share, seed=0))
    assert {draw(0, i).recording_id for i in range(100)} == {only}


@given(
    start_s=st.floats(0, 1000),
    where=st.floats(0, 1, exclude_max=True),
    core=st.integers(1, 300),
    context=st.integers(0, 100),
)
def test_a_crop_holds_its_clips_centre(start_s: float, where: float, core: int, context: int) -> None:
    plan = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=core, context_frames=context)
    crop = place(clip(start_s, "a"), plan, where)
    centre = (start_s + 0.15) / plan.hop_s
    # To the rounding of the centre to a frame; a centre between two frames may lie a rounding error off.
    start_frame, half = crop.start_sample / plan.hop_samples, 0.5 + 1e-9 * centre
    assert start_frame <= centre + half
    assert centre - half <= start_frame + plan.chunk_frames


def test_clips_stand_anywhere_in_the_inner_part_of_the_crop() -> None:
    draw = CropDraw((clip(5.0, "a"),), MATERIAL, TrainingSettings(target_share=1.0, seed=0))
    at = [515 - draw(0, i).start_sample // PLAN.hop_samples for i in range(2000)]
    assert (min(at), max(at)) == (PLAN.context_frames, PLAN.chunk_frames - PLAN.context_frames - 1)
    assert chisquare(np.histogram(at, bins=6, range=(10, 70))[0]).pvalue > 0.01


def test_validation_crops_are_drawn_once_and_stay_within_their_number() -> None:
    crops = validation_crops(CLIPS, MATERIAL, TrainingSettings(validation_crops=12, seed=5))
    assert len(crops) == 12
    assert crops == validation_crops(CLIPS, MATERIAL, TrainingSettings(validation_crops=12, seed=5))
    assert crops != validation_crops(CLIPS, MATERIAL, TrainingSettings(validation_crops=12, seed=6))
    assert len(validation_crops(CLIPS, MATERIAL, TrainingSettings(validation_crops=1000, seed=5))) == len(CLIPS)
    assert validation_crops((), MATERIAL, TrainingSettings(validation_crops=12, seed=5)) == ()


def test_datasets_read_what_was_drawn(corpus: Any) -> None:
    material = load_material(corpus.dataset, corpus.store, ("high", "low"), PLAN)
    draw = CropDraw(corpus.clips, material, TrainingSettings(target_share=0.7, seed=0))
    (batch,) = DataLoader(EpochCrops(material, draw), batch_sampler=EpochBatches(6, 8, lambda: 1))
    assert [tuple(part.shape) for part in batch] == [(6, PLAN.chunk_samples), (6, 80, 2), (6, 80, 2)]
    for i in range(6):
        for got, expected in zip((part[i] for part in batch), read_crop(material, draw(1, i)), strict=True):
            assert got.equal(expected)
    fixed = FixedCrops(material, (draw(1, 4),))
    assert len(fixed) == 1
    assert fixed[0][0].equal(batch[0][4])


WINDOW = ChunkPlan(rate=8000, hop_samples=40000, window_samples=39936, core_frames=1, context_frames=0)


@given(
    start_s=st.floats(0, 300),
    length_s=st.floats(0.01, 300),
    after_s=st.floats(0, 50),
    where=st.floats(0, 1, exclude_max=True),
)
def test_weak_crops_lie_in_the_clip_or_around_it_and_in_the_recording(
    start_s: float, length_s: float, after_s: float, where: float
) -> None:
    end_s = start_s + length_s
    n_samples, length = round((end_s + after_s) * WINDOW.rate), WINDOW.core_samples
    crop = place_weak(Clip("r", start_s, end_s, "target", 0, "g", "a"), WINDOW, n_samples, where)
    begin, end = crop.start_sample, crop.start_sample + length
    # To the rounding of seconds to samples.
    if n_samples < length:
        assert begin == 0
    else:
        assert begin >= 0
        assert end <= n_samples + 1
        if length_s * WINDOW.rate >= length + 1:
            assert begin >= start_s * WINDOW.rate - 1
            assert end <= end_s * WINDOW.rate + 1
        else:
            assert begin <= start_s * WINDOW.rate + 1
            assert end >= end_s * WINDOW.rate - 1


def test_weak_crops_come_from_everywhere_in_a_clip() -> None:
    long = Clip("r", 10.0, 30.0, "target", 0, "g", "a")
    draw = CropDraw((long,), replace(MATERIAL, plan=WINDOW), TrainingSettings(weak=True, seed=1))
    starts = np.array([draw(0, i).start_sample for i in range(3000)]) / WINDOW.rate
    assert chisquare(np.histogram(starts, bins=10, range=(10, 25))[0]).pvalue > 0.01


def test_what_is_shorter_than_a_window_is_padded_on_the_right(corpus: Any) -> None:
    plan = ChunkPlan(rate=8000, hop_samples=64000, window_samples=63936, core_frames=1, context_frames=0)
    material = load_material(corpus.dataset, corpus.store, ("high", "low"), plan, TargetRules(presence_s=0.0))
    rid = corpus.notes[0].recording_id
    samples, targets, mask = read_crop(
        material, place_weak(Clip(rid, 0.0, 6.0, "target", 0, "g", "high"), plan, 48000, 0.9)
    )
    assert samples[: 48000 - 32].any()
    # The window ends 32 samples before its frame does, and begins as much after it.
    assert not samples[48000 - 32 :].any()
    assert mask.tolist() == [[1.0, 1.0]]
    assert set(targets.flatten().tolist()) <= {0.0, 1.0}


def test_each_clip_comes_once_before_any_comes_again() -> None:
    clips = tuple(clip(float(i), "a" if i % 3 else "b", f"r{i}") for i in range(10))
    training = TrainingSettings(balance="each", steps_per_epoch=0, batch_size=4, seed=2)
    draw = CropDraw(clips, MATERIAL, training)
    assert draw.steps == 3
    drawn = [draw(epoch, i).recording_id for epoch in range(10) for i in range(12)]
    for turn in range(12):
        assert len(set(drawn[10 * turn : 10 * turn + 10])) == 10
    assert drawn[:10] != drawn[10:20]


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("natural", [0.9, 0.1]),
        ("sqrt", [0.75, 0.25]),
        ("uniform", [0.5, 0.5]),
        ("effective", [1 - 0.999**900, 1 - 0.999**100]),
    ],
)
def test_balance_changes_what_an_epoch_holds(balance: str, expected: list[float]) -> None:
    # The old sampler only ordered an epoch: its frequencies stayed those of the corpus.
    wanted = np.array(expected) / sum(expected)
    np.testing.assert_allclose(label_shares([900, 100], balance), wanted)
    clips = tuple(clip(1.0, "common" if i < 900 else "rare", "c" if i < 900 else "r") for i in range(1000))
    draw = CropDraw(clips, MATERIAL, TrainingSettings(balance=balance, target_share=1.0))
    seen = Counter(draw(0, i).recording_id for i in range(4000))
    assert chisquare([seen["c"], seen["r"]], wanted * 4000).pvalue > 0.01


@pytest.mark.parametrize("balance", ["uniform", "sqrt"])
def test_twenty_thousand_draws_have_the_label_shares_of_the_sampler(balance: str) -> None:
    """The balanced (uniform) and the square-root sampler, on the counts of a real drum corpus."""
    counts = {"snare": 246, "kick": 179, "hihat": 60, "ride": 19, "tambourine": 15}
    clips = tuple(clip(0.1 * i, label, label) for label in sorted(counts) for i in range(counts[label]))
    draw = CropDraw(clips, MATERIAL, TrainingSettings(balance=balance, seed=5))
    drawn = Counter(draw(0, index).recording_id for index in range(20_000))
    n = np.array([counts[label] for label in sorted(counts)], dtype=float)
    expected = np.ones(5) if balance == "uniform" else np.sqrt(n)
    expected *= 20_000 / expected.sum()
    result = [drawn[label] for label in sorted(counts)]
    assert chisquare(result, expected).pvalue > 0.01
    # The test can fail: the shares of clips as they are have no chance.
    assert chisquare(result, 20_000 * n / n.sum()).pvalue < 1e-6
