"""Files of other programs: those with annotations are warnings, the rest is only listed."""

import os
from pathlib import Path

import pytest

from ossicle.corpus.formats.reading.foreign_files import FOREIGN, foreign_files


def test_midi_files_of_drums_are_a_warning_with_what_reads_them(tmp_path: Path) -> None:
    (note,) = foreign_files(tmp_path, ["a.mid", "b.mid"])
    assert note.kind == "table_not_read"
    assert "(MIDI file) were not read" in note.message
    assert "for drums write a manifest" in note.message


def test_files_of_other_programs_are_named_as_what_they_are(tmp_path: Path) -> None:
    notes = foreign_files(
        tmp_path, ["a/x.TextGrid", "a/y.TextGrid", "b.eaf", "c.xlsx", "c.rttm", "d.json", "predictions.json"]
    )
    assert [(note.kind, note.where) for note in notes] == [
        ("table_not_read", "a/x.TextGrid"),
        ("table_not_read", "b.eaf"),
        ("table_not_read", "c.xlsx"),
        ("table_not_read", "c.rttm"),
        ("not_annotations", "d.json"),
    ]
    for note, words in zip(
        notes, ("1 more of its kind (TextGrid of Praat)", "ELAN", "Excel", "start and duration", "JSON"), strict=True
    ):
        assert words in note.message
        assert "not read; " in note.message
    assert all(foreign_files(tmp_path, [f"x{suffix}"]) for suffix in FOREIGN)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nhum\n"),
        ("a.VTT", "WEBVTT\n\n00:01.000 --> 00:02.000\nhum\n"),
        ("a.numbers", "PK"),
        ("a.wav.not.mat", "MATLAB 5.0 MAT-file"),
        ("a.wav.json", '{"annotation":[{"class":"hum","start_time":1.0,"end_time":2.0}]}'),
        ("a.jsonl", '{"onset": 1, "offset": 2}\n'),
        ("a.json", '[{"startTime": 1, "duration_s": 2}]'),
        ("a.xml", "<calls><call begin='1' end='2'/></calls>"),
        ("b.xml", "<calls><call><start>1</start><end>2</end></call></calls>"),
        ("a.yaml", "calls:\n- label: hum\n  start: 1\n  end: 2\n"),
    ],
)
def test_annotations_of_any_program_are_a_warning(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (note,) = foreign_files(tmp_path, [name])
    assert (note.kind, note.where) == ("table_not_read", name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.json", '{"threshold": 0.5, "starts": 3, "label": "hum"}'),
        ("settings.yaml", "model: start\nbackend: end\n"),
        ("a.mat", "MATLAB 5.0 MAT-file"),
        ("a.sqlite", "SQLite format 3"),
        ("a.h5", ""),
        ("a.npz", ""),
        ("a.json", ""),
    ],
)
def test_what_may_hold_anything_is_listed(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (note,) = foreign_files(tmp_path, [name])
    assert (note.kind, note.where) == ("not_annotations", name)


def test_a_pipe_in_place_of_json_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    assert [note.kind for note in foreign_files(tmp_path, ["a.json", "gone.json"])] == ["not_annotations"]
