"""Files that are not read: what looks like annotations is a warning with its cause, the rest is only listed."""

from pathlib import Path

import polars as pl
import pytest

from ossicle.corpus.formats.reading.event_folders import read_event_folder
from ossicle.corpus.formats.reading.unread_files import unread_table
from ossicle.corpus.formats.registry import guess

# Name, text, and words of the cause and its remedy.
DATA = [
    ("x.csv", "1.5,2.5,hum\n3,4,hum\n", "has no headings (its first line is '1.5, 2.5, hum', with commas"),
    ("x.csv", "1,5;2,5;hum\n3,0;4,0;hum\n", "with semicolons between the cells"),
    ("x.csv", "a.wav,1.5,2.5,hum\nb.wav,3,4,hum\n", "has no headings"),
    ("x.txt", "1.5 2.5 hum\n3 4 wood thrush\n", "cells are separated by blanks ('1.5 2.5 hum'); write tabs"),
    ("x.lbl", "0 2500000 sil\n2500000 9000000 hum\n", "too large for seconds (HTK counts units of 100 ns"),
    ("x.txt", "1.5,2.5,hum\n3,4,hum\n", "has no headings"),
    ("x.csv", "from,to,species\n1,2,hum\n", "no column is known for the start and the end (found: from, to, species)"),
    ("x.csv", "Startzeit;Ende;Art\n1,5;2;hum\n", "for the start and the end (found: Startzeit, Ende, Art)"),
    ("x.csv", "start,duration,label\n1,2,hum\n", "label); add a column end_time, the start plus 'duration'"),
    ("x.csv", "file,Onset,Length (s),label\na,1,2,hum\n", "add a column end_time, the start plus 'Length (s)'"),
    (
        "x.csv",
        "file,offset,duration,label\na,1,2,hum\n",
        "if it is the start, rename it start_time and add a column end_time, start_time plus 'duration'; if it",
    ),
    (
        "x.csv",
        "filename,Offset (s),Length (s),species\na,1,2,hum\n",
        "'Offset (s)' beside 'Length (s)' is the start of",
    ),
    (
        "x.csv",
        "file,end,label\na,1,hum\n",
        "no column is known for the start (found: file, end, label); rename it start_time",
    ),
    ("x.csv", "begin,species\n1,hum\n", "for the end (found: begin, species); add a column end_time, in seconds"),
    ("x.csv", "onset_sample,offset_sample,label\n1,2,hum\n", "times are samples or frames"),
    ("x.csv", "site,start_time,end_time\nA,1,2\n", "no column for the label, nor one for the recording"),
    ("x.txt", "0.2\tKD\n0.55\tSD\n", "its rows are a time and a label, without an end (first line: 0.2, KD); write"),
    (
        "x.csv",
        "time,label\n0.2,kick\n1,snare\n",
        "without an end (first line: time, label); write start_time, end_time",
    ),
    # Renaming these columns would move every call.
    (
        "x.txt",
        "Selection\tBegin Sample (samples)\tEnd Sample (samples)\tAnnotation\n1\t8000\t16000\thum\n",
        "times are samples",
    ),
    ("x.csv", "UTC,startSample,sampleDuration\n2020-01-01 10:00:00,8000,800\n", "times are samples"),
    (
        "x.csv",
        "file,start (min),end (min),label\na.wav,0.1,0.2,hum\n",
        "'start (min)' holds no seconds from the start",
    ),
    (
        "x.txt",
        "Begin Clock Time\tEnd Clock Time\tAnnotation\n06:00:01.5\t06:00:02\thum\n",
        "'Begin Clock Time' holds no seconds from the start of the recording",
    ),
    ("x.csv", "file,from,to,label\na.wav,0:01,0:02,hum\n", "'from' holds no seconds from the start of the recording"),
    (
        "BirdDB.txt",
        "Date;Time;Sci_Name;Com_Name;Confidence;Overlap\n2023-01-01;10:00:00;Turdus merula;Blackbird;0.9;0.0\n",
        "'Time' holds no seconds from the start of the recording",
    ),
    (
        "x.csv",
        "start (min),end (min),time_s,label\n0.1,0.2,3,hum\n",
        "time_s, label); add start_time, end_time in seconds from the start of the recording, which 'start (min)' does",
    ),
    (
        "x.csv",
        "start (min),end,label\n0.1,0.2,hum\n",
        "add start_time in seconds from the start of the recording, which 'start (min)' does",
    ),
    ("x.csv", "tmin_samples,tmax_samples,label\n1,2,hum\n", "times are samples or frames"),
    ("x.txt", "default\t\t00:00:01.0\t1.0\t00:00:02.0\t2.0\thum\n", "it has no headings"),
    # Labels of recordings whose times are elsewhere, or of which there are none.
    ("weak.tsv", "filename\tevent_labels\na.wav\tSpeech,Dog\n", "if it labels whole recordings, give it as such"),
    ("x.csv", "row_id,site,seconds,birds\na_COR_5,COR,5,wren\n", "its rows name recordings and labels"),
    (
        "x.csv",
        "recording,species,x1,x2,y1,y2\na.wav,Turdus,1,2,100,200\n",
        "rename them start_time, end_time, in seconds",
    ),
    ("x.csv", 'audio,id,label\n/data/a.wav,1,"[{""start"": 1.0}]"\n', "its rows name recordings and labels"),
    # Lengths are no ends, and a single column of times has none.
    (
        "x.csv",
        "TIME,VALUE,DURATION,LABEL\n1.5,440.0,0.5,wren\n",
        "rename the column of the start start_time and add a column end_time, the start plus 'DURATION', in seconds",
    ),
    (
        "x.csv",
        "file_name,detection_time,detection_prob\na.wav,1.5,0.9\n",
        "rename 'detection_time', if it is the start, start_time and add a column end_time, in seconds",
    ),
    ("x.csv", "1.79,0.15,call\n3.36,0.41,call\n", "and its second number may be a length: write start_time, end_time"),
    ("x.csv", "5.5,0.0,0.5,wren\n6.5,0.0,0.5,wren\n", "its second number may be a length"),
    ("x.csv", "1,5;0,25;hum\n", "its second number may be a length"),
    ("x.txt", "x\t1.0\t2.0\t0.5\thum\n", "and another name above each of the others (5 in all)"),
    ("x.csv", "file,t0 [ms],t1 [ms],label\na.wav,1500,2500,wren\n", "'t0 [ms]' holds no seconds from the start"),
    ("x.csv", "file,start_us,end_us,label\na.wav,15,25,wren\n", "'start_us' holds no seconds from the start"),
    (
        "x.csv",
        "Time (hh:mm:ss),Detection confidence (%),Order,Species (4-letter code)\n00:00:01.500,75.3,P,SWTH\n",
        "'Time (hh:mm:ss)' holds no seconds from the start",
    ),
    # Label Studio and VIA write times into cells.
    (
        "x.csv",
        'audio,id,label,created_at\na.wav,1,"[{""start"":1.0,""end"":2.0,""labels"":[""wren""]}]",2024-01-01\n',
        "some of its cells hold lists or objects with starts and ends",
    ),
    (
        "x.csv",
        "# Exported using VIA\n# CSV_HEADER = id,file_list,flags,temporal_coordinates,metadata\n"
        '"1_a","[""a.wav""]",0,"[1.234,2.345]","{""1"":""wren""}"\n',
        "some of its cells hold lists or objects with starts and ends",
    ),
    ("x.txt", "template\tdate.time\ttime\tscore\nT\t2024\t1.5\t0.7\n", "no column is known for the start and the end"),
]
OTHER = [
    ("README.txt", "How they were made.\n\nIn 2024, 3 of us, 4 days.\n", "is text of another kind"),
    ("readme.csv", "nothing here\n", "is text of another kind"),
    ("BirdNET_analysis_params.csv", "File splitting duration,Segment length\n600,3.0\n", "parameters of BirdNET"),
    ("birdnet.analyze-params.csv", "Parameter,Value\nstart,1\n", "parameters of BirdNET"),
    ("params.csv", "Segment length,Sample rate,Segment overlap\n3,48000,0\n", "parameters of an analysis"),
    ("durations.tsv", "filename\tduration\na.wav\t60\n", "the durations of recordings"),
    ("species.csv", "number,name\n1,Wren\n2,Robin\n", "has no columns for start and end"),
    ("sites.csv", "site,latitude,longitude\nA,1,2\n", "has no columns for start and end"),
    ("weather.csv", "date,time,temperature,wind\n2020-01-01,10:00,12.5,3\n", "has no columns for start and end"),
    ("files.csv", "filename,size,sha256\na.wav,100,abc\n", "has no columns for start and end"),
    ("recordists.csv", "name,file,recorder\nJane,a.wav,SM4\n", "has no columns for start and end"),
    ("meta.csv", "file,site,date,recorder\na.wav,A,2020-01-01,SM4\n", "has no columns for start and end"),
    ("sizes.csv", 'name,shape\na,"[3,2]"\nb,"[1,2,3]"\n', "has no columns for start and end"),
    ("table.csv", "1.5,0.2,3.5,1.5,0.2,3.5,x\n2.5,0.1,3.5,1.5,0.2,3.5,x\n", "has no columns for start and end"),
    (
        "summary.txt",
        "DATE,TIME,LAT,,LON,,POWER(V),TEMP(C)\n" + "2023-Feb-10,10:00:00,1.0,N,2.0,E,4.5,12.5\n" * 5,
        "has no columns for start and end",
    ),
]


