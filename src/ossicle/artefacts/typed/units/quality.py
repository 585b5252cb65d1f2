"""The artefact of the step ``quality``: figures of the units."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.typed.judged import MetricsFolder


@dataclass(frozen=True)
class QualityFolder(MetricsFolder):
    """``metrics.json``, written last, and the figures of each fold as soon as it is judged."""

    step: ClassVar[str] = "quality"

    @property
    def folds_folder(self) -> Path:
        """Figures of the folds; removed when all are in ``metrics.json``."""
        return self.path / "folds"

    def is_judged(self, number: int) -> bool:
        """Return whether a fold is judged."""
        return self._fold_file(number).exists()

    def fold(self, number: int) -> dict[str, Any]:
        """Return the figures of a judged fold."""
        content: dict[str, Any] = read_json(self._fold_file(number))
        return content

    def write_fold(self, number: int, figures: Mapping[str, Any]) -> None:
        """Write the figures of a fold."""
        write_json(self._fold_file(number), figures)

    def checkpoint_file(self, number: int) -> Path:
        """Return the file in which the training of a fold's quantiser keeps its state."""
        return self.folds_folder / f"fold-{number:03d}.safetensors"

    def _fold_file(self, number: int) -> Path:
        return self.folds_folder / f"fold-{number:03d}.json"
