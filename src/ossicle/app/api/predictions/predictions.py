"""What a bundle found in recordings: a sequence of predictions, and tables of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import polars as pl

from ossicle.app.api.predictions.prediction_tables import PredictionTables, write_table_of
from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.filesystem.links import settled_above
from ossicle.core.errors import UsageError
from ossicle.core.tracks import Event
from ossicle.core.value_checks import given_path
from ossicle.corpus.formats.registry import WriteOptions, format_named
from ossicle.corpus.formats.writing.conversion import names_a_file
from ossicle.inference.batch import PathLike

_SCHEMA = {
    "recording": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "score": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Predictions(Sequence[RecordingPrediction]):
    """What a bundle found in recordings, in the order of their names.

    A sequence of ``RecordingPrediction``; ``predictions["tape.wav"]`` gives that of a recording by name.

    Parameters
    ----------
    recordings
        The prediction of each recording.
    labels
        The labels that the bundle knows.
    high_hz
        Upper end in Hz of the boxes in formats that need one (Raven).

    Examples
    --------
    >>> event = Event(1.0, 1.2, "call", 0.9)
    >>> found = Predictions((RecordingPrediction("tape.wav", (event,), "ok", "", 60.0),), ("call",), 8000.0)
    >>> found["tape.wav"].events == (event,), len(found), found.skipped
    (True, 1, ())
    >>> found.to_polars().rows()
    [('tape.wav', 1.0, 1.2, 'call', 0.9)]
    """

    recordings: tuple[RecordingPrediction, ...]
    labels: tuple[str, ...]
    high_hz: float

    @overload
    def __getitem__(self, key: int | str) -> RecordingPrediction: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[RecordingPrediction, ...]: ...

    def __getitem__(self, key: int | str | slice) -> RecordingPrediction | tuple[RecordingPrediction, ...]:
        """Return the prediction at an index or of a recording by name; raises KeyError for an unknown name."""
        if not isinstance(key, str):
            return self.recordings[key]
        for recording in self.recordings:
            if recording.name == key:
                return recording
        raise KeyError(key)

    def __len__(self) -> int:
        """Return the number of recordings, those that were left out included."""
        return len(self.recordings)

    def __iter__(self) -> Iterator[RecordingPrediction]:
        return iter(self.recordings)

    @property
    def events(self) -> Mapping[str, tuple[Event, ...]]:
        """The events of each recording that was read, by its name; sorted by start, end and label."""
        return {recording.name: recording.events for recording in self.recordings if recording.status != "left_out"}

    @property
    def skipped(self) -> tuple[RecordingPrediction, ...]:
        """The recordings that could not be read, each with its ``reason``."""
        return tuple(recording for recording in self.recordings if recording.status == "left_out")

    @property
    def partial(self) -> tuple[RecordingPrediction, ...]:
        """The recordings that end early, each with its ``reason``; their events up to there are kept."""
        return tuple(recording for recording in self.recordings if recording.status == "partial")

    def to_polars(self) -> pl.DataFrame:
        """Return all events as a table.

        Returns
        -------
        One row an event: ``recording``, ``start_s`` and ``end_s`` (seconds), ``label``, ``score`` (0 to 1). Text is as
        it is in the files; :meth:`write` escapes it for spreadsheets.
        """
        rows = [
            (recording.name, event.start_s, event.end_s, event.label, event.score)
            for recording in self.recordings
            for event in recording.events
        ]
        return pl.DataFrame(rows, schema=_SCHEMA, orient="row")

    def write(self, path: PathLike, format: str = "csv") -> tuple[Path, ...]:
        """Write the events in an annotation format, as ``ossicle predict`` does; files that are there are replaced.

        Parameters
        ----------
        path
            A file, if its suffix is that of the format and one file is enough; else a folder, made if it is not
            there. In a folder, formats with one file a recording name it after the recording; others write
            ``events`` with their suffix.
        format
            ``raven``, ``audacity``, ``csv``, ``parquet``, ``dcase`` or ``kaleidoscope``.

        Returns
        -------
        The files written. Recordings that were left out have none.

        Raises
        ------
        UsageError
            The format is not known or holds no events, or the path has the suffix of another format.
        ValueError
            ``path`` is not a path, or empty.
        """
        target, target_path = format_named(format, writing=True), settled_above(given_path("path", path), PROJECT_FILE)
        if not names_a_file(target_path, target):
            make_folder(target_path)
            tables = PredictionTables(
                target_path, [recording.name for recording in self.recordings], (target.name,), self.high_hz
            )
            return (
                *(path for recording in self.recordings for path in tables.write(recording)),
                *tables.write_all(self.recordings),
            )
        read = [recording for recording in self.recordings if recording.status != "left_out"]
        if target.shape != "table" and len(read) != 1:
            raise UsageError(
                f"{target_path}: {target.title} hold one recording each, but there are {len(read)}: give a folder"
            )
        make_folder(target_path.parent)
        write_table_of(target_path, read, target, WriteOptions(high_hz=self.high_hz))
        return (target_path,)

    def to_csv(self, path: PathLike) -> tuple[Path, ...]:
        """Write the events as CSV.

        Parameters
        ----------
        path
            A file with the suffix ``.csv``, or a folder that gets ``events.csv``.

        Returns
        -------
        The files written.

        Raises
        ------
        UsageError
            The path has the suffix of another format.
        """
        return self.write(path, "csv")

    def to_raven(self, path: PathLike) -> tuple[Path, ...]:
        """Write a Raven selection table for each recording.

        A recording without events gets a table of the header line only.

        Parameters
        ----------
        path
            A folder; for one recording also a file with the suffix ``.txt``.

        Returns
        -------
        The files written. Recordings that were left out have none.

        Raises
        ------
        UsageError
            The path is a file, but there are several recordings, or it has the suffix of another format.
        """
        return self.write(path, "raven")
