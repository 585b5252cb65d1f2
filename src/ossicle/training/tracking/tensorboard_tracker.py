"""TensorBoard: a curve for each figure, and what was taken for what as a table of each epoch."""

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from ossicle.training.tracking.tracked_run import TrackedRun
from ossicle.training.tracking.tracker import ConfusionTable


class TensorBoardTracker:
    """Writes event files; ``tensorboard --logdir FOLDER`` shows them."""

    def start(self, run: TrackedRun, folder: Path, run_id: str) -> None:
        """Open an event file, with name, group and tags as a text."""
        self._writer = SummaryWriter(str(folder))
        about = {"name": run.name, "group": run.group, "tags": ", ".join(run.tags)}
        rows = tuple((key, value) for key, value in about.items() if value)
        if rows:
            self._writer.add_text("run", markdown(ConfusionTable(("", "value"), rows)))

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, epoch)

    def log_confusion(self, epoch: int, table: ConfusionTable) -> None:
        """Add a table as text."""
        self._writer.add_text("confusion", markdown(table), epoch)

    def finish(self) -> None:
        """Close the event file."""
        self._writer.close()


def markdown(table: ConfusionTable) -> str:
    """Return a table as Markdown.

    >>> print(markdown(ConfusionTable(("actual", "predicted", "n"), (("kick", "snare", 2),))))
    | actual | predicted | n |
    |---|---|---|
    | kick | snare | 2 |
    """
    lines = [table.columns, *table.rows]
    head, *rows = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([head, "|---" * len(table.columns) + "|", *rows])
