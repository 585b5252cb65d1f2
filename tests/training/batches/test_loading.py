import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data._utils import signal_handling

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.settings import digestible
from ossicle.training.batches.crops import CropDraw, EpochCrops
from ossicle.training.batches.loading import EpochBatches, crop_loader
from ossicle.training.batches.material import load_material
from ossicle.training.detector.crossval import fit_job
from ossicle.training.settings import TrainingSettings


def test_batches_name_the_crops_of_the_epoch_in_which_they_are_read() -> None:
    epochs = [4]
    batches = EpochBatches(5, 2, lambda: epochs[-1])
    assert len(batches) == 3
    assert list(batches) == [[(4, 0), (4, 1)], [(4, 2), (4, 3)], [(4, 4)]]
    epochs.append(5)
    assert next(iter(batches)) == [(5, 0), (5, 1)]


def test_processes_read_the_same_batches_epoch_after_epoch_and_end_with_the_loader(
    corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Torch's handler of SIGCHLD has ended this process of many tests by SIGSEGV, on the alternate stack for signals.
    monkeypatch.setattr(signal_handling, "_SIGCHLD_handler_set", True)
    job = corpus.job(tmp_path)
    material = load_material(job.dataset, job.store, job.labels, job.plan)
    draw, epochs = CropDraw(corpus.clips, material, job.training), [0]

    def read(**changes: int) -> list[torch.Tensor]:
        loader = crop_loader(
            EpochCrops(material, draw), EpochBatches(6, 2, lambda: epochs[-1]), TrainingSettings(**changes)
        )
        result = []
        for epoch in (0, 1):
            epochs.append(epoch)
            result += [part for batch in loader for part in batch]
        return result

    here = read()
    there = read(workers=1, prefetch_factor=3)
    assert len(here) == len(there) == 18
    assert all(one.equal(other) for one, other in zip(here, there, strict=True))
    assert not here[0].equal(here[9])
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_workers_change_no_weights(corpus: Any, straight: Path, tmp_path: Path) -> None:
    fit_job(corpus.job(tmp_path / "run", workers=3, prefetch_factor=1))
    assert RunFolder(tmp_path / "run").weights.read_bytes() == RunFolder(straight).weights.read_bytes()


def test_workers_are_not_part_of_the_fingerprint() -> None:
    assert digestible(TrainingSettings(workers=3, prefetch_factor=7)) == digestible(TrainingSettings())
