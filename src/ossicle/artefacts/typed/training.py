"""The artefact of the step ``training``: a run folder for each model, and the data on which they were trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.artefacts.typed.run_folder import RunFolder

TAUGHT_SCHEMA = {"model": pl.String, "kind": pl.String, "value": pl.String}


@dataclass(frozen=True)
class TrainingFolder(ArtefactFolder):
    """Files of a training; ``taught`` exists only if rounds of pseudo-labels were used."""

    step: ClassVar[str] = "training"

    COMPOSITION: ClassVar[str] = "composition.json"
    LOGS: ClassVar[tuple[str, ...]] = (*RunFolder.LOGS, COMPOSITION)
    """Files about times, curves and the origin of samples, which are not part of the content."""

    def run(self, model: str) -> RunFolder:
        """Return the run folder of a model."""
        return RunFolder(self.path / model)

    def runs(self) -> list[RunFolder]:
        """Return the existing run folders, sorted by name."""
        return [RunFolder(folder) for folder in sorted(self.path.iterdir()) if folder.is_dir()]

    @property
    def summary_file(self) -> Path:
        """Labels, held-out folds by model, and the use of pseudo-labels."""
        return self.path / "training.json"

    @property
    def composition_file(self) -> Path:
        """How much was read from the store and how much from files."""
        return self.path / self.COMPOSITION

    @property
    def taught_file(self) -> Path:
        """Recordings that entered each model's training through pseudo-labels."""
        return self.path / "pseudo.parquet"

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Labels, held-out folds by model, and the use of pseudo-labels."""
        content: dict[str, Any] = read_json(self.summary_file)
        return content

    @cached_property
    def taught(self) -> pl.DataFrame:
        """Rows of ``model``, ``kind`` and ``value``; none if no round was used."""
        if not self.taught_file.exists():
            return pl.DataFrame(schema=TAUGHT_SCHEMA)
        return read_table(self.taught_file, TAUGHT_SCHEMA)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary of the training."""
        write_json(self.summary_file, summary)

    def write_composition(self, composition: Mapping[str, Any]) -> None:
        """Write how much was read from the store and how much from files."""
        write_json(self.composition_file, composition)

    def write_taught(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Write rows of model, kind and value."""
        table = pl.DataFrame(rows, schema=TAUGHT_SCHEMA, orient="row")
        write_table(self.taught_file, table, list(TAUGHT_SCHEMA))


@dataclass(frozen=True)
class InitialWeightsFolder(ArtefactFolder):
    """The artefact of the step ``initial_weights``: the weights from which each model starts."""

    step: ClassVar[str] = "initial_weights"

    def weights(self, model: str) -> Path:
        """Return the file with the weights from which a model starts."""
        return RunFolder(self.path / model).weights

    @property
    def source_file(self) -> Path:
        """Inner groups of each training that the weights are from."""
        return self.path / "source.json"

    @property
    def inner_groups(self) -> dict[str, tuple[str, ...]]:
        """The groups from which the training of each model did not learn, because they chose its course."""
        return {model: tuple(groups) for model, groups in read_json(self.source_file)["inner_groups"].items()}

    def write_source(self, inner_groups: Mapping[str, Sequence[str]]) -> None:
        """Write the inner groups of the training of each model."""
        write_json(self.source_file, {"inner_groups": {model: list(groups) for model, groups in inner_groups.items()}})
