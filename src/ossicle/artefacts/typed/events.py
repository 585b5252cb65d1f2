"""Artefacts with events: those of the decision, and those of the whole detector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from ossicle.artefacts.files import read_json, whole_file, write_json
from ossicle.artefacts.records.event_tables import events_frame, events_of
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.decisions.decision import Decision
from ossicle.core.tracks import Event

EVENT_KEY = ("recording_id", "start_s", "end_s", "label")
_FINAL, _PER_FOLD, _NOTES = "final", "per_fold", "notes"

Events = Mapping[str, Sequence[Event]]
Decisions = Mapping[str, Decision]


@dataclass(frozen=True)
class EventsFolder(ArtefactFolder):
    """A folder with the events of all recordings: each under the decision of its fold, and under the final one."""

    @property
    def events_file(self) -> Path:
        """Events of each recording under the decision that was fitted on the other folds."""
        return self.path / "events.parquet"

    @property
    def events_in_sample_file(self) -> Path:
        """Events under the final decision, which was fitted on the same recordings."""
        return self.path / "events_in_sample.parquet"

    @cached_property
    def event_table(self) -> pl.DataFrame:
        """The rows of :attr:`events_file`."""
        return read_table(self.events_file)

    @cached_property
    def event_table_in_sample(self) -> pl.DataFrame:
        """The rows of :attr:`events_in_sample_file`."""
        return read_table(self.events_in_sample_file)

    def events(self, ids: tuple[str, ...]) -> EventColumns:
        """Return the events out of fold, by recording, for each of the recordings ``ids``."""
        return events_of(self.event_table, ids)

    def events_in_sample(self, ids: tuple[str, ...]) -> EventColumns:
        """Return the events under the final decision, by recording, for each of the recordings ``ids``."""
        return events_of(self.event_table_in_sample, ids)

    def write_events(self, events: Events, in_sample: Events) -> None:
        """Write the events out of fold, and those under the final decision."""
        write_event_table(self.events_file, events_frame(events))
        write_event_table(self.events_in_sample_file, events_frame(in_sample))


@dataclass(frozen=True)
class DecisionFolder(EventsFolder):
    """The artefact of the step ``decision``."""

    step: ClassVar[str] = "decision"

    @property
    def decisions_file(self) -> Path:
        """The decisions of every fold, the final ones, and notes."""
        return self.path / "decision.json"

    @property
    def threshold_curves_file(self) -> Path:
        """Precision, recall and F1 of each label over thresholds."""
        return self.path / "threshold_curves.json"

    @cached_property
    def written(self) -> dict[str, Any]:
        """Decisions and notes as plain values: ``per_fold``, ``final``, ``notes``."""
        content: dict[str, Any] = read_json(self.decisions_file)
        return content

    @property
    def decisions(self) -> dict[int | None, dict[str, Decision]]:
        """The decision of each label, by fold; under None the final ones."""
        decisions: dict[int | None, dict[str, Any]] = {
            int(fold): values_by_label for fold, values_by_label in self.written[_PER_FOLD].items()
        }
        decisions[None] = self.written[_FINAL]
        return {
            fold: {label: Decision(**values) for label, values in values_by_label.items()}
            for fold, values_by_label in decisions.items()
        }

    @property
    def notes(self) -> list[str]:
        """Notes from the fitting."""
        return list(self.written[_NOTES])

    @cached_property
    def threshold_curves(self) -> list[dict[str, Any]]:
        """A curve for each label; None where a figure is undefined."""
        return list(read_json(self.threshold_curves_file))

    def write_decisions(self, per_fold: Mapping[int, Decisions], final: Decisions, notes: list[str]) -> None:
        """Write the decision of each label for every fold, and the final ones."""
        written = {
            _PER_FOLD: {str(fold): _plain_decisions(decisions_of_fold) for fold, decisions_of_fold in per_fold.items()},
            _FINAL: _plain_decisions(final),
            _NOTES: notes,
        }
        write_json(self.decisions_file, written)

    def write_threshold_curves(self, curves: list[dict[str, Any]]) -> None:
        """Write a curve for each label."""
        write_json(self.threshold_curves_file, curves)


@dataclass(frozen=True)
class SecondStageFolder(EventsFolder):
    """The artefact of the step ``second_stage``: the events of the whole detector.

    The model and both tables of candidates exist only if a second stage was requested.
    """

    step: ClassVar[str] = "second_stage"

    @property
    def verdict_file(self) -> Path:
        """Kind, whether it was kept, and its gain."""
        return self.path / "second_stage.json"

    @property
    def model_file(self) -> Path:
        """The second stage itself (``ossicle.inference.second_stage.file``)."""
        return self.path / "second_stage.safetensors"

    @property
    def rescored_file(self) -> Path:
        """Events with the second stage, whether or not it was kept."""
        return self.path / "rescored.parquet"

    @property
    def first_stage_file(self) -> Path:
        """Events without the second stage."""
        return self.path / "first_stage.parquet"

    @cached_property
    def verdict(self) -> dict[str, Any]:
        """Kind, whether it was kept, and its gain."""
        content: dict[str, Any] = read_json(self.verdict_file)
        return content

    @property
    def kept(self) -> bool:
        """Whether the detector has a second stage."""
        return bool(self.verdict["kept"])

    def write_verdict(self, verdict: Mapping[str, Any]) -> None:
        """Write kind, whether it was kept, and its gain."""
        write_json(self.verdict_file, verdict)

    def write_model(self, data: bytes) -> None:
        """Write the second stage as bytes."""
        with whole_file(self.model_file) as part:
            part.write_bytes(data)

    def write_both(self, rescored: Events, first_stage: Events) -> None:
        """Write the events with and without the second stage."""
        write_event_table(self.rescored_file, events_frame(rescored))
        write_event_table(self.first_stage_file, events_frame(first_stage))


def write_event_table(file: Path, table: pl.DataFrame) -> None:
    """Write rows of events, sorted by recording, times and label."""
    write_table(file, table, list(EVENT_KEY))


def _plain_decisions(decisions: Decisions) -> dict[str, Any]:
    return {label: decision.to_plain() for label, decision in decisions.items()}
