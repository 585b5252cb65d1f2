"""The table of formats: recognised where certain, refused where not; every malformed table names file and line."""

from pathlib import Path

import polars as pl
import pytest

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.dcase import read_durations
from ossicle.corpus.formats.reading.event_folders import read_event_sets
from ossicle.corpus.formats.registry import EVENT_FORMATS, FORMATS, ReadOptions, format_named, guess

SELECTIONS = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\n"
SAMPLES = {
    "raven": ("x.txt", SELECTIONS + "1\tSpectrogram 1\t1\t0\t1\t0\t10\ta\n"),
    "audacity": ("x.txt", "0\t1\ta\n\\\t0\t10\n"),
    "csv": ("x.csv", "file,start_time,end_time,label\na.wav,0,1,a\n"),
    "dcase": ("x.tsv", "filename\tonset\toffset\tevent_label\na.wav\t0\t1\ta\n"),
    "kaleidoscope": ("x.csv", "INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH\n,a,b.wav,0,1,a\n"),
    "birdnet": ("x.csv", "Start (s),End (s),Scientific name,Common name,Confidence,File\n0,1,T t,a,0.5,a.wav\n"),
    "opensoundscape": ("x.csv", "file,start_time,end_time,a,b\na.wav,0,1,True,0\n"),
    "dcase-scores": ("x.tsv", "onset\toffset\ta\tb\n0\t1\t0.5\t0.25\n"),
    "dcase-few-shot": ("x.csv", "Audiofilename,Starttime,Endtime,wren,crow\na.wav,0,1,POS,NEG\n"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_says_what_it_is(tmp_path: Path, name: str) -> None:
    file, text = SAMPLES[name]
    (tmp_path / file).write_text(text)
    result = guess(tmp_path / file)
    assert result is not None
    assert result.name == name


def test_parquet_is_told_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"file": ["a"], "start_time": [0.0], "end_time": [1.0], "label": ["x"]}).write_parquet(path)
    assert guess(path) is FORMATS["parquet"]
    pl.DataFrame({"file": ["a"], "start_time": [0.0], "end_time": [1.0], "wren": [1]}).write_parquet(path)
    assert guess(path) is FORMATS["opensoundscape"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("x.txt", "dear diary\n"),
        ("x.csv", "site,latitude\nA,1\n"),
        ("x.csv", ""),
        ("x.md", SAMPLES["audacity"][1]),
    ],
)
def test_what_could_be_anything_is_nothing(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert guess(tmp_path / file) is None


def test_what_could_be_two_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,start_time,end_time,label,IN FILE,OFFSET,DURATION\n")
    with pytest.raises(FormatError, match=r"x\.csv, line 1: could be csv or kaleidoscope; name the format"):
        guess(path)


# Format, suffix, text, and words that its message holds.
MALFORMED = [
    ("raven", ".txt", SELECTIONS + "1\tSpectrogram 1\t1\t2\t1\t0\t10\ta\n", "line 2"),
    ("raven", ".txt", SELECTIONS + "1\tSpectrogram 1\t1.5\t0\t1\t0\t10\ta\n", "line 2: the channel"),
    ("raven", ".txt", SELECTIONS.replace("Annotation", "View") + "1\tS\t1\t0\t1\t0\t10\ta\n", "line 1: there are two"),
    ("raven", ".txt", SELECTIONS + "1\tSpectrogram 1\t1\t0\t1_0\t0\t10\ta\n", "line 2: the end time"),
    ("audacity", ".txt", "0\t1\ta\n\\\t5\t1\n", "line 2"),
    ("audacity", ".txt", "0\t1\ta\n0\t1\ta\tx\n", "line 2: the confidence"),
    ("csv", ".csv", "file,start_time,end_time,label\na,0,1,x\na,0,-1,x\n", "line 3"),
    ("csv", ".csv", "file,start_ms,end_ms,label\na,0,1s,x\n", "line 2: the end"),
    ("csv", ".csv", "file,start_sample,end_sample,label\na,0,1,x\n", "line 1: its times are in samples"),
    ("csv", ".csv", "file,start,start,end,label\na,0,1,2,x\n", "line 1: there are two columns"),
    ("csv", ".csv", 'file,start_time,end_time,label\na,0,1,"x\n', "quotes"),
    ("dcase", ".tsv", "filename\tonset\toffset\tevent_label\na\t1\t0\tx\n", "line 2"),
    ("dcase", ".tsv", "a.wav\t0\t1\tx\na.wav\tzero\t1\tx\n", "line 2"),
    ("kaleidoscope", ".csv", "INDIR,IN FILE,OFFSET,TOP1MATCH\n,a,0,x\n", "line 1: the column 'DURATION'"),
    ("kaleidoscope", ".csv", "INDIR,IN FILE,OFFSET,DURATION,TOP1MATCH\n,a,0,-3,x\n", "line 2"),
    ("kaleidoscope", ".csv", "INDIR,IN FILE,OFFSET,DURATION,TOP1MATCH\n,,0,3,x\n", "line 2: IN FILE"),
    ("kaleidoscope", ".csv", "INDIR,IN FILE,OFFSET,DURATION\n,a,0,3\n", "line 1: no label column"),
    ("birdnet", ".csv", "Start (s),End (s),Common name,Confidence,File\n0,1,x,high,a\n", "line 2: the score"),
    ("birdnet", ".txt", "0\t1\n", "line 1: the label"),
    ("birdnet", ".txt", SELECTIONS + "1\tS\t1\t0\tx\t0\t10\ta\n", "line 2"),
    ("opensoundscape", ".csv", "file,start_time,wren\na,0,1\n", "line 1: the column 'end_time'"),
    ("opensoundscape", ".csv", "file,start_time,end_time\na,0,1\n", "line 1: there must be a column"),
    ("opensoundscape", ".csv", "file,start_time,end_time,wren\na,0,1,\n", "line 2: the value of 'wren'"),
    ("opensoundscape", ".csv", "file,start_time,end_time,wren\na,0,1,nan\n", "line 2: the value of 'wren'"),
    ("opensoundscape", ".csv", "file,start_time,end_time,wren\n,0,1,0\n", "line 2: the file is empty"),
    ("dcase-scores", ".tsv", "onset\toffset\ta\n0\t1\t0\n2\t3\t0\n", "line 3: its window starts at 2 s"),
    ("dcase-scores", ".tsv", "onset\toffset\ta\n0\t1\tlow\n", "line 2: the value of 'a'"),
    ("dcase-few-shot", ".csv", "Audiofilename,Starttime,Endtime,a\nx.wav,2,1,POS\n", "line 2: the start 2 s is after"),
]


@pytest.mark.parametrize(("name", "suffix", "text", "words"), MALFORMED)
def test_malformed_tables_name_file_and_line(tmp_path: Path, name: str, suffix: str, text: str, words: str) -> None:
    path = tmp_path / f"table{suffix}"
    path.write_text(text)
    read = FORMATS[name].read
    assert read is not None
    with pytest.raises(FormatError) as caught:
        read(path, ReadOptions())
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_every_format_that_reads_files_has_malformed_ones() -> None:
    assert {name for name, *_ in MALFORMED} | {"parquet"} == {name for name, one in FORMATS.items() if one.read}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("filename\tlength\na\t1\n", "line 1: the column 'duration'"),
        ("filename\tduration\na\t-1\n", "line 2"),
        ("filename\tduration\na\t1\na\t2\n", "line 3: a has two durations"),
    ],
)
def test_malformed_durations(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "d.tsv").write_text(text)
    with pytest.raises(FormatError) as caught:
        read_durations(tmp_path / "d.tsv")
    assert f"d.tsv, {words}" in str(caught.value)


