"""The artefact of the step ``dataset``: clips, their targets, folds, and facts about the split."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.records.column_tables import read_annotations, read_clips, write_annotations, write_clips
from ossicle.artefacts.records.record_tables import (
    STRETCH_SCHEMA,
    UNKNOWN_SCHEMA,
    stretches_frame,
    stretches_of,
    unknown_frame,
    unknown_of,
)
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.records import Annotation, Clip

FINAL = "final"
"""The model that trains on all folds."""
FOLD_SCHEMA = {"recording_id": pl.String, "group": pl.String, "fold": pl.Int64}


@dataclass(frozen=True)
class DatasetFolder(ArtefactFolder):
    """Files of a dataset; ``known`` and ``unknown`` exist only if they hold a row."""

    step: ClassVar[str] = "dataset"

    @property
    def clips_file(self) -> Path:
        """Clips with role, fold, group, label and weight."""
        return self.path / "clips.parquet"

    @property
    def annotations_file(self) -> Path:
        """The annotations that are targets, clipped to their recordings."""
        return self.path / "annotations.parquet"

    @property
    def labels_file(self) -> Path:
        """The labels, sorted."""
        return self.path / "labels.json"

    @property
    def folds_file(self) -> Path:
        """Group and fold of each recording that is evaluated as a whole."""
        return self.path / "folds.parquet"

    @property
    def stats_file(self) -> Path:
        """Counts and seconds of clips by fold, group, role, label and quality."""
        return self.path / "stats.parquet"

    @property
    def split_file(self) -> Path:
        """The split: its audit, strategy, models, and the mined noise."""
        return self.path / "split.json"

    @property
    def known_file(self) -> Path:
        """Checked stretches of recordings that were not annotated as a whole."""
        return self.path / "known.parquet"

    @property
    def unknown_file(self) -> Path:
        """Labels whose presence in a recording is unknown."""
        return self.path / "unknown.parquet"

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels that have a target, sorted."""
        return tuple(read_json(self.labels_file)["labels"])

    @cached_property
    def clips(self) -> ClipColumns:
        """The clips, sorted by recording and time."""
        return read_clips(self.clips_file)

    @cached_property
    def annotations(self) -> AnnotationColumns:
        """The annotations that are targets, sorted by recording and time."""
        return read_annotations(self.annotations_file)

    @cached_property
    def folds(self) -> pl.DataFrame:
        """The recordings that are evaluated as a whole: ``recording_id``, ``group``, ``fold``."""
        return read_table(self.folds_file)

    @cached_property
    def stats(self) -> pl.DataFrame:
        """Counts and seconds of clips."""
        return read_table(self.stats_file)

    @cached_property
    def split(self) -> dict[str, Any]:
        """Facts about the split."""
        content: dict[str, Any] = read_json(self.split_file)
        return content

    @property
    def merged(self) -> dict[str, float]:
        """How simultaneous hits are one training target: ``merge_s``, ``before_s``, counts; empty if they are not."""
        return dict(self.split.get("merged", {})) if self.split_file.exists() else {}

    @cached_property
    def known(self) -> dict[str, tuple[tuple[float, float], ...]]:
        """Checked stretches (seconds) by recording id; empty if all recordings were annotated as a whole."""
        return stretches_of(read_table(self.known_file, dict(STRETCH_SCHEMA))) if self.known_file.exists() else {}

    @cached_property
    def unknown(self) -> dict[str, tuple[str, ...]]:
        """Labels whose presence is unknown, by recording id."""
        return unknown_of(read_table(self.unknown_file, dict(UNKNOWN_SCHEMA))) if self.unknown_file.exists() else {}

    @property
    def evaluated_folds(self) -> tuple[int, ...] | None:
        """The folds whose recordings give the figures, if the other held-out folds only choose thresholds; None for
        all.
        """
        evaluated = self.split.get("evaluated")
        return None if evaluated is None else tuple(evaluated)

    @property
    def models(self) -> dict[str, tuple[int, ...]]:
        """The folds that each model holds out, by the name of its run folder; :data:`FINAL` trains on all folds."""
        return {**{name: tuple(folds) for name, folds in self.split["models"].items()}, FINAL: ()}

    @property
    def models_by_fold(self) -> dict[int, str]:
        """The model that holds out each fold."""
        return {fold: name for name, folds in self.models.items() for fold in folds}

    @property
    def holding_out(self) -> tuple[str, ...]:
        """The models that hold out a fold."""
        return tuple(dict.fromkeys(self.models_by_fold.values()))

    def fold_name(self, fold: int) -> str:
        """Return the name of a fold: the group that it holds out, if it is one, else the name that the split gave."""
        groups = set(self.folds.filter(pl.col("fold") == fold)["group"].to_list())
        if len(groups) == 1:
            return str(next(iter(groups)))
        return str(self.split["names"].get(str(fold), f"fold {fold}"))

    def write_clips(self, clips: Iterable[Clip]) -> None:
        """Write the clips."""
        write_clips(self.clips_file, clips, ["recording_id", "start_s", "label", "role"])

    def write_targets(self, annotations: Iterable[Annotation]) -> None:
        """Write the annotations that are targets, and their labels."""
        notes = AnnotationColumns.from_annotations(annotations)
        write_annotations(self.annotations_file, notes, ["recording_id", "start_s", "label"])
        write_json(self.labels_file, {"labels": list(notes.label_counts())})

    def write_known(self, known: Mapping[str, Sequence[tuple[float, float]]]) -> None:
        """Write the checked stretches, by recording id."""
        write_table(self.known_file, stretches_frame(known), list(STRETCH_SCHEMA))

    def write_unknown(self, unknown: Mapping[str, Sequence[str]]) -> None:
        """Write the labels whose presence is unknown, by recording id."""
        write_table(self.unknown_file, unknown_frame(unknown), list(UNKNOWN_SCHEMA))

    def write_folds(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write ``recording_id``, ``group`` and ``fold`` of the recordings that are evaluated as a whole."""
        write_table(self.folds_file, pl.DataFrame(rows, schema=FOLD_SCHEMA), ["recording_id"])

    def write_stats(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write counts and seconds of clips; every row has ``fold``, ``group`` and ``role``."""
        write_table(self.stats_file, pl.DataFrame(rows, infer_schema_length=None), ["fold", "group", "role"])

    def write_split(self, split: Mapping[str, Any]) -> None:
        """Write facts about the split; ``models`` maps names of run folders to held-out folds."""
        write_json(self.split_file, split)
