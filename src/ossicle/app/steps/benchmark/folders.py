"""Write one folder for each model, window, step and decision: settings, events in several formats, index, metrics."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ossicle.artefacts.files import write_json
from ossicle.artefacts.tables import write_csv, write_table
from ossicle.artefacts.typed.benchmark import DecisionEventsFolder
from ossicle.core.records import Recording
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import FORMATS, WriteOptions
from ossicle.corpus.naming.table_names import table_places
from ossicle.inference.decisions.grid import LabelEvents

_INDEX_SCHEMA = {
    "recording_id": pl.String,
    "recording": pl.String,
    "tape": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "score": pl.Float64,
    "matched": pl.Boolean,
    "raven": pl.String,
}
_OF_EACH = ("raven", "audacity")


def decision_folder(key: Mapping[str, Any], several: bool) -> str:
    """Return the folder name of a decision; ``several`` means that decisions differ in more than their threshold.

    >>> decision_folder({"threshold": 0.9, "decision": "grid"}, False)
    't0.9'
    """
    layer = "" if key.get("layer", "first") == "first" else f"{key['layer']}_"
    if key["decision"] != "grid":
        return f"{layer}{key['decision']}"
    name = f"{layer}t{key['threshold']:g}"
    if several:
        name += f"_{key['smoothing']}{key['smoothing_s']:.6g}_off{key['off_ratio']:g}"
        name += f"_len{key['min_length_s']:g}_gap{key['min_gap_s']:g}"
    return name


def decision_file_patterns() -> list[str]:
    """Return patterns of the files in the folder of a decision, as for ``artefacts.filesystem.replacing``."""
    folder = DecisionEventsFolder(Path())
    files = (folder.settings_file, folder.index_file, folder.events_file, folder.metrics_file)
    return [*(file.name for file in files), *(f"{kind}/**/*{FORMATS[kind].ending}" for kind in _OF_EACH)]


class EventFolders:
    """Writes the events of decisions below one folder; ``recordings`` and ``tapes`` are in the order of the sweep."""

    def __init__(
        self, folder: Path, recordings: Sequence[Recording], tapes: Sequence[str], labels: Sequence[str], high_hz: float
    ) -> None:
        self._folder, self._recordings, self._tapes, self._labels = folder, recordings, tapes, labels
        self._options = WriteOptions(high_hz=high_hz)
        self._places = table_places(recording.path for recording in recordings)

    def write(self, name: str, events_of_labels: Sequence[LabelEvents], settings: Mapping[str, Any]) -> None:
        """Write the folder ``name`` of one decision; its index says whether the first criterion matched each event."""
        folder = DecisionEventsFolder(self._folder / name)
        rows = self._rows(events_of_labels)
        write_json(folder.settings_file, settings)
        schema = _INDEX_SCHEMA
        write_table(folder.index_file, pl.DataFrame(rows, schema=schema), ["recording", "start_s", "end_s", "label"])
        by_recording: dict[str, list[RawSelection]] = {recording.path: [] for recording in self._recordings}
        for row in rows:
            by_recording[row["recording"]].append(
                RawSelection(
                    row["start_s"], row["end_s"], row["label"], confidence=row["score"], begin_path=row["recording"]
                )
            )
        for kind in _OF_EACH:
            target = FORMATS[kind]
            for path, events in by_recording.items():
                audio_path = self._places[path]
                file = folder.path / kind / audio_path.with_name(audio_path.name + target.ending)
                if target.write is not None:
                    target.write(file, EventTable(tuple(events), (path,)), self._options)
        table = FORMATS["csv"]
        if table.write is not None:
            everything = tuple(event for events in by_recording.values() for event in events)
            table.write(folder.events_file, EventTable(everything, tuple(by_recording)), self._options)

    def write_metrics(self, name: str, rows: pl.DataFrame) -> None:
        """Write the figures of one decision next to its events."""
        write_csv(DecisionEventsFolder(self._folder / name).metrics_file, rows)

    def _rows(self, events_of_labels: Sequence[LabelEvents]) -> list[dict[str, Any]]:
        rows = []
        for label, label_events in zip(self._labels, events_of_labels, strict=True):
            matched = np.zeros(len(label_events.times), dtype=np.bool_)
            matched[label_events.pairs[0][:, 1]] = True
            columns = (
                label_events.recording.tolist(),
                label_events.times.tolist(),
                label_events.scores.tolist(),
                matched.tolist(),
            )
            for recording_index, (start_s, end_s), score, is_matched in zip(*columns, strict=True):
                recording = self._recordings[recording_index]
                raven = self._places[recording.path]
                rows.append(
                    {
                        "recording_id": recording.id,
                        "recording": recording.path,
                        "tape": self._tapes[recording_index],
                        "start_s": round(start_s, 6),
                        "end_s": round(end_s, 6),
                        "label": label,
                        "score": round(score, 6),
                        "matched": is_matched,
                        "raven": str("raven" / raven.with_name(raven.name + FORMATS["raven"].ending)),
                    }
                )
        return sorted(rows, key=lambda row: (row["recording"], row["start_s"], row["end_s"], row["label"]))
