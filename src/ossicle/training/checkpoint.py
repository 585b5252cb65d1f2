"""State at epoch ends, written whole or not at all, and read without unpickling anything but tensors."""

import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from ossicle.artefacts.files import whole_file
from ossicle.training.module import FrameDetector
from ossicle.training.runfolder import RunFolder


class EpochEnd(Callback):
    """Logs an epoch's figures, then saves the state, in this order: a resumed run drops the lines past its state."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._began = time.monotonic()

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock of an epoch."""
        self._began = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Log and save."""
        module: FrameDetector = pl_module
        figures = module.epoch_figures()
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        seconds = round(time.monotonic() - self._began, 3)
        self._folder.log_epoch({"epoch": trainer.current_epoch, "learning_rate": rate, "seconds": seconds, **figures})
        for logger in trainer.loggers:
            logger.log_metrics({"learning_rate": rate, **figures}, step=trainer.current_epoch)
        with whole_file(self._folder.checkpoint) as temporary:
            trainer.save_checkpoint(temporary)
