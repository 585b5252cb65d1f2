"""The loss on inner held-out groups after each epoch, and what follows from it: plateau and an early end."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

from ossicle.core.records import Clip
from ossicle.training.batches.crops import Batch, FixedCrops, validation_crops
from ossicle.training.batches.material import Material
from ossicle.training.detector.module import FrameDetector
from ossicle.training.optimisation.learning_rate import LearningRate
from ossicle.training.settings import TrainingSettings

MOST_CROPS = 2048
"""More inner held-out crops would only take longer."""


def inner_batches(clips: Sequence[Clip], material: Material, training: TrainingSettings) -> DataLoader[Batch]:
    """Return crops in the middle of inner held-out clips: all of them, or a seeded choice of :data:`MOST_CROPS`."""
    crops = validation_crops(clips, material, replace(training, validation_crops=MOST_CROPS))
    return DataLoader(FixedCrops(material, crops), batch_size=training.batch_size)


class InnerLoss(Callback):
    """Measure the averaged weights on inner held-out crops at the end of every epoch, before its state is saved.

    Parameters
    ----------
    batches
        The crops, the same after every epoch.
    """

    def __init__(self, batches: DataLoader[Batch]) -> None:
        self._batches = batches

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """End a training at once that was stopped after its last epoch, but before its weights were written."""
        module: FrameDetector = pl_module
        assert module.selection is not None
        trainer.should_stop = module.selection.exhausted

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Measure, lower the plateau, and stop if patience has run out."""
        module: FrameDetector = pl_module
        assert module.selection is not None
        loss = self._loss(trainer, module)
        module.end_inner(loss)
        if module.training_settings.schedule == "plateau":
            _lower(trainer, loss)
        if module.selection.exhausted:
            trainer.should_stop = True

    @torch.no_grad()
    def _loss(self, trainer: lightning.Trainer, module: FrameDetector) -> float:
        """Return the mean over all known targets."""
        total = n_known = 0.0
        for batch in self._batches:
            with trainer.precision_plugin.val_step_context():
                output = module.judged(tuple(tensor.to(module.device) for tensor in batch))
                loss = output.loss(module.training_settings, module.class_weights)
            known = float(output.n_known())
            total, n_known = total + float(loss) * known, n_known + known
        return total / max(n_known, 1.0)


def _lower(trainer: lightning.Trainer, loss: float) -> None:
    """Give the loss to the schedule, and have the next step use the rate that follows."""
    schedule: Any = trainer.lr_scheduler_configs[0].scheduler
    rate: LearningRate = schedule.lr_lambdas[0]
    rate.end_epoch(loss, schedule.last_epoch)
    rates = [base * rate(schedule.last_epoch) for base in schedule.base_lrs]
    for group, new_rate in zip(schedule.optimizer.param_groups, rates, strict=True):
        group["lr"] = new_rate
    schedule._last_lr = rates
