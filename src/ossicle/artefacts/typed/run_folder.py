"""The run folder; only this module names the files of a training."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ossicle.artefacts.files import read_json, whole_file, write_json
from ossicle.artefacts.filesystem.changes import open_to_append, remove_file, write_all
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_if_there


@dataclass(frozen=True)
class RunFolder:
    """Files of one training.

    ``weights.safetensors`` exists only if the training is done; ``last.ckpt`` only while it is not.
    """

    path: Path

    TRACKING: ClassVar[str] = "tracking.json"
    LOGS: ClassVar[tuple[str, ...]] = ("metrics.jsonl", "best_metrics.json", "tensorboard", "wandb", TRACKING)
    """Files about times and curves, which are not part of the result."""

    @property
    def weights(self) -> Path:
        """The averaged weights after the last epoch, or after the best one."""
        return self.path / "weights.safetensors"

    @property
    def noise_likeness_file(self) -> Path:
        """How much the training clips of each label are like noise."""
        return self.path / "noise_likeness.json"

    @property
    def noise_likeness(self) -> dict[str, dict[str, Any]]:
        """The content of that file, by label; empty for run folders without it."""
        if not self.noise_likeness_file.exists():
            return {}
        content: dict[str, dict[str, Any]] = read_json(self.noise_likeness_file)
        return content

    @property
    def selection_file(self) -> Path:
        """Which epoch was best on which inner held-out groups."""
        return self.path / "selection.json"

    @property
    def selection(self) -> dict[str, Any]:
        """The content of that file; empty for a training that held out no inner groups."""
        return dict(read_json(self.selection_file)) if self.selection_file.exists() else {}

    @property
    def checkpoint(self) -> Path:
        """State at the end of the last complete epoch."""
        return self.path / "last.ckpt"

    @property
    def metrics(self) -> Path:
        """One JSON line per epoch."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """The epoch with the lowest held-out loss: for diagnosis; its weights are not the ones that are kept."""
        return self.path / "best_metrics.json"

    def tracker(self, name: str) -> Path:
        """Return the folder of a tracker, for example ``tensorboard`` with its event files."""
        return self.path / name

    @property
    def tracking_file(self) -> Path:
        """What trackers call the training, and what became of their files."""
        return self.path / self.TRACKING

    @property
    def tracking(self) -> dict[str, Any]:
        """The content of that file; empty for run folders without it."""
        if not self.tracking_file.exists():
            return {}
        content: dict[str, Any] = read_json(self.tracking_file)
        return content

    def write_tracking(self, tracking: Mapping[str, Any]) -> None:
        """Write what trackers call the training, and what became of their files."""
        write_json(self.tracking_file, tracking)

    @property
    def done(self) -> bool:
        """Whether the training ended."""
        return self.weights.exists()

    def forget_state(self) -> None:
        """Remove the state of a finished training, which a run killed at that moment leaves."""
        remove_file(self.checkpoint)

    def epochs(self) -> list[dict[str, Any]]:
        """Return the lines of ``metrics.jsonl``; the incomplete line of a killed run is left out."""
        lines: list[dict[str, Any]] = []
        for line in read_if_there(self.metrics, MOST_ARTEFACT_BYTES).decode(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return lines

    def keep_epochs(self, before: int) -> None:
        """Drop the lines of epochs from ``before`` on, which are about to be repeated."""
        kept_lines = [line for line in self.epochs() if line["epoch"] < before]
        if self.metrics.exists():
            with whole_file(self.metrics) as temporary:
                temporary.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in kept_lines))

    def log_epoch(self, figures: Mapping[str, Any]) -> None:
        """Append one epoch: numbers by name, and tables of labels (:mod:`ossicle.metrics.curves.held_out`)."""
        with open_to_append(self.metrics) as file:
            write_all(file, (json.dumps(dict(figures), sort_keys=True) + "\n").encode())

    def write_noise_likeness(self, by_label: Mapping[str, Mapping[str, Any]]) -> None:
        """Write how much the training clips of each label are like noise."""
        write_json(self.noise_likeness_file, by_label)

    def write_selection(self, selection: Mapping[str, Any]) -> None:
        """Write which epoch was best on which inner held-out groups."""
        write_json(self.selection_file, selection)

    def write_best(self) -> None:
        """Write ``best_metrics.json`` from the curves."""
        lines = self.epochs()
        validated = [line for line in lines if "val_loss" in line]
        best = min(validated, key=lambda line: line["val_loss"]) if validated else lines[-1]
        kept_epoch = self.selection.get("kept_epoch", lines[-1]["epoch"])
        end = (
            "the last epoch"
            if kept_epoch == lines[-1]["epoch"]
            else f"epoch {kept_epoch}, the best one on inner groups"
        )
        note = f"lowest held-out loss of the curves; the weights kept are those after {end}"
        write_json(self.best, {"best": best, "last": lines[-1], "note": note})
