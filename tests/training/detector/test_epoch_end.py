from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.training.detector.checkpoint import EpochEnd
from ossicle.training.optimisation.objective import Said
from ossicle.training.tracking.epoch_clock import EpochClock
from ossicle.training.tracking.tracked_run import TrackedRun
from ossicle.training.tracking.trackers import Trackers

LABELS = ("kick", "snare")
# A kick taken for one, a snare taken for a kick, and a window without a hit.
LOGITS = torch.tensor([[[2.0, -1.0]], [[0.5, 0.4]], [[3.0, -3.0]]])
TARGETS = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]]])


@pytest.mark.parametrize("softmax", [False, True])
def test_held_out_answers_are_logged_as_the_scores_are_meant(tmp_path: Path, softmax: bool) -> None:
    folder = RunFolder(tmp_path)
    end = EpochEnd(folder, "made", LABELS, EpochClock("cpu", 1), Trackers(TrackedRun(to=()), folder))
    result = Said(LOGITS, TARGETS, torch.ones_like(TARGETS), softmax=softmax)
    trainer: Any = SimpleNamespace(
        current_epoch=0,
        optimizers=[SimpleNamespace(param_groups=[{"lr": 0.1}])],
        save_checkpoint=lambda path: Path(path).write_bytes(b"state"),
    )
    module: Any = SimpleNamespace(end_epoch=lambda: None, epoch_figures=lambda: {"train_loss": 0.5})
    end.on_train_epoch_start(trainer, module)
    end.on_validation_batch_end(trainer, module, {"said": result}, None, 0)
    end.on_train_epoch_end(trainer, module)
    (line,) = folder.epochs()
    if softmax:
        assert line["confusion"] == [["kick", "kick", 1], ["snare", "kick", 1]]
        assert line["val_accuracy"] == 0.5
    else:
        assert line["counts"]["kick"] == {"tp": 1, "fp": 2, "fn": 0, "tn": 0}
        assert line["labels"]["snare"]["recall"] == 1.0