def test_names_of_formats() -> None:
    assert format_named(" Raven ") is FORMATS["raven"]
    with pytest.raises(UsageError, match="'xml' is not known; choose from raven, csv"):
        format_named("xml")
    with pytest.raises(UsageError, match="'birdnet' cannot be written; choose from raven, csv"):
        format_named("birdnet", writing=True)
    assert EVENT_FORMATS[:3] == ("raven", "csv", "audacity")


def test_times_in_milliseconds_say_so(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,onset_ms,offset_ms,label\na.wav,500,1250.5,x\n")
    assert [(row.start_s, row.end_s) for row in read_event_sets(path)["a"]] == [(0.5, 1.2505)]


def test_annotations_of_windows_are_events_and_scores_are_not(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,start_time,end_time,wren\na.wav,0,3,1\na.wav,3,6,1\na.wav,6,9,0\nb.wav,0,3,False\n")
    event_sets = read_event_sets(path)
    assert [(row.start_s, row.end_s, row.label) for row in event_sets["a"]] == [(0.0, 6.0, "wren")]
    assert event_sets["b"] == []
    path.write_text("file,start_time,end_time,wren\na.wav,0,3,0.25\n")
    with pytest.raises(FormatError, match=r"x\.csv: its values are scores"):
        read_event_sets(path)


def test_the_paper_lists_every_format(repository: Path) -> None:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip().strip("`"): line for line in text.splitlines() if line.startswith("| `")}
    assert set(rows) >= set(FORMATS)
    for name, one in FORMATS.items():
        written = rows[name].split("|")[4].strip()
        assert (written != "no") == (one.writable or one.shape == "windows"), name
