from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.steps.train.training_notes import curve_notes, loader_advice, training_notes
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.training.settings import TrainingSettings

STUCK = [{"epoch": e, "train_loss": max(1.2, 2.0 - 0.1 * e)} for e in range(30)]
FALLING = [{"epoch": e, "train_loss": float(np.exp(-e / 6))} for e in range(30)]


def runs(tmp_path: Path, **lines: list[dict[str, Any]]) -> dict[str, RunFolder]:
    result = {}
    for name, of in lines.items():
        result[name] = RunFolder(tmp_path / name)
        result[name].path.mkdir()
        for line in of:
            result[name].log_epoch(line)
    return result


def waiting(share: float, n: int = 5) -> list[dict[str, Any]]:
    # The first epoch starts processes, and says nothing.
    shares = [1.0] + [share] * (n - 1)
    return [{"epoch": e, "train_loss": 1.0, "data_wait": w, "samples_per_s": 12.0} for e, w in enumerate(shares)]


def test_models_with_one_finding_share_a_line(tmp_path: Path) -> None:
    (line,) = curve_notes(runs(tmp_path, fold0=STUCK, fold1=FALLING, fold2=STUCK))
    assert line.startswith("training: early plateau (fold0 from epoch 8, fold2 from epoch 8); likely cause: ")
    assert curve_notes(runs(tmp_path, final=FALLING)) == []


def test_waiting_for_data_gives_one_line_of_advice(tmp_path: Path) -> None:
    result = runs(tmp_path, fold0=waiting(0.7), fold1=waiting(0.75), final=waiting(0.8))
    (line,) = training_notes(result, TrainingSettings(parallel=1), 16)
    assert line.startswith("training: waited for data in 75% of the time, at 12 samples/s; set training.workers = 3")
    assert "parallel" not in line
    assert "training.parallel = 1 for this machine's 2 cores" in loader_advice(result, TrainingSettings(), 2)
    # Those who have workers need more of them.
    assert "training.workers = 7 (now 4)" in loader_advice(result, TrainingSettings(workers=4, parallel=1), 16)


@pytest.mark.parametrize("lines", [waiting(0.2), waiting(0.9, n=1), FALLING, []])
def test_no_advice_without_waiting(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    assert loader_advice(runs(tmp_path, final=lines), TrainingSettings(), 2) == ""


def test_what_a_tracker_missed_is_told(tmp_path: Path) -> None:
    result = runs(tmp_path, fold0=[], fold1=[])
    for run_folder in result.values():
        run_folder.write_tracking({"id": "a", "problems": {"wandb": "OSError: the disk is full"}})
    assert training_notes(result, TrainingSettings(), 2) == [
        "tracking: wandb failed: OSError: the disk is full (fold0, fold1); `ossicle track sync` starts from the log"
    ]
