"""The state at the end of an epoch, written atomically, and read without unpickling anything but tensors."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.reading import require_regular
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.digest import digest
from ossicle.core.errors import ArtefactError
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.records import Clip
from ossicle.core.settings import digestible
from ossicle.metrics.curves.held_out import HeldOutCounts
from ossicle.models.settings import AugmentSettings, ModelSettings
from ossicle.training.batches.material import Material
from ossicle.training.detector.module import FrameDetector
from ossicle.training.optimisation.objective import Said
from ossicle.training.settings import TrainingSettings
from ossicle.training.tracking.epoch_clock import EpochClock
from ossicle.training.tracking.trackers import Trackers

_MADE_FROM = "ossicle_made_from"


class EpochEnd(Callback):
    """Log an epoch's figures, save the state, and tell the trackers.

    The log comes first: a resumed run drops lines after its state, and rewrites the files of its trackers.

    Parameters
    ----------
    folder
        The run folder.
    made_from
        Digest of what the state depends on.
    labels
        Names of the labels.
    clock
        Measures the epochs.
    trackers
        Where the figures go besides the log.
    drawn
        Returns figures about the crops of an epoch.
    """

    def __init__(
        self,
        folder: RunFolder,
        made_from: str,
        labels: Sequence[str],
        clock: EpochClock,
        trackers: Trackers,
        drawn: Callable[[int], Mapping[str, float]] = lambda epoch: {},
    ) -> None:
        self._folder, self._made_from, self._labels = folder, made_from, tuple(labels)
        self._clock, self._trackers, self._drawn = clock, trackers, drawn
        self._counts: HeldOutCounts | None = None
        self._began = time.monotonic()

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start the clock of an epoch."""
        self._began = time.monotonic()
        self._counts = None
        self._clock.start()

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Tell the clock that a batch was read."""
        self._clock.batch_came()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Tell the clock that a step ended."""
        self._clock.batch_done(len(batch[0]))

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the answers for held-out crops."""
        output: Said = outputs["said"]
        if self._counts is None:
            self._counts = HeldOutCounts(len(self._labels), output.softmax)
        parts = (output.scores(), output.targets, output.mask)
        self._counts.add(*(part.detach().float().cpu().numpy() for part in parts))

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Log figures and save the state."""
        module: FrameDetector = pl_module
        module.end_epoch()
        line = {
            "epoch": trainer.current_epoch,
            "learning_rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            "seconds": round(time.monotonic() - self._began, 3),
            **module.epoch_figures(),
            **self._drawn(trainer.current_epoch),
            **(self._counts.figures(self._labels) if self._counts is not None else {}),
            **self._clock.figures(),
        }
        self._folder.log_epoch(line)
        self._trackers.epoch(line)
        with whole_file(self._folder.checkpoint) as temporary:
            trainer.save_checkpoint(temporary)

    def on_save_checkpoint(self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        """Store in the state what it was made from."""
        checkpoint[_MADE_FROM] = self._made_from


def state_digest(
    material: Material,
    train: Sequence[Clip],
    model: ModelSettings,
    front: FrontEndSettings,
    training: TrainingSettings,
    augment: AugmentSettings,
) -> str:
    """Return a digest of everything a state depends on, so that no training resumes with other settings.

    Clips are represented by their number.
    """
    settings = [digestible(settings_part) for settings_part in (material.plan, model, front, training, augment)]
    pseudo = material.pseudo
    windows = [] if pseudo is None else [digestible(pseudo.settings), len(pseudo.windows)]
    storage = [] if material.log_mel is None else ["log_mel"]
    return digest([*settings, list(material.labels), len(train), *windows, *storage])


def read_epoch(path: Path, made_from: str) -> int:
    """Return the last complete epoch (from 0) of a state.

    Only tensors and plain values are read; a file that contains anything else is rejected before it runs.

    Raises
    ------
    ArtefactError
        If the file is damaged, was not written by Ossicle, or belongs to a training with other settings.
    """
    remedy = f"delete the run folder {path.parent} and run again to start the training from the beginning"
    try:
        require_regular(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        epoch, state_made_from = int(state["epoch"]), state[_MADE_FROM]
        whole = {"state_dict", "optimizer_states", "lr_schedulers", "loops"} <= state.keys()
    except Exception as error:  # a damaged archive can raise anything
        first_line = str(error).split("\n", 1)[0]
        raise ArtefactError(f"{path}: not a readable training state ({first_line}); {remedy}") from error
    if not whole or epoch < 0:
        raise ArtefactError(f"{path}: an incomplete training state; {remedy}")
    if state_made_from != made_from:
        raise ArtefactError(f"{path}: the state of a training with other settings or clips; {remedy}")
    return epoch
