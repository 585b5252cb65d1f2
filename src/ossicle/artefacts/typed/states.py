"""The artefacts of the steps that only pipelines for states have, and the tables that they add to the dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_csv, write_table
from ossicle.artefacts.typed.artefact import WINDOWS, ArtefactFolder
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.judged import MetricsFolder
from ossicle.artefacts.typed.results.published import HEADS
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.scores import TracksFolder


@dataclass(frozen=True)
class StateDatasetFolder(DatasetFolder):
    """A dataset with two more tables: the files for people, and the windows that heads are trained on."""

    WINDOW_SCHEMA: ClassVar[Mapping[str, Any]] = {
        "recording_id": pl.String,
        "path": pl.String,
        "start_s": pl.Float64,
        "end_s": pl.Float64,
        "rms": pl.Float64,
        "labels": pl.List(pl.String),
        "unknown": pl.List(pl.String),
    }

    @property
    def files_file(self) -> Path:
        """Every recording with its labels and its overall state, for people and other programs."""
        return self.path / "files.csv"

    @property
    def windows_file(self) -> Path:
        """The windows of the reviewed recordings with level and labels, without the loudest ones."""
        return self.path / WINDOWS

    @property
    def window_counts_file(self) -> Path:
        """Windows, and dropped windows, of each recording."""
        return self.path / "windows.json"

    @cached_property
    def windows(self) -> pl.DataFrame:
        """Rows of :attr:`WINDOW_SCHEMA`, sorted by recording and start."""
        return read_table(self.windows_file, self.WINDOW_SCHEMA)

    @cached_property
    def window_counts(self) -> dict[str, Any]:
        """``windows`` and ``dropped`` by recording path, and ``without``: paths shorter than a window."""
        content: dict[str, Any] = read_json(self.window_counts_file)
        return content

    def write_files(self, table: pl.DataFrame) -> None:
        """Write the table of files."""
        write_csv(self.files_file, table)

    def write_windows(self, table: pl.DataFrame) -> None:
        """Write the table of windows."""
        write_table(self.windows_file, table, ["recording_id", "start_s"])

    def write_window_counts(self, counts: Mapping[str, Any]) -> None:
        """Write how many windows there are, and how many were dropped."""
        write_json(self.window_counts_file, counts)


@dataclass(frozen=True)
class HeadsFolder(ArtefactFolder):
    """The artefact of the step ``heads``: a run folder for each model, with the weights of its head only."""

    step: ClassVar[str] = "heads"

    LOGS: ClassVar[tuple[str, ...]] = RunFolder.LOGS
    """Curves, which are not part of the content."""

    def run(self, model: str) -> RunFolder:
        """Return the run folder of a model."""
        return RunFolder(self.path / HEADS / model)

    @property
    def summary_file(self) -> Path:
        """How each head was fitted, by model."""
        return self.path / "heads.json"

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of that file."""
        content: dict[str, Any] = read_json(self.summary_file)
        return content

    def tail_file(self, model: str) -> Path:
        """Return the weights of the last blocks of the encoder, which exist only if stage 2 kept them."""
        return self.run(model).path / "blocks.safetensors"

    def level_file(self, model: str) -> Path:
        """Return the class models by which scores follow the level, which exist only if they do."""
        return self.run(model).path / "class_models.safetensors"

    def fit_file(self, model: str) -> Path:
        """Return the file that says how the head of one model was fitted; written after its weights."""
        return self.run(model).path / "fit.json"

    def fit(self, model: str) -> dict[str, Any]:
        """Return how the head of a model was fitted."""
        content: dict[str, Any] = read_json(self.fit_file(model))
        return content

    def is_done(self, model: str) -> bool:
        """Return whether the head of a model is fitted."""
        return self.fit_file(model).exists()

    def write_fit(self, model: str, fit: Mapping[str, Any]) -> None:
        """Write how the head of a model was fitted."""
        write_json(self.fit_file(model), fit)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write how all heads were fitted."""
        write_json(self.summary_file, summary)


@dataclass(frozen=True)
class StateScoresFolder(TracksFolder):
    """The artefact of the step ``state_scores``: each recording by the head that held it out; row k is window k."""

    step: ClassVar[str] = "state_scores"


@dataclass(frozen=True)
class StateDecisionFolder(ArtefactFolder):
    """The artefact of the step ``state_decision``: the rules for states, and what they were fitted on."""

    step: ClassVar[str] = "state_decision"

    @property
    def decision_file(self) -> Path:
        """The decision of the bundle, those of each fold, curves and warnings."""
        return self.path / "state_decision.json"

    @cached_property
    def written(self) -> dict[str, Any]:
        """The content of that file."""
        content: dict[str, Any] = read_json(self.decision_file)
        return content

    def write(self, decision: Mapping[str, Any]) -> None:
        """Write decisions, curves and warnings."""
        write_json(self.decision_file, decision)


@dataclass(frozen=True)
class StateEvaluationFolder(MetricsFolder):
    """The artefact of the step ``state_evaluation``: figures, and recordings whose scores contradict their labels."""

    step: ClassVar[str] = "state_evaluation"

    @property
    def contradictions_file(self) -> Path:
        """Recordings whose out-of-fold scores contradict their labels, the most confident first."""
        return self.path / "contradictions.json"

    @cached_property
    def contradictions(self) -> list[dict[str, Any]]:
        """The content of that file."""
        content: list[dict[str, Any]] = read_json(self.contradictions_file)["recordings"]
        return content

    def write_contradictions(self, rows: list[dict[str, Any]]) -> None:
        """Write recordings whose scores contradict their labels."""
        write_json(self.contradictions_file, {"recordings": rows})
