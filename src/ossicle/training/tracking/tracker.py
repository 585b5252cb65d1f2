"""What a tracker is, and the form in which it gets the figures of an epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ossicle.training.tracking.tracked_run import TrackedRun


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """What was taken for what in an epoch, as rows under named columns.

    ``actual``, ``predicted``, ``n`` where each position has one label; else ``label``, ``tp``, ``fp``, ``fn``, ``tn``.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def single_label(self) -> bool:
        """Whether the rows are those of a confusion matrix."""
        return self.columns[0] == "actual"


class Tracker(Protocol):
    """Shows one training in a program of its own. Epochs come in order, each once."""

    def start(self, run: TrackedRun, folder: Path, run_id: str) -> None:
        """Begin a training in an empty ``folder`` of the tracker's own; ``run_id`` is unique to the training."""
        ...

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Show the figures of an epoch (from 0)."""
        ...

    def log_confusion(self, epoch: int, table: ConfusionTable) -> None:
        """Show what was taken for what in the epoch whose figures came last."""
        ...

    def finish(self) -> None:
        """End the training; everything is written."""
        ...


def scalars(line: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a line of ``metrics.jsonl``; what is undefined is left out.

    >>> scalars({"epoch": 3, "train_loss": 0.5, "labels": {"kick": {"f1": 0.8, "recall": None}}})
    {'train_loss': 0.5, 'f1/kick': 0.8}
    """
    numbers = {key: value for key, value in line.items() if key != "epoch" and isinstance(value, int | float)}
    for label, figures in line.get("labels", {}).items():
        numbers |= {f"{key}/{label}": value for key, value in figures.items() if value is not None}
    return numbers


def confusion_table(line: Mapping[str, Any]) -> ConfusionTable | None:
    """Return what was taken for what, from a line of ``metrics.jsonl``; None if the epoch was not validated."""
    if "confusion" in line:
        rows: Sequence[Sequence[Any]] = line["confusion"]
        return ConfusionTable(("actual", "predicted", "n"), tuple(tuple(row) for row in rows))
    if "counts" in line:
        columns = ("tp", "fp", "fn", "tn")
        table_rows = tuple((label, *(counts[key] for key in columns)) for label, counts in line["counts"].items())
        return ConfusionTable(("label", *columns), table_rows)
    return None
