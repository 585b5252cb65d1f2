import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import average_precision_score

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.errors import OssicleError, UsageError
from ossicle.core.settings import digestible
from ossicle.models.devices import devices
from ossicle.models.predictor import load_predictor
from ossicle.training.batches.material import load_material
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.fit import fit
from ossicle.training.detector.module import FrameDetector
from ossicle.training.settings import TrainingSettings


def weights(folder: Path) -> bytes:
    return RunFolder(folder).weights.read_bytes()


@pytest.mark.parametrize("precision", ["32-true", pytest.param("bf16-mixed", marks=pytest.mark.slow)])
def test_it_learns(corpus: Any, tmp_path: Path, precision: str) -> None:
    job = corpus.job(tmp_path / "run", epochs=8, steps_per_epoch=10, ema_decay=0.8, precision=precision)
    fit_job(job)
    lines = RunFolder(job.folder).epochs()
    assert lines[-1]["train_loss"] < 0.4 * lines[0]["train_loss"]
    predictor = load_predictor(RunFolder(job.folder).weights, job.model, job.labels, job.plan, job.front)
    material = load_material(job.dataset, job.store, job.labels, job.plan)
    context, core = job.plan.context_frames, job.plan.core_frames
    scores, targets = [], []
    # On recordings of the held-out fold.
    for rid in ("rec0", "rec2"):
        for chunk in range(10):
            at = (chunk * core - context) * job.plan.hop_samples
            scores.append(predictor.predict(material.samples(rid, at)[None])[0])
            targets.append(material.targets(rid, at)[context : context + core] > 0.5)
    for label in range(2):
        y, s = np.concatenate(targets)[:, label], np.concatenate(scores)[:, label]
        assert average_precision_score(y, s) > 0.9


def test_the_same_seed_gives_the_same_bytes_and_another_others(corpus: Any, straight: Path, tmp_path: Path) -> None:
    fit_job(corpus.job(tmp_path / "again"))
    assert weights(tmp_path / "again") == weights(straight)
    fit_job(corpus.job(tmp_path / "other", seed=1))
    assert weights(tmp_path / "other") != weights(straight)


@pytest.mark.parametrize("changes", [{"validate_every": 1}, {"validation_crops": 0}, {"validation_crops": 9}])
def test_validation_does_not_touch_the_weights(
    corpus: Any, straight: Path, tmp_path: Path, changes: dict[str, int]
) -> None:
    fit_job(corpus.job(tmp_path / "run", **changes))
    assert weights(tmp_path / "run") == weights(straight)


def test_what_a_run_leaves(straight: Path) -> None:
    folder = RunFolder(straight)
    assert sorted(p.name for p in straight.iterdir()) == [
        "best_metrics.json",
        "metrics.jsonl",
        "noise_likeness.json",
        "tensorboard",
        "tracking.json",
        "weights.safetensors",
    ]
    lines = folder.epochs()
    assert [line["epoch"] for line in lines] == [0, 1, 2, 3]
    # Every third epoch is validated; four are not a multiple of three.
    assert ["val_loss" in line for line in lines] == [False, False, True, False]
    assert all(math.isfinite(line[key]) for line in lines for key in ("train_loss", "learning_rate", "seconds"))
    assert lines[-1]["learning_rate"] == pytest.approx(0.0, abs=1e-9)
    assert all({"samples_per_s", "data_wait", "device_use", "memory_mb"} <= line.keys() for line in lines)
    # Frames without a label are there too, so each label is decided by itself.
    assert set(lines[2]["labels"]) == set(lines[2]["counts"]) == {"high", "low"}
    assert 0.0 <= lines[2]["val_accuracy"] <= 1.0


