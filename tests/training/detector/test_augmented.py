"""Trainings with every stage of augmentation on: they end and say the same twice, and a page shows what they hear."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.digest import seed_of
from ossicle.core.model_input.chunks import window_plan
from ossicle.models.augmentation.settings import EarlySettings, MixupSettings, SpectralSettings
from ossicle.models.settings import AugmentSettings, ModelSettings, WindowSettings
from ossicle.training.batches.material import load_material
from ossicle.training.batches.shown import batch_of, shown_stages
from ossicle.training.batches.target_rules import TargetRules
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.job import FitJob
from ossicle.training.optimisation.objective import Said

ALL = AugmentSettings(
    background_probability=0.7, background_by="share", time_mask_s=0.05, pitch_low=0.8,
    stretch_probability=0.5, early=EarlySettings(
        shift_probability=0.5, shift_s=0.1, shift="zeros", polarity_probability=0.5, hiss_probability=0.5
    ),
    mixup=MixupSettings(probability=0.5, alpha=0.4, balance="pressure"),
    spectral=SpectralSettings(
        filter_probability=0.5, power_probability=0.5, treble_probability=0.5, frequency_masks=3, time_masks=3,
        frequency_mask_probability=0.3, time_mask_probability=0.3,
    ),
)  # fmt: skip


def frames(corpus: Any, folder: Path) -> FitJob:
    made: FitJob = corpus.job(folder)
    return replace(made, augment=ALL)


def clips(corpus: Any, folder: Path) -> FitJob:
    """Clips of a second that say what is in them."""
    made: FitJob = corpus.job(folder, weak=True, epochs=2, steps_per_epoch=2)
    window = WindowSettings(backbone="resnet10t", normalise="peak", max_pool=True)
    return replace(
        made,
        plan=window_plan(made.front, 1.0, 1.0, 1.0, exact=True),
        model=ModelSettings(name="window", window=window),
        augment=replace(ALL, normalise="both", mixup=replace(ALL.mixup, labels="soft")),
    )


@pytest.mark.parametrize("kind", [frames, clips])
def test_every_stage_at_once_trains_and_the_same_seed_gives_the_same_bytes(
    corpus: Any, tmp_path: Path, kind: Any
) -> None:
    for name in ("once", "again"):
        fit_job(kind(corpus, tmp_path / name))
    once, again = (RunFolder(tmp_path / name) for name in ("once", "again"))
    assert once.weights.read_bytes() == again.weights.read_bytes()
    assert all(math.isfinite(line["train_loss"]) for line in once.epochs())
    plain = replace(kind(corpus, tmp_path / "plain"), augment=AugmentSettings())
    fit_job(plain)
    assert RunFolder(plain.folder).weights.read_bytes() != once.weights.read_bytes()


def test_what_the_page_shows_is_what_a_training_step_hears(corpus: Any, tmp_path: Path, monkeypatch: Any) -> None:
    from ossicle.training.detector import module

    job = clips(corpus, tmp_path / "run")
    material = load_material(job.dataset, job.store, job.labels, job.plan, TargetRules(presence_s=0.0))
    training = replace(job.training, seed=3)
    batch, _ = batch_of(material.clips[0], material, training, 3)
    shown = shown_stages(batch, material, job.front, job.augment, 3)
    heard = {}

    def each_output(
        network: Any, log_mel: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor, weak: bool
    ) -> tuple[Said, ...]:
        heard.update(log_mel=log_mel[0].numpy(), targets=targets[0].numpy(), mask=mask[0].numpy())
        return (Said(torch.zeros_like(targets), targets, mask),)

    monkeypatch.setattr(module, "each_output", each_output)
    # The page's draws in the place of the training's.
    monkeypatch.setattr(module, "seed_of", lambda *parts: seed_of(3, "shown", "augment"))
    detector = module.FrameDetector(torch.nn.Linear(1, 1), job.plan, job.front, training, job.augment, 1)
    detector.training_step(batch, 0)
    for name, found in heard.items():
        assert np.array_equal(found, getattr(shown[-1], name)), name
    assert [one.stage for one in shown] == [
        "read", "early", "mixup", "late", "normalise", "filter", "stretch", "spectral"
    ]  # fmt: skip
    assert np.array_equal(shown[0].samples, batch[0][0].numpy())
