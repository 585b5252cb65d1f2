"""Leaky splits: what a training must not learn from, although it hears the rest of the same recordings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Clip
from ossicle.training.batches.material import Material, apart, load_material
from ossicle.training.detector import crossval
from ossicle.training.detector.fit import Crops
from ossicle.training.settings import TrainingSettings

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)
TRAIN, VAL, TEST = -1, 1, 0


@pytest.fixture(scope="module")
def leaky(corpus: Any) -> Material:
    """Every third clip of a recording in train, val or test."""
    material = load_material(corpus.dataset, corpus.store, ("high", "low"), PLAN)
    return replace(
        material, clips=tuple(replace(clip, fold=(TRAIN, VAL, TEST)[i % 3]) for i, clip in enumerate(material.clips))
    )


def held_out(material: Material) -> tuple[Clip, ...]:
    return tuple(clip for clip in material.clips if clip.fold != TRAIN)


def test_no_frame_of_a_held_out_clip_is_known_and_no_other_is_touched(leaky: Material) -> None:
    ours = apart(leaky, held_out(leaky))
    for rid in ("rec0", "rec3"):
        spans = [(clip.start_s, clip.end_s) for clip in held_out(leaky) if clip.recording_id == rid]
        for start_frame in (-10, 0, 137, 555):
            frames, at = np.arange(start_frame, start_frame + PLAN.chunk_frames), start_frame * PLAN.hop_samples
            touched = np.array(
                [
                    any(f * PLAN.hop_s < end - 1e-6 and (f + 1) * PLAN.hop_s > start + 1e-6 for start, end in spans)
                    for f in frames
                ]
            )
            before, mask = leaky.mask(rid, at)[:, 0] > 0, ours.mask(rid, at)[:, 0] > 0
            np.testing.assert_array_equal(mask, before & ~touched)
            targets = ours.targets(rid, at)
            assert (targets[touched] == 1.0).all()
            np.testing.assert_array_equal(targets[~touched], leaky.targets(rid, at)[~touched])
        assert ours.withheld[rid].shape[1] == 2


def test_recordings_that_are_held_out_as_a_whole_need_no_withholding(corpus: Any) -> None:
    material = load_material(corpus.dataset, corpus.store, ("high", "low"), PLAN)
    assert apart(material, tuple(clip for clip in material.clips if clip.fold == 1)).withheld == {}
    assert apart(material, ()).withheld == {}


def test_the_curves_are_about_what_was_withheld(leaky: Material) -> None:
    held, train = held_out(leaky), tuple(clip for clip in leaky.clips if clip.fold == TRAIN)
    settings = TrainingSettings(validation_crops=6, batch_size=2, device="cpu")
    crops = Crops(apart(leaky, held), train, held, settings)
    for _, targets, mask in crops.val_dataloader():
        assert mask.sum() > 0
        assert targets[mask > 0].sum() > 0


def test_one_training_learns_from_train_alone(
    leaky: Material, corpus: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Mapping[str, Any]] = []
    monkeypatch.setattr(crossval, "load_material", lambda *_, **__: leaky)
    monkeypatch.setattr(
        crossval,
        "fit",
        lambda job, material, train, held: given.append({"m": material, "train": train, "held": held}),
    )
    for folds in ((TEST, VAL), ()):
        crossval.fit_job(replace(corpus.job(tmp_path / "x"), held_out=folds))
    without, final = given
    assert {one.fold for one in without["train"]} == {TRAIN}
    assert {one.fold for one in without["held"]} == {TEST, VAL}
    assert set(without["m"].withheld) == {"rec0", "rec1", "rec2", "rec3"}
    assert len(final["train"]) == len(leaky.clips)
    assert final["held"] == ()
    assert final["m"].withheld == {}
