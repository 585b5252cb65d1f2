"""The artefacts of the steps that evaluate: calibration, evaluation, noise gate, figures of clips."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.artefacts.typed.clip_results import CLIPS, ClipResults
from ossicle.artefacts.typed.results.published import METRICS
from ossicle.artefacts.typed.scores import TracksFolder


@dataclass(frozen=True)
class CalibrationFolder(ArtefactFolder):
    """The artefact of the step ``calibration``."""

    step: ClassVar[str] = "calibration"

    @property
    def maps_file(self) -> Path:
        """Maps of every fold and final ones, with figures before and after."""
        return self.path / "calibration.json"

    @cached_property
    def found(self) -> dict[str, Any]:
        """The content of :attr:`maps_file`; only ``kind`` if no maps were requested."""
        value: dict[str, Any] = read_json(self.maps_file)
        return value

    def write(self, maps: Mapping[str, Any]) -> None:
        """Write maps and figures."""
        write_json(self.maps_file, maps)


@dataclass(frozen=True)
class MetricsFolder(ArtefactFolder):
    """A folder with ``metrics.json``."""

    @property
    def metrics_file(self) -> Path:
        """All figures."""
        return self.path / METRICS

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """All figures."""
        content: dict[str, Any] = read_json(self.metrics_file)
        return content

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write all figures."""
        write_json(self.metrics_file, metrics)


@dataclass(frozen=True)
class EvaluationFolder(MetricsFolder):
    """The artefact of the step ``evaluation``."""

    step: ClassVar[str] = "evaluation"

    @property
    def clips(self) -> ClipResults:
        """The answers to held-out clips; there only if the criterion judges clips."""
        return ClipResults(self.path / CLIPS)


@dataclass(frozen=True)
class NoiseGateFolder(MetricsFolder):
    """The artefact of the step ``noise_gate``: the figures of the evaluation, and the results of the noise gate."""

    step: ClassVar[str] = "noise_gate"


@dataclass(frozen=True)
class ClipFiguresFolder(TracksFolder):
    """The artefact of the step ``clip_figures``; it has tracks only if the split leaks."""

    step: ClassVar[str] = "clip_figures"

    CLIP_KEY: ClassVar[tuple[str, ...]] = ("recording_id", "start_s", "end_s", "role", "clip_label", "label")
    """Key of the table of clips: a clip has one row for each label by which it is evaluated."""
    CLIP_SCHEMA: ClassVar[Mapping[str, type[pl.DataType]]] = {
        "recording_id": pl.String,
        "start_s": pl.Float64,
        "end_s": pl.Float64,
        "role": pl.String,
        "clip_label": pl.String,
        "label": pl.String,
        "fold": pl.Int64,
        "positive": pl.Boolean,
        "score": pl.Float64,
    }

    @property
    def clips_file(self) -> Path:
        """Held-out clips with their scores."""
        return self.path / "clips.parquet"

    @property
    def figures_file(self) -> Path:
        """Figures of each label."""
        return self.path / "clip_figures.json"

    @cached_property
    def clips(self) -> pl.DataFrame:
        """Held-out clips with their scores, columns as in :attr:`CLIP_SCHEMA`."""
        return read_table(self.clips_file)

    def write_clips(self, table: pl.DataFrame) -> None:
        """Write held-out clips with their scores."""
        write_table(self.clips_file, table, list(self.CLIP_KEY))

    def write_figures(self, figures: Mapping[str, Any]) -> None:
        """Write figures of each label."""
        write_json(self.figures_file, figures)
