from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils.data import DataLoader

from ossicle.core.chunks import ChunkPlan
from ossicle.core.records import Clip
from ossicle.training.crops import Crop, CropDraw, EpochCrops, FixedCrops, place, read_crop, validation_crops
from ossicle.training.material import load_material

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)


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

    draw = CropDraw(CLIPS, PLAN, 0.7, seed=3)
    forwards = crops(draw, 2, range(20))
    assert crops(CropDraw(CLIPS, PLAN, 0.7, seed=3), 2, reversed(range(20))) == forwards[::-1]
    assert crops(draw, 3, range(20)) != forwards
    assert crops(CropDraw(CLIPS, PLAN, 0.7, seed=4), 2, range(20)) != forwards


def test_labels_come_by_the_root_of_their_counts_and_noise_by_its_share() -> None:
    draw = CropDraw(CLIPS, PLAN, 0.7, seed=0)
    n = 4000
    seen = Counter(draw(0, i).recording_id for i in range(n))
    # sqrt(64) : sqrt(4) = 4 : 1.
    expected = {"common": 0.7 * 0.8 * n, "rare": 0.7 * 0.2 * n, "noise": 0.3 * n}
    names = sorted(expected)
    assert chisquare([seen[k] for k in names], [expected[k] for k in names]).pvalue > 0.01


def test_every_clip_of_a_label_is_as_likely_as_the_next() -> None:
    clips = tuple(clip(float(i), "a", f"r{i}") for i in range(8))
    draw = CropDraw(clips, PLAN, 1.0, seed=1)
    seen = Counter(draw(0, i).recording_id for i in range(4000))
    assert chisquare([seen[f"r{i}"] for i in range(8)]).pvalue > 0.01


def test_clips_are_drawn_in_proportion_to_their_weights() -> None:
    clips = tuple(replace(clip(float(i), "", f"r{i}"), weight=float(i)) for i in range(5))
    draw = CropDraw(clips, PLAN, 0.0, seed=1)
    seen = Counter(draw(0, i).recording_id for i in range(4000))
    assert seen["r0"] == 0
    assert chisquare([seen[f"r{i}"] for i in range(1, 5)], [400 * i for i in range(1, 5)]).pvalue > 0.01


@pytest.mark.parametrize(
    ("clips", "share", "only"),
    [(CLIPS[:64], 0.2, "common"), (CLIPS[-10:], 0.9, "noise"), (CLIPS, 0.0, "noise")],
)
def test_where_one_kind_is_missing_the_other_fills_in(clips: tuple[Clip, ...], share: float, only: str) -> None:
    draw = CropDraw(clips, PLAN, share, seed=0)
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
    # To the rounding of the centre to a frame.
    assert crop.start_frame <= centre + 0.5
    assert centre - 0.5 <= crop.start_frame + plan.chunk_frames


def test_clips_stand_anywhere_in_the_inner_part_of_the_crop() -> None:
    draw = CropDraw((clip(5.0, "a"),), PLAN, 1.0, seed=0)
    at = [515 - draw(0, i).start_frame for i in range(2000)]
    assert (min(at), max(at)) == (PLAN.context_frames, PLAN.chunk_frames - PLAN.context_frames - 1)
    assert chisquare(np.histogram(at, bins=6, range=(10, 70))[0]).pvalue > 0.01


def test_validation_crops_are_drawn_once_and_stay_within_their_number() -> None:
    crops = validation_crops(CLIPS, PLAN, 12, seed=5)
    assert len(crops) == 12
    assert crops == validation_crops(CLIPS, PLAN, 12, seed=5)
    assert crops != validation_crops(CLIPS, PLAN, 12, seed=6)
    assert len(validation_crops(CLIPS, PLAN, 1000, seed=5)) == len(CLIPS)
    assert validation_crops((), PLAN, 12, seed=5) == ()


def test_datasets_read_what_was_drawn(corpus: Any) -> None:
    material = load_material(corpus.dataset, corpus.store, ("high", "low"), PLAN)
    draw = CropDraw(corpus.clips, PLAN, 0.7, seed=0)
    crops = EpochCrops(material, draw, 1, 6)
    (batch,) = DataLoader(crops, batch_size=6)
    assert [tuple(part.shape) for part in batch] == [(6, PLAN.chunk_samples), (6, 80, 2), (6, 80, 2)]
    for i in range(6):
        for got, expected in zip((part[i] for part in batch), read_crop(material, draw(1, i)), strict=True):
            assert got.equal(expected)
    fixed = FixedCrops(material, (draw(1, 4),))
    assert len(fixed) == 1
    assert fixed[0][0].equal(batch[0][4])
