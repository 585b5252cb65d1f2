"""Weights & Biases: a run in files of its own, sent nowhere unless the mode is ``online``.

Nothing is collected but what is logged here: no console output, code, git state, machine or package list, and no
reports of errors in wandb itself.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ossicle.training.tracking.tracked_run import TrackedRun
from ossicle.training.tracking.tracker import ConfusionTable


def quiet_wandb() -> Any:
    """Import wandb so that it reports no errors over the network; raises ImportError if it is not installed."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    return wandb


class WandbTracker:
    """Writes one run; history keys are the names of the figures, ``f1/LABEL``, ``recall/LABEL`` and ``confusion``."""

    def start(self, run: TrackedRun, folder: Path, run_id: str) -> None:
        """Begin a run below ``folder``, whose name has to be ``wandb``."""
        self._wandb = quiet_wandb()
        settings = self._wandb.Settings(
            console="off",
            silent=True,
            symlink=False,
            save_code=False,
            disable_git=True,
            disable_code=True,
            disable_job_creation=True,
            x_disable_stats=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        )
        self._run = self._wandb.init(
            project=run.project,
            group=run.group or None,
            name=run.name or None,
            tags=list(run.tags),
            id=run_id,
            # wandb adds a folder `wandb` itself.
            dir=str(folder.parent),
            mode=run.mode,
            config=dict(run.settings),
            resume="allow" if run.mode == "online" else None,
            settings=settings,
        )

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Add a row to the history of the run."""
        self._run.log({"epoch": epoch, **figures}, step=epoch)

    def log_confusion(self, epoch: int, table: ConfusionTable) -> None:
        """Add a table, drawn as a confusion matrix where it is one, and its rows as plain values, to the same row."""
        rows = [list(row) for row in table.rows]
        shown = self._wandb.Table(columns=list(table.columns), data=rows)
        if table.single_label:
            fields = {"Actual": "actual", "Predicted": "predicted", "nPredictions": "n"}
            shown = self._wandb.plot_table("wandb/confusion_matrix/v1", shown, fields)
        self._run.log({"confusion": rows, "confusion_table": shown}, step=epoch)

    def finish(self) -> None:
        """End the run, and the process that writes it: a run that begins anew must not meet what it still holds."""
        self._run.finish()
        self._wandb.teardown()
