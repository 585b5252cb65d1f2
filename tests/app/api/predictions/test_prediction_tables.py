"""Tables of predictions tell recordings in which nothing was found from those that were not examined."""

from pathlib import Path

import pytest

from ossicle.app.api.annotations import read_annotations
from ossicle.app.api.predictions.prediction_tables import PredictionTables
from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.core.tracks import Event

DONE = [
    RecordingPrediction("calls.wav", (Event(1.0, 1.5, "call", 0.9),), "ok", "", 60.0),
    RecordingPrediction("cut.wav", (), "partial", "ends at 5 s", 5.0),
    RecordingPrediction("damaged.wav", (), "left_out", "is no audio", 0.0),
    RecordingPrediction("quiet.wav", (), "ok", "", 60.0),
]


@pytest.mark.parametrize("format_name", ["csv", "parquet", "dcase", "raven", "audacity"])
def test_recordings_without_events_are_named_and_skipped_ones_are_not(tmp_path: Path, format_name: str) -> None:
    tables = PredictionTables(tmp_path, [prediction.name for prediction in DONE], (format_name,), 8000.0)
    for prediction in DONE:
        tables.write(prediction)
    tables.write_all(DONE)
    read = read_annotations(tmp_path)
    assert [name.removesuffix(".wav") for name in read.recordings] == ["calls", "cut", "quiet"]
    assert [annotation.label for annotation in read] == ["call"]


def test_the_csv_of_no_events_at_all_still_names_the_recordings(tmp_path: Path) -> None:
    PredictionTables(tmp_path, ["quiet.wav"], ("csv",), 8000.0).write_all(DONE[3:])
    assert (tmp_path / "events.csv").read_text().splitlines() == [
        "file,start_time,end_time,label,score",
        "quiet.wav,,,,",
    ]
