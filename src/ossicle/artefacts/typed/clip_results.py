"""The folder ``clip_results`` beside ``metrics.json``: the answer to each held-out clip, confusions and mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.array_files.npy_header import npy_header
from ossicle.artefacts.files import read_json, whole_file, write_json, write_text
from ossicle.artefacts.filesystem.changes import open_new
from ossicle.artefacts.tables import read_table, write_csv, write_table

CLIPS = "clip_results"
"""Name of the folder, in the artefact of the step ``evaluation`` and beside the project file."""


@dataclass(frozen=True)
class ClipResults:
    """Results of held-out clips as files that need no Ossicle to read them."""

    path: Path

    @property
    def answers_file(self) -> Path:
        """Each clip with its label, answer, confidence and loss."""
        return self.path / "answers.parquet"

    @property
    def confusion_array(self) -> Path:
        """Counts, int64, truth in rows."""
        return self.path / "confusion.npy"

    @property
    def confusion_file(self) -> Path:
        """Labels and counts."""
        return self.path / "confusion.json"

    @property
    def picture(self) -> Path:
        """The counts as a picture."""
        return self.path / "confusion.svg"

    @property
    def misclassified_file(self) -> Path:
        """Clips with a wrong answer, the most confident first, with the three highest labels."""
        return self.path / "misclassified.csv"

    @property
    def pairs_file(self) -> Path:
        """Wrong answers by label, answer and bucket."""
        return self.path / "misclassified_pairs.csv"

    @cached_property
    def answers(self) -> pl.DataFrame:
        """The content of :attr:`answers_file`; raises ArtefactError if it is missing or damaged."""
        return read_table(self.answers_file)

    @cached_property
    def confusion(self) -> dict[str, Any]:
        """The content of :attr:`confusion_file`."""
        return dict(read_json(self.confusion_file))

    def write_answers(self, answers: pl.DataFrame) -> None:
        """Write the answers, which are sorted."""
        write_table(self.answers_file, answers, None)

    def write_confusion(self, labels: Sequence[str], counts: NDArray[np.int64], picture: str) -> None:
        """Write counts (n_labels, n_labels) as array and as JSON, and their picture as SVG."""
        with whole_file(self.confusion_array) as part, open_new(part) as handle:
            handle.write(npy_header("<i8", counts.shape) + np.ascontiguousarray(counts, dtype="<i8").tobytes())
        write_json(self.confusion_file, self._counts_by_label(labels, counts))
        write_text(self.picture, picture)

    def write_misclassified(self, clips: pl.DataFrame, pairs: pl.DataFrame) -> None:
        """Write the wrong answers, and their counts by pair and bucket."""
        write_csv(self.misclassified_file, clips)
        write_csv(self.pairs_file, pairs)

    @staticmethod
    def _counts_by_label(labels: Sequence[str], counts: NDArray[np.int64]) -> Mapping[str, Any]:
        return {"rows": "true label", "columns": "answer", "labels": list(labels), "counts": counts.tolist()}
