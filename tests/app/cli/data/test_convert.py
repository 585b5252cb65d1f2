"""``ossicle convert``: what goes in comes out, what cannot is said, what is wrong is refused before writing."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from ossicle.app.cli.main import app
from ossicle.core.errors import FormatError, OssicleError, UsageError
from ossicle.corpus.formats.audacity import write_audacity
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_csv import read_events, write_events
from ossicle.corpus.formats.raven import read_raven, write_raven
from ossicle.corpus.formats.reading.event_folders import read_event_sets
from ossicle.corpus.formats.registry import EVENT_FORMATS
from ossicle.corpus.formats.window_tables.score_tables import read_opensoundscape

ROWS = (
    RawSelection(0.5, 1.25, "wren", 1000.0, 4000.0, 3, 0.5, "a/x.wav", 2),
    RawSelection(2.75, 3.5, "=ünï call", begin_path="a/x.wav"),
    RawSelection(1.0, 7.5, "wren", 500.0, 2500.5, begin_path="y.wav"),
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def refused(kind: type[OssicleError], *arguments: object) -> str:
    done = run(*arguments)
    assert isinstance(done.exception, kind), done.exception
    assert done.exception.exit_code == 2
    return str(done.exception)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    write_events(path, ROWS, files=["a/x.wav", "y.wav", "z.wav"])
    return path


@pytest.mark.parametrize("name", EVENT_FORMATS)
def test_times_labels_and_files_survive_every_format(events: Path, tmp_path: Path, name: str) -> None:
    there = run(events, "-o", tmp_path / "there", "--to", name)
    assert there.exit_code == (3 if name == "kaleidoscope" else 0), there.output
    back = run(tmp_path / "there", "-o", tmp_path / "back.csv", "--to", "csv", "--json")
    assert back.exit_code == 0, back.output
    expected = [(row.begin_path.removesuffix(".wav"), row.start_s, row.end_s, row.label) for row in ROWS]
    event_table = read_events(tmp_path / "back.csv")
    assert [
        (row.begin_path.removesuffix(".wav"), row.start_s, row.end_s, row.label) for row in event_table.rows
    ] == expected
    empty = {"z"} if name != "kaleidoscope" else set()
    assert {file.removesuffix(".wav") for file in event_table.files} == {"a/x", "y"} | empty


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_tables_of_ours_hold_everything(events: Path, tmp_path: Path, name: str) -> None:
    done = run(events, "-o", tmp_path / "there", "--to", name)
    assert "cannot hold" not in done.output
    assert read_events(tmp_path / "there" / f"events.{name}").rows == ROWS


def test_what_a_format_cannot_hold_is_said_with_counts(events: Path, tmp_path: Path) -> None:
    done = run(events, "-o", tmp_path / "x.tsv", "--to", "dcase")
    for words in (
        "cannot hold low frequencies: 2",
        "cannot hold high frequencies: 2",
        "cannot hold qualities: 1",
        "cannot hold scores: 1",
        "cannot hold channels: 1",
    ):
        assert words in done.output
    done = run(events, "-o", tmp_path / "k.csv", "--to", "kaleidoscope")
    assert done.exit_code == 3
    assert "cannot hold recordings without events: 1 were skipped" in done.output
    done = run(events, "-o", tmp_path / "raven", "--to", "raven", "--high-hz", 9000)
    assert "1 rows without them got 0 to 9000 Hz" in done.output
    assert read_raven(tmp_path / "raven" / "a" / "x.Table.1.selections.txt")[1].high_hz == 9000.0
    assert read_raven(tmp_path / "raven" / "z.Table.1.selections.txt") == []


def test_columns_and_doubled_rows_are_counted(tmp_path: Path) -> None:
    header = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\tNotes\n"
    rows = "1\tWaveform 1\t1\t0\t1\t0\t9\twren\tfar\n1\tSpectrogram 1\t1\t0\t1\t0\t9\twren\tfar\n"
    (tmp_path / "tape.selections.txt").write_text(header + rows)
    done = run(tmp_path / "tape.selections.txt", "-o", tmp_path / "x.csv", "--to", "csv")
    assert "the column 'Notes' does not fit into an event: 2 cells were dropped" in done.output
    assert "1 rows repeat a selection" in done.output
    assert [row.begin_path for row in read_events(tmp_path / "x.csv").rows] == ["tape"]


def test_two_formats_of_one_prediction_are_one_and_the_richer_counts(tmp_path: Path) -> None:
    write_audacity(tmp_path / "both" / "x.txt", [ROWS[2]])
    write_raven(tmp_path / "both" / "x.Table.1.selections.txt", [ROWS[2]], audio_name="x.wav")
    (tmp_path / "both" / "readme.txt").write_text("how they were made\n")
    done = run(tmp_path / "both", "-o", tmp_path / "x.csv", "--to", "csv")
    assert done.exit_code == 0
    assert "readme.txt: is text of another kind and was not read" in done.output
    rows = read_events(tmp_path / "x.csv").rows
    assert [(row.begin_path, row.low_hz, row.channel) for row in rows] == [("x.wav", 500.0, 1)]


def test_what_looks_like_annotations_and_is_not_read_makes_the_result_incomplete(events: Path, tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("1,2,wren\n3,4,wren\n")
    done = run(tmp_path, "-o", tmp_path / "out.csv", "--to", "csv")
    assert done.exit_code == 3
    assert "y.csv: looks like annotations but was not read: it has no headings" in done.output
    assert read_events(tmp_path / "out.csv").rows == ROWS


def test_recordings_give_names_and_durations(events: Path, tmp_path: Path) -> None:
    for name, seconds in (("deep/a/x.flac", 4), ("y.wav", 8)):
        (tmp_path / "audio" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "audio" / name, np.zeros(seconds * 1000), 1000)
    out = tmp_path / "w.csv"
    message = refused(UsageError, events, "-o", out, "--to", "opensoundscape", "--audio", tmp_path / "audio")
    assert "the duration of 'z.wav' is not known" in message
    soundfile.write(tmp_path / "audio" / "z.wav", np.zeros(1000), 1000)
    options = ("--audio", tmp_path / "audio", "--durations-out", tmp_path / "durations.tsv")
    done = run(events, "-o", out, "--to", "opensoundscape", *options)
    assert done.exit_code == 0, done.output
    table = read_opensoundscape(out)
    assert {file: windows.values.sum() for file, windows in table.files.items()} == {
        "deep/a/x.flac": 3,
        "y.wav": 3,
        "z.wav": 0,
    }
    options = ("--durations", tmp_path / "durations.tsv", "--step-s", 1.5)
    again = run(events, "-o", tmp_path / "v.csv", "--to", "opensoundscape", *options)
    assert "the duration of 'a/x.wav'" in str(again.exception)


def test_scores_stay_scores_until_a_threshold_makes_events(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("file,start_time,end_time,wren,robin\nx.wav,0,3,0.9,0.1\nx.wav,3,6,0.6,0.7\n")
    assert "its values are scores" in refused(FormatError, scores, "-o", tmp_path / "e.csv", "--to", "csv")
    done = run(scores, "-o", tmp_path / "e.csv", "--to", "csv", "--threshold", 0.5)
    assert done.exit_code == 0
    assert [(r.label, r.start_s, r.end_s, r.confidence) for r in read_events(tmp_path / "e.csv").rows] == [
        ("wren", 0.0, 6.0, 0.9),
        ("robin", 3.0, 6.0, 0.7),
    ]
    assert run(scores, "-o", tmp_path / "dcase", "--to", "dcase-scores").exit_code == 0
    back = run(tmp_path / "dcase", "-o", tmp_path / "back.csv", "--to", "opensoundscape")
    assert back.exit_code == 0
    assert read_opensoundscape(tmp_path / "back.csv").files["x"].values.tolist() == [[0.9, 0.1], [0.6, 0.7]]


def test_one_event_is_not_counted_in_the_plural(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1.0\t2.0\tcall\n")
    done = run(tmp_path / "a.txt", "-o", tmp_path / "a.csv", "--to", "csv")
    assert done.output.startswith("1 event of 1 recording: ")


def test_class_folders_and_names(tmp_path: Path) -> None:
    for name in ("dog/a-on.wav", "noise/b-off.wav"):
        (tmp_path / "audio" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "audio" / name, np.zeros(500), 1000)
    assert run(tmp_path / "audio", "-o", tmp_path / "f.tsv", "--from", "folders", "--to", "dcase").exit_code == 0
    assert {key: len(rows) for key, rows in read_event_sets(tmp_path / "f.tsv").items()} == {
        "dog/a-on": 1,
        "noise/b-off": 0,
    }
    options = ("--from", "names", "--template", "{x}-{state:on|off}", "--label-field", "state=on")
    assert run(tmp_path / "audio", "-o", tmp_path / "n.csv", "--to", "csv", *options).exit_code == 0
    assert [row.label for row in read_events(tmp_path / "n.csv").rows] == ["state"]


def test_what_is_wrong_is_refused_before_anything_is_written(events: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "one.csv").write_text("file,start_time,end_time,label\na,2,1,x\n")
    (bad / "two.txt").write_text("0\t1\tx\n2\tlate\tx\n")
    message = refused(FormatError, bad, "-o", tmp_path / "out", "--to", "csv")
    assert "one.csv, line 2" in message
    assert "two.txt, line 2" in message
    (tmp_path / "diary.txt").write_text("dear diary\n")
    wrong: list[tuple[type[OssicleError], tuple[object, ...], str]] = [
        (UsageError, (tmp_path / "gone", "--to", "csv"), "does not exist"),
        (UsageError, (events, "--to", "xml"), "'xml' is not known; choose from raven, csv"),
        (UsageError, (events, "--to", "birdnet"), "cannot be written"),
        (UsageError, (events, "--to", "csv", "--from", "names"), "no label field is given"),
        (UsageError, (events, "--to", "csv", "--threshold", "nan"), "--threshold nan: is not a finite number"),
        (UsageError, (tmp_path / "diary.txt", "--to", "csv"), "if it holds some, name their format"),
        (FormatError, (events, "--to", "csv", "--from", "raven"), "events.csv, line 1"),
    ]
    for kind, arguments, words in wrong:
        assert words in refused(kind, *arguments, "-o", tmp_path / "out")
    assert "give a folder" in refused(UsageError, events, "--to", "raven", "-o", tmp_path / "x.txt")
    assert "is written as .tsv" in refused(UsageError, events, "--to", "dcase", "-o", tmp_path / "x.csv")
    assert "already exists" in refused(UsageError, events, "--to", "csv", "-o", events)
    assert not (tmp_path / "out").exists()
    assert read_events(events).rows == ROWS


def test_a_table_that_says_what_to_do_needs_no_name_of_its_format(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("file,start (min),end (min),label\na.wav,1,2,hum\n")
    message = refused(UsageError, tmp_path, "-o", tmp_path / "out", "--to", "csv")
    assert message.endswith("convert its times, and call the columns start_time and end_time")


@pytest.mark.parametrize("target", ["raven", "audacity", "csv", "dcase", "kaleidoscope"])
def test_what_a_terminal_obeys_is_written_in_no_format(tmp_path: Path, target: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text("file,start,end,label\na.wav,1,2,h\x1b[31mum\n")
    message = refused(FormatError, tmp_path / "in", "-o", tmp_path / "out", "--to", target)
    assert "contains U+001B, which no table may hold; rename it" in message
    assert not [path for path in tmp_path.glob("out/**/*") if path.is_file()]


def test_files_that_contradict_each_other_are_refused(events: Path, tmp_path: Path) -> None:
    write_audacity(tmp_path / "y.txt", [ROWS[0]])
    assert "contradict each other for y" in refused(FormatError, tmp_path, "-o", tmp_path / "out", "--to", "csv")