@pytest.mark.parametrize(("name", "text", "words"), DATA)
def test_what_looks_like_annotations_is_a_warning_with_its_cause(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    assert guess(tmp_path / name) is None
    note = unread_table(tmp_path / name, name)
    assert note.kind == "table_not_read"
    assert words in note.message


@pytest.mark.parametrize(("name", "text", "words"), OTHER)
def test_what_is_something_else_is_only_listed(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    assert guess(tmp_path / name) is None
    note = unread_table(tmp_path / name, name)
    assert note.kind == "not_annotations"
    assert words in note.message


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.txt", 'File type = "ooTextFile"\nObject class = "TextGrid"\n', "is a TextGrid of Praat and was not read"),
        ("a.txt", "1\n00:00:01,000 --> 00:00:02,000\nwren\n", "is a file of subtitles and was not read"),
        ("a.txt", '<?xml version="1.0"?>\n<ANNOTATION_DOCUMENT>', "is an ELAN file and was not read"),
        ("a.txt", "<calls><call begin='1' end='2'/></calls>", "is an XML file and was not read"),
    ],
)
def test_files_of_other_programs_under_the_suffix_of_a_table_are_named(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    note = unread_table(tmp_path / name, name)
    assert note.kind == "table_not_read"
    assert words in note.message


def test_a_message_shows_the_beginning_of_a_long_line(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text(f"1 2 {'hum ' * 5000}\n")
    note = unread_table(path, "x.txt")
    assert "cells are separated by blanks ('1 2 hum hum" in note.message
    assert len(note.message) < 500


@pytest.mark.parametrize("name", ["x.csv", "x.txt"])
def test_the_remedy_of_blanks_between_cells_works(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("1.5 2.5 hum\n3 4 hum\n")
    words = "write tabs between start, end and label, and start_time, end_time and label above them"
    assert words in unread_table(path, name).message
    path.write_text("start_time\tend_time\tlabel\n1.5\t2.5\thum\n3\t4\thum\n")
    assert [row.start_s for row in read_event_folder(path).sets["x"]] == [1.5, 3.0]


def test_the_remedy_of_missing_headings_works(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("start_time,end_time,label\n1.5,2.5,hum\n3,4,hum\n")
    assert [row.start_s for row in read_event_folder(path).sets["x"]] == [1.5, 3.0]


def test_a_parquet_table_of_another_kind_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"from": [1.0], "to": [2.0], "species": ["hum"]}).write_parquet(path)
    assert guess(path) is None
    assert unread_table(path, "x.parquet").kind == "table_not_read"


def test_a_folder_of_results_is_read_beside_parameters_and_readme(tmp_path: Path) -> None:
    header = "Start (s),End (s),Scientific name,Common name,Confidence,File\n"
    for name in "ab":
        (tmp_path / f"{name}.BirdNET.results.csv").write_text(f"{header}0.0,3.0,T t,wren,0.9,/x/{name}.wav\n")
    (tmp_path / "c.BirdNET.results.csv").write_text(header)
    for name, text, _ in OTHER[:3]:
        (tmp_path / name).write_text(text)
    event_folder = read_event_folder(tmp_path)
    assert {key.rpartition("/")[2]: len(rows) for key, rows in event_folder.sets.items()} == {"a": 1, "b": 1, "c": 0}
    assert [(note.kind, note.where) for note in event_folder.notes] == [
        ("not_annotations", "BirdNET_analysis_params.csv"),
        ("not_annotations", "README.txt"),
        ("not_annotations", "readme.csv"),
    ]
