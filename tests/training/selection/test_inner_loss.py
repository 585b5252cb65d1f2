"""Plateau, patience and best epoch follow the inner groups, and nothing follows the judged ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.records import Clip
from ossicle.training.batches.material import Material, load_material
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.fit import fit
from ossicle.training.detector.module import FrameDetector
from ossicle.training.optimisation.learning_rate import LearningRate
from ossicle.training.selection.inner_loss import InnerLoss
from ossicle.training.settings import TrainingSettings


def test_a_plateau_lowers_the_rate_after_epochs_without_a_fall_and_never_below_the_final_one() -> None:
    settings = TrainingSettings(
        schedule="plateau", warmup_epochs=1, plateau_patience=2, learning_rate=1e-2, final_learning_rate=3e-3
    )
    schedule = LearningRate(settings, steps=10)
    heights = []
    # The first epoch is the warm-up: its waiting does not count.
    for epoch, loss in enumerate([1.0, 1.0, 1.0, 0.9, 0.95, 0.95, 0.95, 0.95], start=1):
        schedule.end_epoch(loss, 10 * epoch)
        heights.append(schedule(10 * epoch))
    assert heights == [1.0, 1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3]
    assert schedule(4) == 0.5


def scripted(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
    """Have the inner losses of epochs be these."""
    monkeypatch.setattr(InnerLoss, "_loss", lambda self, trainer, module: losses[trainer.current_epoch])


def test_the_best_epoch_is_kept_and_patience_ends_the_training(
    corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[dict[str, torch.Tensor]] = []
    end = FrameDetector.end_epoch

    def noted(module: FrameDetector) -> None:
        ends.append({name: one.clone() for name, one in module.average.average.state_dict().items()})
        end(module)

    monkeypatch.setattr(FrameDetector, "end_epoch", noted)
    scripted(monkeypatch, [0.5, 0.2, 0.4, 0.3, 0.1])
    job = corpus.job(tmp_path / "run", fold=None, epochs=5, keep="best", patience=2, inner_share=0.3)
    fit_job(job)
    folder = RunFolder(job.folder)
    assert [line["inner_loss"] for line in folder.epochs()] == pytest.approx([0.5, 0.2, 0.4, 0.3])
    selection = folder.selection
    assert (selection["best_epoch"], selection["last_epoch"], selection["kept_epoch"]) == (1, 3, 1)
    for name, one in load_file(folder.weights).items():
        assert torch.equal(one, ends[1][name])


def test_a_plateau_reaches_the_optimiser(corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [0.5, 0.5, 0.5, 0.5])
    changes = {"schedule": "plateau", "plateau_patience": 1, "warmup": 0.0, "inner_share": 0.3}
    fit_job(corpus.job(tmp_path / "run", fold=None, **changes))
    rates = [line["learning_rate"] for line in RunFolder(tmp_path / "run").epochs()]
    assert rates == pytest.approx([1e-2, 5e-3, 2.5e-3, 1.25e-3])


def test_judged_groups_drive_nothing(corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leakage is planted: if any crop of a judged group reached the training, the change would change the weights."""
    seen: set[str] = set()
    read = Material.model_input

    def noted(self: Material, recording_id: str, start_sample: int) -> Any:
        seen.add(recording_id)
        return read(self, recording_id, start_sample)

    monkeypatch.setattr(Material, "model_input", noted)
    job = corpus.job(tmp_path / "run", validation_crops=0, keep="best", patience=3, schedule="plateau")
    # Four recordings in two folds are few: four groups to learn from, and one to judge.
    clips = [replace(clip, fold=0 if clip.recording_id == "rec0" else 1) for clip in corpus.clips]
    train = [clip for clip in clips if clip.fold == 1]
    judged = [clip for clip in clips if clip.fold == 0]
    weights = []
    for name, held_out in (("honest", judged), ("planted", [_mislabelled(clip) for clip in judged])):
        material = load_material(job.dataset, job.store, job.labels, job.plan)
        if name == "planted":
            material = replace(material, intervals={**material.intervals, "rec0": {}})
        folder = RunFolder(tmp_path / name)
        fit(replace(job, folder=folder.path), material, train, held_out)
        weights.append(folder.weights.read_bytes())
        assert "g0" not in folder.selection["inner_groups"]
    assert weights[0] == weights[1]
    assert seen == {"rec1", "rec2", "rec3"}


def _mislabelled(clip: Clip) -> Clip:
    return replace(clip, label="low" if clip.label == "high" else "high") if clip.label else clip


def test_inner_groups_are_not_learned_from(corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[ClipColumns] = []
    from ossicle.training.detector import fit as fit_module

    made = fit_module.CropDraw

    def noted(clips: Any, material: Material, training: TrainingSettings) -> Any:
        drawn.append(ClipColumns.from_clips(clips))
        return made(clips, material, training)

    monkeypatch.setattr(fit_module, "CropDraw", noted)
    fit_job(corpus.job(tmp_path / "run", fold=None, epochs=1, steps_per_epoch=1, inner_share=0.3))
    inner = set(RunFolder(tmp_path / "run").selection["inner_groups"])
    assert inner
    assert inner.isdisjoint({clip.group for clip in drawn[0]})
    assert np.isfinite(RunFolder(tmp_path / "run").epochs()[0]["inner_loss"])
