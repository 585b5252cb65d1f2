"""Write predictions as tables in common annotation formats, each file whole or absent."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.artefacts.files import FileWriting, whole_file
from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import FORMATS, Format, WriteOptions
from ossicle.corpus.naming.table_names import table_places

Writer = Callable[[Path, EventTable, WriteOptions], None]


class PredictionTables:
    """The tables of one output folder: those of each recording when it is done, and at the end those of all recordings.

    ``names`` are all requested recordings, since recordings with equal stems are distinguished by their suffixes.
    ``high_hz`` is the upper end of boxes, in Hz, in formats that need one. ``writing`` gives each table a name to write
    to. Raises UsageError for a format that cannot hold events.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        formats: Sequence[str],
        high_hz: float,
        writing: FileWriting = whole_file,
    ) -> None:
        self._folder, self._options, self._writing = folder, WriteOptions(high_hz=high_hz), writing
        self._places = table_places(names)
        targets = [FORMATS[name] for name in formats]
        for target in targets:
            require_writer(target)
        self._of_each = [target for target in targets if target.shape != "table"]
        self._of_all = [target for target in targets if target.shape == "table"]

    def write(self, prediction: RecordingPrediction, *, keep: bool = False) -> list[Path]:
        """Write the tables of one recording and return them; with ``keep`` existing tables stay unchanged.

        A recording that was left out gets no tables, and earlier tables of it are removed.
        """
        written = []
        for target in self._of_each:
            audio_path = self._places[prediction.name]
            path = self._folder / audio_path.with_name(audio_path.name + target.ending)
            if prediction.status == "left_out":
                remove_file(path)
                continue
            if not (keep and path.is_file()):
                with self._writing(path) as part:
                    write_table_of(part, [prediction], target, self._options)
            written.append(path)
        return written

    def write_all(self, done: Sequence[RecordingPrediction]) -> list[Path]:
        """Write the tables that hold the events of all recordings, and return them."""
        written = []
        for target in self._of_all:
            path = self._folder / f"events{target.ending}"
            with self._writing(path) as part:
                write_table_of(part, done, target, self._options)
            written.append(path)
        return written


def write_table_of(
    path: Path, predictions: Sequence[RecordingPrediction], target: Format, options: WriteOptions
) -> None:
    """Write the events of recordings to one file, which also names recordings without events if its format can.

    A recording that was left out is not named: it was not examined.
    """
    read_predictions = [prediction for prediction in predictions if prediction.status != "left_out"]
    rows = tuple(row for prediction in read_predictions for row in prediction.rows)
    require_writer(target)(path, EventTable(rows, tuple(prediction.name for prediction in read_predictions)), options)


def require_writer(target: Format) -> Writer:
    """Return the function that writes events in a format; raises UsageError if there is none."""
    if target.write is None:
        raise UsageError(f"events cannot be written as {target.name}")
    return target.write