def test_a_done_run_is_left_alone_but_for_a_state_that_a_kill_left(corpus: Any, straight: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.weights.write_bytes(b"done")
    folder.checkpoint.write_bytes(b"left")
    fit_job(corpus.job(folder.path))
    assert [p.name for p in folder.path.iterdir()] == ["weights.safetensors"]
    assert folder.weights.read_bytes() == b"done"


def test_all_recordings_train_where_no_fold_is_held_out(corpus: Any, straight: Path, tmp_path: Path) -> None:
    fit_job(corpus.job(tmp_path / "all", fold=None))
    assert weights(tmp_path / "all") != weights(straight)
    assert not any("val_loss" in line for line in RunFolder(tmp_path / "all").epochs())


def test_threads_are_applied_and_part_of_the_fingerprint(corpus: Any, tmp_path: Path) -> None:
    fit_job(corpus.job(tmp_path / "run", epochs=1, steps_per_epoch=1, threads=2))
    assert torch.get_num_threads() == 2
    assert digestible(TrainingSettings(threads=2)) != digestible(TrainingSettings())
    assert digestible(TrainingSettings(parallel=5, device="cpu")) == digestible(TrainingSettings())


def test_nothing_to_train_on_is_said(corpus: Any, tmp_path: Path) -> None:
    job = corpus.job(tmp_path / "run")
    material = load_material(job.dataset, job.store, job.labels, job.plan)
    with pytest.raises(UsageError, match="no clips to train on"):
        fit(job, material, (), ())


def test_a_device_that_is_missing_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices("auto") == ("cpu",)
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(UsageError, match=f"device '{name}' is not available here; available: cpu;") as refused:
            devices(name)
        assert refused.value.exit_code == 2
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices("auto") == devices("cuda") == ("cuda:0", "cuda:1")
    assert devices("cuda:1") == ("cuda:1",)
    with pytest.raises(UsageError, match="available: cpu, cuda:0, cuda:1"):
        devices("cuda:2")
    with pytest.raises(UsageError, match="device 'gpu' is not one of: auto"):
        devices("gpu")
    with pytest.raises(ValueError, match="device = 'gpu' is not one of"):
        TrainingSettings(device="gpu")


def test_memory_that_runs_out_says_which_batch_and_what_to_try(corpus: Any, tmp_path: Path) -> None:
    job = corpus.job(tmp_path / "run", epochs=3)
    straight = corpus.job(tmp_path / "straight", epochs=3)
    step = FrameDetector.training_step

    def starve(module: FrameDetector, batch: Any, index: int) -> torch.Tensor:
        if module.current_epoch == 1 and index == 1:
            # The true error of torch's allocator of the CPU, whatever its words are here.
            torch.empty(1 << 58)
        return step(module, batch, index)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FrameDetector, "training_step", starve)
        with pytest.raises(OssicleError, match="out of memory") as result:
            fit_job(job)
    assert "epoch 2 with batches of 4 crops" in str(result.value)
    assert "training.batch_size=2" in str(result.value)
    fit_job(job)
    fit_job(straight)
    assert weights(job.folder) == weights(straight.folder)


def test_the_mean_of_the_last_epochs_is_kept_and_survives_a_stop(corpus: Any, tmp_path: Path) -> None:
    ends: list[dict[str, torch.Tensor]] = []
    end = FrameDetector.end_epoch

    def noted(module: FrameDetector) -> None:
        ends.append({name: one.clone() for name, one in module.average.average.state_dict().items()})
        end(module)

    job = corpus.job(tmp_path / "straight", epochs=4, average_epochs=3)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FrameDetector, "end_epoch", noted)
        fit_job(job)
    kept = load_file(RunFolder(job.folder).weights)
    for name, one in kept.items():
        if one.dtype.is_floating_point:
            expected = torch.stack([state[name] for state in ends[1:]]).double().mean(dim=0)
            torch.testing.assert_close(one.double(), expected, rtol=1e-5, atol=1e-7)
    stopped = corpus.job(tmp_path / "stopped", epochs=4, average_epochs=3)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FrameDetector, "end_epoch", _stop_at(end, 2))
        with pytest.raises(KeyboardInterrupt):
            fit_job(stopped)
    fit_job(stopped)
    assert weights(stopped.folder) == weights(job.folder)


def _stop_at(end: Any, epoch: int) -> Any:
    def stopping(module: FrameDetector) -> None:
        if module.current_epoch == epoch:
            raise KeyboardInterrupt
        end(module)

    return stopping


def test_radam_is_another_training(corpus: Any, straight: Path, tmp_path: Path) -> None:
    fit_job(corpus.job(tmp_path / "run", optimiser="radam"))
    assert weights(tmp_path / "run") != weights(straight)


def test_labels_that_no_clip_has_still_train(corpus: Any, tmp_path: Path) -> None:
    job = replace(corpus.job(tmp_path / "run", epochs=1), labels=("high", "low", "never"))
    fit_job(job)
    assert RunFolder(job.folder).done
