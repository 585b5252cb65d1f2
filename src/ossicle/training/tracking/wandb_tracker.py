"""Weights & Biases: a run in files of its own, sent nowhere unless the mode is ``online``.

Nothing is collected but what is logged here: no console output, code, git state, machine or package list, and no
reports of errors in wandb itself.
"""

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.training.tracking.tracked_run import TrackedRun
from ossicle.training.tracking.tracker import ConfusionTable

_BESIDE = ("logs", "tmp")
"""Folders with messages of wandb itself, which name folders of this machine."""


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
        """Add its rows as plain values, and as a table to look at, to the same row.

        The table is HTML: a table of wandb's own would be an artifact, which lies outside of the run folder.
        """
        shown = self._wandb.Html(html_table(table), inject=False)
        self._run.log({"confusion": [list(row) for row in table.rows], "confusion_table": shown}, step=epoch)

    def finish(self) -> None:
        """End the run, and the process that writes it: a run that begins anew must not meet what it still holds."""
        folder = Path(self._run.dir).parent
        self._run.finish()
        self._wandb.teardown()
        for name in _BESIDE:
            remove_folder(folder / name)


def html_table(table: ConfusionTable) -> str:
    """Return a table as HTML: where each position has one label, a matrix with a row for each true label.

    >>> html_table(ConfusionTable(("label", "tp"), (("<kick>", 3),)))
    '<table><tr><th>label</th><th>tp</th></tr><tr><td>&lt;kick&gt;</td><td>3</td></tr></table>'
    """
    lines: list[Sequence[Any]] = [table.columns, *table.rows]
    if table.single_label:
        counts = {(actual, predicted): n for actual, predicted, n in table.rows}
        labels = sorted({label for pair in counts for label in pair})
        lines = [["actual / predicted", *labels]]
        lines += [[actual, *(counts.get((actual, predicted), 0) for predicted in labels)] for actual in labels]
    head, *rows = (
        "".join(f"<{cell}>{escape(str(value))}</{cell}>" for value in line)
        for cell, line in zip(["th", *["td"] * (len(lines) - 1)], lines, strict=True)
    )
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in (head, *rows)) + "</table>"
