from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.audacity import write_audacity
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_csv import write_events
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.formats.reading.event_folders import read_event_folder, read_event_sets
from ossicle.corpus.formats.reading.shared_names import pair_names
from ossicle.corpus.naming.table_names import recording_name

CALL = RawSelection(1.0, 2.0, "hum")
OTHER = RawSelection(3.0, 3.5, "trill")


def named(row: RawSelection, path: str) -> RawSelection:
    return replace(row, begin_path=path)


def test_formats_of_one_prediction_are_one_set(tmp_path: Path) -> None:
    write_raven(tmp_path / "a" / "tape 1.2.Table.1.selections.txt", [CALL, OTHER])
    write_events(tmp_path / "events.csv", [named(CALL, "a/tape 1.2.wav"), named(OTHER, "a/tape 1.2.wav")])
    event_sets = read_event_sets(tmp_path)
    assert list(event_sets) == ["a/tape 1.2"]
    assert [row.label for row in event_sets["a/tape 1.2"]] == ["hum", "trill"]


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    write_raven(tmp_path / "tape.Table.1.selections.txt", [CALL])
    for row in (replace(CALL, start_s=1.5), replace(CALL, label="trill")):
        write_events(tmp_path / "events.csv", [named(row, "tape.wav")])
        with pytest.raises(FormatError, match=r"tape\.Table.*events\.csv|events\.csv.*tape\.Table"):
            read_event_sets(tmp_path)


@pytest.mark.parametrize("folder", ["", "site/"])
def test_two_outputs_that_state_one_path_are_one_recording(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "a.BirdNET.results.csv").write_text(
        "Start (s),End (s),Scientific name,Common name,Confidence,File\n0.0,3.0,T m,Blackbird,0.8,/d/site/a.wav\n"
    )
    (tmp_path / folder / "a.BirdNET.selection.table.txt").write_text(
        "Selection\tBegin Time (s)\tEnd Time (s)\tCommon Name\tSpecies Code\tConfidence\tBegin Path\tFile Offset (s)\n"
        "1\t0\t3.0\tBlackbird\teurbla\t0.8\t/d/site/a.wav\t0\n"
    )
    event_sets = read_event_sets(tmp_path)
    assert {key: len(rows) for key, rows in event_sets.items()} == {f"{folder}a": 1}


def test_a_path_and_its_end_are_named_where_they_may_be_one_recording(tmp_path: Path) -> None:
    write_audacity(tmp_path / "a.txt", [CALL])
    write_audacity(tmp_path / "s1" / "b.txt", [CALL])
    write_audacity(tmp_path / "c.txt", [CALL])
    paths = ["/d/a.wav", "D:/x/s1/b.wav", "/d/s1/c.wav", "/d/s2/c.wav", "/d/other.wav"]
    write_events(tmp_path / "events.csv", [named(CALL, path) for path in paths])
    (note,) = read_event_folder(tmp_path).notes
    assert (note.kind, note.where) == ("perhaps_same", "a.txt")
    assert "'a' and '/d/a' of events.csv, and 1 more pairs, may be one recording" in note.message


def test_a_path_that_two_tables_are_named_after_stays_as_it_is(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        write_raven(tmp_path / folder / "a.Table.1.selections.txt", [CALL], audio_name="a.wav")
    write_events(tmp_path / "events.csv", [named(OTHER, "a.wav")])
    assert {key: len(rows) for key, rows in read_event_sets(tmp_path).items()} == {"a": 1, "x/a": 1, "y/a": 1}


def test_recordings_that_differ_by_suffix_stay_apart(tmp_path: Path) -> None:
    write_raven(tmp_path / "same.wav.Table.1.selections.txt", [CALL])
    write_raven(tmp_path / "same.flac.Table.1.selections.txt", [OTHER])
    write_events(tmp_path / "events.csv", [named(CALL, "same.wav"), named(OTHER, "same.flac")])
    event_sets = read_event_sets(tmp_path)
    assert {key: [row.label for row in rows] for key, rows in event_sets.items()} == {
        "same.wav": ["hum"],
        "same.flac": ["trill"],
    }


def test_equal_names_in_two_folders_are_paired_by_path(tmp_path: Path) -> None:
    for side in ("reference", "predicted"):
        write_raven(tmp_path / side / "a" / "one.Table.1.selections.txt", [CALL])
        write_audacity(tmp_path / side / "b" / "one.txt", [OTHER])
    one, other = pair_names(read_event_sets(tmp_path / "reference"), read_event_sets(tmp_path / "predicted"))
    assert list(one) == list(other) == ["a/one", "b/one"]


def test_names_are_cut_where_nothing_is_lost(tmp_path: Path) -> None:
    write_raven(tmp_path / "reference" / "site" / "one.Table.1.selections.txt", [CALL])
    write_raven(tmp_path / "predicted" / "one.Table.1.selections.txt", [CALL])
    one, other = pair_names(read_event_sets(tmp_path / "reference"), read_event_sets(tmp_path / "predicted"))
    assert list(one) == list(other) == ["one"]


def test_empty_tables_are_recordings_without_events(tmp_path: Path) -> None:
    write_raven(tmp_path / "header.Table.1.selections.txt", [])
    (tmp_path / "nothing.txt").write_text("")
    (tmp_path / "events.csv").write_text("file,start_time,end_time,label\r\nquiet.wav,,,\r\n")
    assert read_event_sets(tmp_path) == {"header": [], "nothing": [], "quiet": []}


def test_one_file_will_do(tmp_path: Path) -> None:
    write_raven(tmp_path / "x.selections.txt", [CALL])
    assert list(read_event_sets(tmp_path / "x.selections.txt")) == ["x"]


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_event_sets(tmp_path / "gone")
    with pytest.raises(UsageError, match="contains no annotation files"):
        read_event_sets(tmp_path)
    (tmp_path / "notes.txt").write_text("dear diary\n")
    with pytest.raises(UsageError, match=r"contains no annotation files; notes\.txt is text of another kind"):
        read_event_sets(tmp_path)


@pytest.mark.parametrize(
    ("table", "recording"),
    [
        ("tape.txt", "tape"),
        ("tape.Table.2.selections.txt", "tape"),
        ("tape.selections.txt", "tape"),
        ("deep/night.23_tape.Table.1.selections.txt", "deep/night.23_tape"),
    ],
)
def test_the_recording_of_a_table(table: str, recording: str) -> None:
    assert recording_name(table) == recording
