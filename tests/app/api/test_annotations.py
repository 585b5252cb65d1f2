"""Annotations as values: read, held and written as `ossicle convert` does it."""

from pathlib import Path
from typing import Any

import pytest

from ossicle.app.api.annotations import Annotations, read_annotations, write_annotations
from ossicle.app.api.predictions.predictions import Predictions
from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.core.errors import FormatError, UsageError
from ossicle.core.records import Annotation
from ossicle.core.tracks import Event

CALLS = [
    Annotation("night/tape.wav", 5.0, 5.5, "call", low_hz=300.0, high_hz=900.0, quality=2, confidence=0.5),
    Annotation("night/tape.wav", 1.0, 1.5, "=song()"),
    Annotation("day.wav", 2.0, 2.5, "call"),
]


@pytest.mark.parametrize("format", ["csv", "parquet", "raven"])
def test_what_is_written_is_read(tmp_path: Path, format: str) -> None:
    annotations = Annotations(CALLS, recordings=["empty.wav"])
    written = write_annotations(annotations, tmp_path / "tables", format)
    assert all(path.is_file() for path in written.files)
    read = read_annotations(tmp_path / "tables")
    assert {recording.partition(".")[0] for recording in read.recordings} == {"day", "empty", "night/tape"}
    if format != "raven":
        assert (read, read.notes) == (annotations, ())
    else:
        assert [annotation.label for annotation in read.of(read.recordings[2])] == ["=song()", "call"]
    # Written again, files are replaced.
    assert write_annotations(annotations, tmp_path / "tables", format) == written


def test_cells_are_escaped_for_spreadsheets(tmp_path: Path) -> None:
    (path,) = write_annotations(CALLS, tmp_path / "events.csv").files
    assert "'=song()" in path.read_text()
    assert [annotation.label for annotation in read_annotations(path)] == ["call", "=song()", "call"]


def test_what_a_format_cannot_hold_is_said(tmp_path: Path) -> None:
    written = write_annotations(Annotations(CALLS, ["empty.wav"]), tmp_path, "kaleidoscope")
    assert any("recordings without events: 1 were skipped" in note for note in written.notes)
    assert any("low frequencies: 1 were dropped" in note for note in written.notes)


def test_predictions_are_written_too(tmp_path: Path) -> None:
    event = Event(1.0, 1.2, "call", 0.9)
    predictions = Predictions(
        (
            RecordingPrediction("a.wav", (event,), "ok", "", 60.0),
            RecordingPrediction("b.wav", (), "left_out", "is no audio", 0.0),
            RecordingPrediction("c.wav", (), "ok", "", 60.0),
        ),
        ("call",),
        8000.0,
    )
    write_annotations(predictions, tmp_path / "events.csv")
    read = read_annotations(tmp_path / "events.csv")
    assert (read.recordings, [annotation.confidence for annotation in read]) == (("a.wav", "c.wav"), [0.9])


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_annotations(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="'word' is not known"):
        read_annotations(tmp_path, "word")
    with pytest.raises(UsageError, match="is written as"):
        write_annotations(CALLS, tmp_path / "events.txt", "csv")
    with pytest.raises(UsageError, match="one recording each, but there are 2"):
        write_annotations(CALLS, tmp_path / "events.txt", "raven")
    with pytest.raises(UsageError, match="no annotations to write"):
        write_annotations([], tmp_path / "events.csv")
    (tmp_path / "bad.csv").write_text("file,start_time,end_time,label,low_f,high_f\na.wav,1,2,call,900,300\n")
    with pytest.raises(FormatError, match=r"bad\.csv, line 2: the low frequency 900 Hz is above the high 300 Hz"):
        read_annotations(tmp_path / "bad.csv")


def test_annotations_are_a_value() -> None:
    annotations = Annotations(reversed(CALLS), ["empty.wav"])
    assert annotations == Annotations(CALLS, ["empty.wav", "day.wav"])
    assert hash(annotations) == hash(Annotations(CALLS, ["empty.wav"]))
    assert annotations != Annotations(CALLS)
    assert [annotation.start_s for annotation in annotations] == [2.0, 1.0, 5.0]
    assert annotations[0] == annotations[:2][0] == CALLS[2]
    assert annotations.to_polars().shape == (3, 8)
    assert repr(annotations) == "Annotations(3 of 3 recordings, labels=('=song()', 'call'))"
    with pytest.raises(KeyError):
        annotations.of("unheard.wav")


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        (None, "are not a list of ossicle.Annotation"),
        ("table.csv", "read files with ossicle.read_annotations"),
        (Path("table.csv"), "read files with ossicle.read_annotations"),
        ([("a.wav", 1, 2, "call")], "annotations\\[0\\] = .* is not an ossicle.Annotation"),
        ([Annotation("a.wav", 1.0, 2.0, "call"), None], "annotations\\[1\\] = None"),
    ],
)
def test_what_is_no_annotation_is_refused(tmp_path: Path, annotations: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Annotations(annotations)
    with pytest.raises(ValueError, match=words):
        write_annotations(annotations, tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("recordings", "words"), [("a.wav", "is one text"), (["a.wav", None], "recordings\\[1\\] = None")]
)
def test_recordings_are_names(recordings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Annotations([], recordings)


@pytest.mark.parametrize("high_hz", [-1.0, float("nan"), "8000"])
def test_boxes_end_at_a_frequency(tmp_path: Path, high_hz: Any) -> None:
    with pytest.raises(ValueError, match="high_hz = "):
        write_annotations([Annotation("a.wav", 1.0, 2.0, "call")], tmp_path, "raven", high_hz=high_hz)
