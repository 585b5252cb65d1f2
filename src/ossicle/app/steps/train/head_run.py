"""The run folder of a fitted head: its weights and its curves."""

from typing import TYPE_CHECKING

from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.typed.run_folder import RunFolder

if TYPE_CHECKING:
    from ossicle.training.heads.fit import HeadFit


def write_head_run(run: RunFolder, found: "HeadFit") -> None:
    """Write the curves of a head, then its weights, so that a folder with weights is complete."""
    # Torch is an optional extra, needed only for actual training.
    from ossicle.models.weights import save_weights

    make_folder(run.path)
    run.keep_epochs(0)
    for line in found.curve:
        held = {} if line.held_out_loss is None else {"val_loss": line.held_out_loss}
        run.log_epoch({"epoch": line.epoch, "train_loss": line.train_loss, **held})
    run.write_best()
    save_weights(found.head, run.weights)
