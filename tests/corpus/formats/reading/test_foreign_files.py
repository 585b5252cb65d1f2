"""Files of other programs: those with annotations are warnings, the rest is only listed."""

import os
from pathlib import Path

import pytest

from ossicle.corpus.formats.reading.folder_reader import read_sources
from ossicle.corpus.formats.reading.foreign_files import FOREIGN, foreign_files
from ossicle.corpus.formats.reading.times_in_text import holds_times
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.review.selection import Look, Row
from ossicle.corpus.review.tables import Export, Sheet, write_export


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
        ("b.yaml", "start: 1\nend: 2\nlabel: hum\n"),
        ("c.yaml", "calls:\n- tags:\n  - faint\n  start: 1\n  end: 2\n"),
        ("d.yaml", "onsets_s:\n- 1.5\n- 3\noffsets_s:\n- 2\n- 4\n"),
        ("e.yaml", "- {start: 1, end: 2}\n"),
        ("f.yml", "one:\n  start: 1\n  end: 2\ntwo:\n  start: 3\n  end: 4\n"),
        ("b.json", '[{"start_time_s": 1, "end_time_s": 2}]'),
        ("c.json", '[{"begin_time_s": 1, "end_time_s": 2}]'),
        ("d.json", '{"onsets_s": [0.5, 1], "offsets_s": [0.7, 1.2]}'),
        ("e.json", '{"start_time": {"0": 1.0, "1": 3.0}, "end_time": {"0": 2.0, "1": 4.0}}'),
        ("f.json", '{"a": {"start": 1, "tags": {"sex": "m"}, "end": 2}, "b": {"start": "1.5", "end": "2,5"}}'),
        ("g.json", '{"Begin Time (s)": 1, "End Time (s)": 2, "Species": "wren"}'),
        ("h.json", '{"calls": [{"start": 1, "end": 2}, {"start": 3, "e'),
        ("c.xml", '<runs><run start = "1" stop="2"/><run start="3" stop="4"/></runs>'),
        ("a.trs", "<Trans><Turn startTime='1' endTime='2'/></Trans>"),
        ("a.csv.gz", "\x1f"),
        ("a.selections.txt.zip", "PK"),
        ("a.exb", "<basic-transcription/>"),
        ("a.cha", "@Begin"),
        (
            "a.wav.data",
            '[{"Operator": "JD", "Duration": 10.0}, [1.0, 2.0, 0, 0, [{"species": "Kiwi"}]]]',
        ),
        ("b.wav.data", '[[-1, "10:00:00", "JD", -1], [1.5, 2.5, 500, 4000, "Kiwi"]]'),
        ("j.json", '{"sound_events": [{"geometry": {"type": "TimeInterval", "coordinates": [1.0, 2.0]}, "tags": []}]}'),
        ("k.json", '{"annotations": [{"id": 1, "t_min": 1.0, "t_max": 2.0, "f_min": 100}]}'),
        ("l.json", '[{"from_ms": 1000, "to_ms": 2000, "label": "wren"}]'),
        ("m.json", '{"a.wav": {"segments": [[1.0, 2.0], [3.0, 4.0]], "labels": ["wren", "crow"]}}'),
        ("i.json", '{"calls": [[0.5, 1.5, 0, 0, ["wren"]]]}'),
        ("d.xml", "<rows><row><start unit='s'>1</start><end unit='s'>2</end><label>hum</label></row></rows>"),
    ],
)
def test_annotations_of_any_program_are_a_warning(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (note,) = foreign_files(tmp_path, [name])
    assert (note.kind, note.where) == ("table_not_read", name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    ("name", "text"), [("a.json", '[{"start":1,"end":2}]'), ("a.yml", "start: 1\nend: 2\nlabel: a")]
)
def test_annotations_in_any_encoding_are_a_warning(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    (tmp_path / name).write_text(text, encoding=encoding)
    assert [note.kind for note in foreign_files(tmp_path, [name])] == ["table_not_read"]


_STREAM = '{"index": 0, "codec_name": "pcm_s16le", "start_time": "0.000000", "duration": "10.0"}'
_FORMAT = (
    '{"filename": "a.wav", "format_name": "wav", "start_time": "0.000000", "duration": "10.0", "tags": {"title": "x"}}'
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ffprobe.json", f'{{"streams": [{_STREAM}, {_STREAM}], "format": {_FORMAT}}}'),
        (
            "ffprobe.xml",
            '<stream codec_name="a" start_time="0" duration="1"/><format format_name="b" start_time="0" duration="1"/>',
        ),
        ("schedule.yaml", 'recorder:\n  start: "05:00"\n  duration: 3600\nlabel: dawn\n'),
        ("schedules.yaml", "- start: 05:00\n  duration: 3600\n- start: 06:00\n  duration: 3600\n"),
        ("train.yaml", "lr:\n  start: 0.1\n  end: 0.001\nlabel: hum\nstages:\n- stage: 1\n"),
        ("flow.yaml", "lr: {start: 0.1, end: 0.001}\nlabel: hum\n"),
        ("stage.yaml", "stage: 1\nstart: 0\nend: 100\n"),
        ("package.json", '{"name": "x", "scripts": {"start": "node x", "stop": "kill"}, "tags": ["a"]}'),
        ("dates.json", '[{"start": "2024-01-01", "end": "2024-01-02"}, {"start": "2024-01-03", "end": "2024-01-04"}]'),
        ("log.xml", '<run start="2024-01-01T00:00" end="2024-01-01T01:00"/><run start="2024-01-02" end="2024-01-03"/>'),
        ("none.wav.data", '[{"Operator": "JD", "Reviewer": "JD", "Duration": 10.0}]'),
        ("measured.data", "1.0 2.0 3.0\n"),
        ("page.json", '{"from": 0, "to": 20, "query": "wren"}'),
        ("mail.json", '[{"from": "a", "to": "b", "label": "wren"}]'),
        ("map.json", '{"type": "Point", "coordinates": [52.1, 0.5]}'),
        ("sizes.json", '{"shape": [4, 2, 1, 1, ["x"]], "box": [1, 2, 3, 4]}'),
        ("apart.json", '[{"start": 1, "label": "hum"}, {"end": 2, "label": "hum"}]'),
    ],
)
def test_sidecars_with_both_words_as_keys_are_only_listed(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert [note.kind for note in foreign_files(tmp_path, [name])] == ["not_annotations"]


def test_records_of_ossicle_are_no_files_of_others(tmp_path: Path) -> None:
    row = Row(1.0, 2.0, "hum", 0.5, "best")
    look = Look(0.5, 2.5, ("best",), (row,))
    sheets = (Sheet("a", "a.wav", "00", 10.0, (look, look)),)
    write_export(tmp_path, Export("0", {}, ("hum",), 8000.0, sheets), ["csv"])
    assert foreign_files(tmp_path, ["export.json"]) == []
    assert read_sources(tmp_path, ReadOptions()).notes == ()
    (tmp_path / "export.json").write_text('{"sheets": [{"start": 1, "end": 2}]}')
    assert [note.kind for note in foreign_files(tmp_path, ["export.json"])] == ["table_not_read"]


def test_a_record_of_ossicle_in_place_of_tables_is_named(tmp_path: Path) -> None:
    (tmp_path / "predictions.json").write_text("{}")
    (note,) = read_sources(tmp_path / "predictions.json", ReadOptions()).notes
    assert note.kind == "not_annotations"
    assert "record of Ossicle without annotations; give its folder or the tables" in note.message


def test_articles_fit_the_names_of_files(tmp_path: Path) -> None:
    notes = [foreign_files(tmp_path, [f"x{suffix}"])[0].message for suffix in sorted(FOREIGN)]
    vowels = {note.split()[2] for note in notes if note.startswith("is an ")}
    others = {note.split()[2] for note in notes if note.startswith("is a ")}
    assert vowels == {
        *("Annotation", "Anvil", "Arrow", "Audacity", "ELAN", "EXMARaLDA", "Excel", "HDF5", "R", "RTTM", "SQLite"),
        *("STM", "XML"),
    }
    assert {"JSON", "YAML", "MIDI", "MATLAB", "NumPy", "TIMIT"} <= others


def test_long_texts_are_judged_quickly() -> None:
    for text in (
        "{" * 50_000,
        '{"start":' * 10_000,
        "start " * 16_000,
        "startsecs" * 11_000,
        "<a>" * 33_000,
        "start:" + "1" * 99_000,
    ):
        for suffix in (".json", ".xml", ".yaml"):
            assert not holds_times(text, suffix)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.json", '{"threshold": 0.5, "starts": 3, "label": "hum"}'),
        ("settings.yaml", "model: start\nbackend: end\n"),
        ("a.mat", "MATLAB 5.0 MAT-file"),
        ("models.zip", "PK"),
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
