"""Columns of the tables of many programs; a row goes to the recording that it names, and no column becomes a label."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.event_columns import FILE, NOT_CLASSES, SAMPLES, counts_samples, has_label
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import ReadOptions, guess
from ossicle.corpus.formats.session_times import lengths_of

# Program, table, the expected rows (file, start, end, label), and more of the first row: low, high, score.
TABLES = {
    "crowsetta generic-seq": (
        "label,onset_s,offset_s,onset_sample,offset_sample,notated_path,annot_path,sequence,annotation\n"
        "a,1.0,2.0,8000,16000,x/a.wav,a.csv,0,0\nb,3.0,4.0,24000,32000,b.wav,b.csv,0,1\n",
        [("x/a.wav", 1.0, 2.0, "a"), ("b.wav", 3.0, 4.0, "b")],
        (None, None, None),
    ),
    "crowsetta simple-seq": ("onset_s,offset_s,label\n1,2,a\n", [("", 1.0, 2.0, "a")], (None, None, None)),
    "batdetect2": (
        "id,det_prob,start_time,end_time,high_freq,low_freq,class,class_prob\n"
        "0,0.64,1.1,1.12,52000,21000,Nyctalus noctula,0.61\n",
        [("", 1.1, 1.12, "Nyctalus noctula")],
        (21000.0, 52000.0, 0.61),
    ),
    "warbleR": (
        '"sound.files","channel","selec","start","end","bottom.freq","top.freq","species"\n'
        '"a.wav",1,1,1.5,2.5,2.5,8.25,"wren"\n"b.wav",1,1,0.5,1,2,9,"wren"\n',
        [("a.wav", 1.5, 2.5, "wren"), ("b.wav", 0.5, 1.0, "wren")],
        (2500.0, 8250.0, None),
    ),
    "Rraven, names of R": (
        "Selection,View,Channel,Begin.Time..s.,End.Time..s.,Low.Freq..Hz.,High.Freq..Hz.,Species,sound.files\n"
        "1,Spectrogram 1,1,1,2,100,200,wren,a.wav\n",
        [("a.wav", 1.0, 2.0, "wren")],
        (100.0, 200.0, None),
    ),
    "monitoR": (
        '"start.time","end.time","min.frq","max.frq","name"\n1,2,1.5,6,"wren"\n',
        [("", 1.0, 2.0, "wren")],
        (1500.0, 6000.0, None),
    ),
    "DAS": ("name,start_seconds,stop_seconds\nsine,1,2\n", [("", 1.0, 2.0, "sine")], (None, None, None)),
    "DeepSqueak": (
        "Label,Score,Begin Time (s),End Time (s),Low Freq (kHz),High Freq (kHz)\nUSV,0.9,1,2,40,60\n",
        [("", 1.0, 2.0, "USV")],
        (40000.0, 60000.0, 0.9),
    ),
    "Praat table": ("tmin\ttier\tlabel\ttmax\n1\tcalls\twren\t2\n", [("", 1.0, 2.0, "wren")], (None, None, None)),
    "Praat, TextGrid down to table": (
        "tmin\ttier\ttext\ttmax\n1\tcalls\twren\t2\n",
        [("", 1.0, 2.0, "wren")],
        (None, None, None),
    ),
    "ELAN, times in seconds": (
        "Tier\tBegin Time - ss.msec\tEnd Time - ss.msec\tAnnotation\nx\t1.25\t2.5\twren\n",
        [("", 1.25, 2.5, "wren")],
        (None, None, None),
    ),
    "soundscapes of Cornell": (
        "Filename,Start Time (s),End Time (s),Low Freq (Hz),High Freq (Hz),Species eBird Code\n"
        "a.flac,1,2,100,200,amecro\n",
        [("a.flac", 1.0, 2.0, "amecro")],
        (100.0, 200.0, None),
    ),
    "HawkEars": (
        "filename,start_time,end_time,class_name,class_code,score\na.wav,0,3,American Crow,AMCR,0.75\n",
        [("a.wav", 0.0, 3.0, "American Crow")],
        (None, None, 0.75),
    ),
    "opensoundscape boxes": (
        "audio_file,annotation_file,annotation,start_time,end_time,low_f,high_f\na.wav,a.txt,wren,1,2,100,200\n",
        [("a.wav", 1.0, 2.0, "wren")],
        (100.0, 200.0, None),
    ),
    "BirdNET for R": (
        "filepath,start,end,scientific_name,common_name,confidence\na.wav,0,3,T t,wren,0.5\n",
        [("a.wav", 0.0, 3.0, "wren")],
        (None, None, 0.5),
    ),
    "AudioSet": (
        "# Segments csv created Sun Mar  5 10:54:31 2017\n# num_ytids=2, num_segs=2, num_positive_labels=3\n"
        "# YTID, start_seconds, end_seconds, positive_labels\n"
        '--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"\n-0SdAVK79lg, 0.000, 10.000, "/m/0155w"\n',
        [("--PJHxphWEs", 30.0, 40.0, "/m/09x0r,/t/dd00088"), ("-0SdAVK79lg", 0.0, 10.0, "/m/0155w")],
        (None, None, None),
    ),
    "AudioSet, strong labels": (
        "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\nb0RFKhbpFJA_30000\t1.131\t4.112\t/m/07r660_\n",
        [("b0RFKhbpFJA_30000", 1.131, 4.112, "/m/07r660_")],
        (None, None, None),
    ),
    "numbered segments of one recording": (
        "segment_id,start_time_seconds,end_time_seconds,label\n1,1,2,hum\n",
        [("", 1.0, 2.0, "hum")],
        (None, None, None),
    ),
    "named segments of one recording": (
        "segment_id,start_time_seconds,end_time_seconds,label\ntape_001,1,2,hum\ntape_002,3,4,hum\n",
        [("", 1.0, 2.0, "hum"), ("", 3.0, 4.0, "hum")],
        (None, None, None),
    ),
    "milliseconds": ("file,start (ms),end (ms),label\na.wav,500,1500,x\n", [("a.wav", 0.5, 1.5, "x")], (None,) * 3),
}


def events(path: Path, options: ReadOptions | None = None) -> EventTable:
    known = guess(path, options)
    assert known is not None
    assert known.read is not None
    result = known.read(path, options or ReadOptions())
    assert isinstance(result, EventTable), known.name
    return result


def events_or_refusal(path: Path, options: ReadOptions | None = None) -> EventTable | str:
    """The events, or the message of the refusal."""
    try:
        return events(path, options)
    except FormatError as problem:
        return str(problem)


@pytest.mark.parametrize("program", TABLES)
def test_tables_of_programs(tmp_path: Path, program: str) -> None:
    text, rows, more = TABLES[program]
    path = tmp_path / "x.csv"
    path.write_text(text)
    raw_selections = events(path).rows
    assert [(row.begin_path, row.start_s, row.end_s, row.label) for row in raw_selections] == rows
    assert (raw_selections[0].low_hz, raw_selections[0].high_hz, raw_selections[0].confidence) == more


headings = st.one_of(
    st.sampled_from(FILE),
    st.text(st.characters(categories=("Lu", "Ll", "Nd"), include_characters=" ._"), min_size=1, max_size=12),
)


@settings(deadline=None, max_examples=150)
@given(heading=headings, files=st.lists(st.sampled_from(["a.wav", "x/b.WAV", "D:\\c.flac"]), min_size=1, max_size=4))
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_a_row_is_of_the_recording_that_it_names_or_refused(
    tmp_path_factory: pytest.TempPathFactory, heading: str, files: list[str], suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"a{suffix}"
    times = "start_time\tend_time" if suffix == ".csv" else "Begin Time (s)\tEnd Time (s)"
    lines = [f"{k}\t{k}.5\tx\t{file}" for k, file in enumerate(files)]
    path.write_text("\n".join([f"{times}\tlabel\t{heading}", *lines]))
    result = events_or_refusal(path)
    if isinstance(result, EventTable):
        assert [(row.label, row.begin_path) for row in result.rows] == [("x", file) for file in files]
    else:
        assert str(path) in result


@pytest.mark.parametrize("heading", ["recording", "wav", "clip name", "Datei", "sound", "Soundfile 1"])
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_an_unknown_column_of_file_names_is_refused_by_name(tmp_path: Path, heading: str, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text(f"Begin Time (s)\tEnd Time (s)\tlabel\t{heading}\n1\t2\tx\ta.wav\n3\t4\tx\tb.wav\n5\t6\tx\ta.wav\n")
    with pytest.raises(FormatError, match=rf"line 1: the column '{heading}' seems to name the recording of each row"):
        events(path)
    # The remedy works.
    path.write_text(path.read_text().replace(heading, "file", 1))
    assert [row.begin_path for row in events(path).rows] == ["a.wav", "b.wav", "a.wav"]


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_a_column_of_recordings_without_suffix_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    for heading, known in (("recording", {}), ("Aufnahme", {"a": 10.0, "b": 10.0})):
        path.write_text(f"Begin Time (s)\tEnd Time (s)\tlabel\t{heading}\n1\t2\tx\ta\n3\t4\tx\tb\n")
        options = ReadOptions(lengths=lengths_of(known.get, lambda stated: stated, known))
        with pytest.raises(FormatError, match=rf"line 1: the column '{heading}' seems to name the recording"):
            events(path, options)
    # The name of its own recording, numbers and other words name no other recording.
    for text in ("a", "7", "windy"):
        path.write_text(f"Begin Time (s)\tEnd Time (s)\tlabel\tAufnahme\n1\t2\tx\ta\n3\t4\tx\t{text}\n")
        assert len(events(path, options).rows) == 2


def test_some_rows_without_a_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Begin Time (s)\tEnd Time (s)\tBegin File\tAnnotation\n1\t2\tb.wav\tx\n3\t4\t\tx\n")
    with pytest.raises(FormatError, match="line 3: 'Begin File' is empty, and other rows name their file"):
        events(path)
    path.write_text(path.read_text().replace("b.wav", ""))
    assert [row.begin_path for row in events(path).rows] == ["", ""]


others = st.lists(
    st.one_of(
        st.sampled_from(sorted(NOT_CLASSES)),
        st.text(st.characters(categories=("Ll",), max_codepoint=127), min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
    unique=True,
)
spans = st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True)


@settings(deadline=None, max_examples=150)
@given(columns=others, starts=spans, length=st.integers(1, 10**5), value=st.sampled_from(["0", "1", "0.5", "True"]))
def test_no_column_becomes_a_label_because_there_is_none(
    tmp_path_factory: pytest.TempPathFactory, columns: list[str], starts: list[int], length: int, value: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "events.csv"
    # Events do not follow each other without gaps from 0 on, as windows do.
    header = ["file", "start_time", "end_time", *columns]
    lines = [["a.wav", str(t / 1e3), str((t + length) / 1e3), *[value] * len(columns)] for t in starts]
    path.write_text("\n".join(",".join(cells) for cells in [header, *lines]))
    result = events_or_refusal(path)
    if has_label(header):
        assert isinstance(result, str) or {row.label for row in result.rows} == {value}
        return
    assert isinstance(result, str)
    assert str(path) in result
    called = events_or_refusal(path, ReadOptions(default_label="call"))
    assert isinstance(called, str) or {row.label for row in called.rows} == {"call"}


def test_an_event_table_without_labels_is_refused_until_a_default_is_given(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("file,start_time,end_time,channel,checked\na.wav,1,2,1,1\na.wav,3,4,1,0\n")
    with pytest.raises(FormatError, match=r"a\.csv, line 1: no label column .*give all rows one default label"):
        events(path)
    assert [row.label for row in events(path, ReadOptions(default_label="call")).rows] == ["call", "call"]
    assert [row.label for row in events(path, ReadOptions(label_column="Checked")).rows] == ["1", "0"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("file,start_time,end_time,label,start,end", "a.wav,1,2,hum,10,11"),
        ("file,start_ms,end_ms,start,end,label", "a.wav,1000,2000,3,4,hum"),
        ("onset_s,offset_s,label,Begin Time (s),End Time (s)", "1,2,hum,101,102"),
        # With decimal commas.
        ("file;start_time;end_time;onset;offset;label", "a.wav;1,5;2,5;101,5;102,5;hum"),
        # Only the ends differ.
        ("file,start_time,end_time,onset,offset,label", "a.wav,1,2.5,1,4.5,hum"),
        # The start and the end that are read are not of one pair.
        ("file,start,end,end_time,label", "a.wav,1,3,2.5,hum"),
        ("start_time,stop_time,begin_time,end_time,label", "1,2,101,102,hum"),
    ],
)
def test_two_pairs_of_times_that_differ_are_refused(tmp_path: Path, header: str, row: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n{row}\n")
    with pytest.raises(FormatError, match=r"a\.csv, line 2: .*only one of them can count from the start"):
        events(path)


def test_two_pairs_of_times_of_raven_that_differ_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.Table.1.selections.txt"
    rows = "Begin Time (s)\tEnd Time (s)\tAnnotation\tstart\tend\n1,5\t2,5\thum\t{}\t{}\n"
    path.write_text(rows.format("101,5", "102,5"))
    with pytest.raises(FormatError, match=r"line 2: 'Begin Time \(s\)' is 1.5 s and 'start' is 101.5 s, and only one"):
        events(path)
    path.write_text(rows.format("1,50", "2,50"))
    assert [(row.start_s, row.end_s) for row in events(path).rows] == [(1.5, 2.5)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_blanks_before_quotes_do_not_count(tmp_path: Path, suffix: str, delimiter: str) -> None:
    path = tmp_path / f"a{suffix}"
    for header in (("file", "start_time", "end_time", "label"), ("file", "Begin Time (s)", "End Time (s)", "label")):
        rows = ['a.wav, 1, 2, "hum, deep; low"', 'a.wav,  3,  4,  "say ""hum"""']
        lines = [f'"{header[0]}", "{header[1]}", "{header[2]}", "{header[3]}"', *rows]
        text = "\n".join(delimiter.join(line.split(",", 3)) for line in lines)
        path.write_text(text)
        assert [(row.begin_path, row.start_s, row.end_s, row.label) for row in events(path).rows] == [
            ("a.wav", 1.0, 2.0, "hum, deep; low"),
            ("a.wav", 3.0, 4.0, 'say "hum"'),
        ]


def test_quotes_within_a_cell_change_no_other_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    # Blanks belong to the names of these files; csv.reader of Python keeps them as well.
    for note in ('"he said, ""yes"""', '"a\n, ""b"""', '6", "7"" pipe'):
        path.write_text(f"file,start_time,end_time,label,note,more\n tape.wav,1,2,hum,{note},\n")
        assert [row.begin_path for row in events(path).rows] == [" tape.wav"], note


def test_an_offset_beside_a_duration_is_refused_with_both_remedies(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("file,offset,duration,label\na.wav,3,2,hum\n")
    with pytest.raises(FormatError, match="'offset' beside 'duration' is the start of an event in some tables and its"):
        read_events(path)
    for header, row in (("start_time,end_time", "3,5"), ("end_time,start_time", "3,1")):
        path.write_text(f"file,{header},duration,label\na.wav,{row},2,hum\n")
        assert len(read_events(path).rows) == 1


def test_an_offset_beside_an_end_is_no_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("file,offset,duration,end_time,label\na.wav,3,2,5,hum\n")
    with pytest.raises(
        FormatError, match=r"\); if 'offset' is the start of an event, rename it start_time, in"
    ) as caught:
        read_events(path)
    assert "end_time minus" not in str(caught.value)
    path.write_text(path.read_text().replace("offset", "start_time"))
    assert [(row.start_s, row.end_s) for row in read_events(path).rows] == [(3.0, 5.0)]


@pytest.mark.parametrize(("kept", "span"), [((0, 1, 4), (1.0, 2.0)), ((2, 3, 4), (101.0, 102.0))])
def test_either_pair_of_times_is_read_when_the_other_is_removed(
    tmp_path: Path, kept: tuple[int, ...], span: tuple[float, float]
) -> None:
    table = [["start_time", "stop_time", "begin_time", "end_time", "label"], ["1", "2", "101", "102", "hum"]]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(cells) for cells in table))
    with pytest.raises(FormatError, match="the others of 'start_time', 'stop_time', 'begin_time', 'end_time'"):
        events(path)
    path.write_text("\n".join(",".join(cells[column] for column in kept) for cells in table))
    assert [(row.start_s, row.end_s) for row in events(path).rows] == [span]


@pytest.mark.parametrize(
    ("header", "row", "span"),
    [
        ("start_ms,end_ms,start,end,label", "1000,2000,1,2,hum", (1.0, 2.0)),
        # Rounded to hundredths.
        ("start_time,end_time,start_ms,end_ms,label", "1.23,2.35,1234,2346,hum", (1.23, 2.35)),
        ("start;end;onset;offset;label", "1,5;2,5;1,50;2,50;hum", (1.5, 2.5)),
    ],
)
def test_the_same_times_in_two_units_are_read(tmp_path: Path, header: str, row: str, span: tuple[float, float]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n{row}\n")
    assert [(row.start_s, row.end_s) for row in events(path).rows] == [span]


def test_every_heading_of_samples_is_known_to_count_them() -> None:
    assert [key for key in sorted(SAMPLES) if not counts_samples(key)] == []


MARKED = [
    ("Confirmed", ("yes", "no"), 1),
    ("Accepted", ("1", "0"), 1),
    ("is_correct", ("True", "False"), 1),
    ("rejected", ("", "x"), 1),
    ("validated", ("present", "not present"), 1),
    ("verification", ("false positive", "incorrect"), 2),
    # Not looked at yet.
    ("checked", ("1", "0"), 0),
    ("verified", ("yes", "no"), 0),
    ("Confirmed", ("yes", "yes"), 0),
    ("note", ("yes", "rejected"), 0),
]


@pytest.mark.parametrize("kind", ["csv", "raven", "kaleidoscope"])
@pytest.mark.parametrize(("name", "cells", "marked"), MARKED)
def test_rows_that_a_reviewer_rejected_are_reported(
    tmp_path: Path, kind: str, name: str, cells: tuple[str, str], marked: int
) -> None:
    path = tmp_path / ("a.Table.1.selections.txt" if kind == "raven" else "a.csv")
    if kind == "kaleidoscope":
        lines = [
            f"IN FILE,OFFSET,DURATION,TOP1MATCH,{name}",
            *(f"a.wav,{k},1,hum,{cell}" for k, cell in enumerate(cells)),
        ]
    else:
        start, end = ("Begin Time (s)", "End Time (s)") if kind == "raven" else ("start_time", "end_time")
        lines = [f"{start},{end},label,{name}", *(f"{k},{k + 1},hum,{cell}" for k, cell in enumerate(cells))]
    path.write_text("\n".join(lines).replace(",", "\t" if kind == "raven" else ","))
    table = events(path)
    assert len(table.rows) == 2
    notes = [note.message for note in table.notes if note.kind == "review_marks"]
    assert len(notes) == (marked > 0)
    assert all(f"{marked} of 2 rows are marked as no calls in the column {name!r}" in message for message in notes)


def test_the_label_column_with_values_counts_and_an_empty_cell_names_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    header = "Begin Time (s)\tEnd Time (s)\tSpecies\tCommon Name\n"
    path.write_text(header + "1\t2\t\thum\n3\t4\t\ttrill\n")
    assert [row.label for row in events(path).rows] == ["hum", "trill"]
    path.write_text(header + "1\t2\twren\thum\n3\t4\t\ttrill\n")
    with pytest.raises(FormatError, match=r"line 3: the label is empty, but the column 'Common Name' says 'trill'"):
        events(path)
    path = tmp_path / "a.csv"
    path.write_text("start,end,label,species\n1,2,,hum\n")
    assert [row.label for row in events(path).rows] == ["hum"]
    path.write_text("start,end,label,species\n1,2,wren,hum\n3,4,,trill\n")
    with pytest.raises(FormatError, match=r"line 3: the label is empty, but the column 'species' says 'trill'"):
        events(path)


def test_soundscapes_of_birdclef_are_events(tmp_path: Path) -> None:
    table = tmp_path / "soundscapes.csv"
    table.write_text("filename,start,end,primary_label\na.ogg,0,5,wren\n", encoding="utf-8")
    assert [(row.begin_path, row.label) for row in read_events(table).rows] == [("a.ogg", "wren")]


def test_tables_of_several_people_have_label_columns_of_different_names(tmp_path: Path) -> None:
    options = ReadOptions(label_column="Call type, Species")
    heading = "Selection\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
    tables = {
        "anna.Table.1.selections.txt": f"{heading}Species\n1\t1\t2\t10\t20\twren\n",
        "ben.Table.1.selections.txt": f"{heading}CALL TYPE\tSpecies\n1\t1\t2\t10\t20\tsong\twren\n",
        "carla.csv": "file,start_time,end_time,Call type\na.wav,1,2,alarm\n",
        "dan.csv": "INDIR,IN FILE,OFFSET,DURATION,TOP1MATCH,Call type\n,a.wav,1,1,wren,trill\n",
        # A heading that holds commas is one name.
        "eva.csv": 'file,start_time,end_time,Species,"Call type, Species"\na.wav,1,2,wren,chirp\n',
    }
    labels = []
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
        labels += [row.label for row in events(tmp_path / name, options).rows]
    assert labels == ["wren", "song", "alarm", "trill", "chirp"]
    (tmp_path / "fred.Table.1.selections.txt").write_text(f"{heading}Name\n1\t1\t2\t10\t20\twren\n")
    with pytest.raises(FormatError, match="if tables name it differently, give all names with commas between them"):
        events(tmp_path / "fred.Table.1.selections.txt", options)


def test_a_stray_comma_takes_no_unnamed_column_for_the_label(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",file,start_time,end_time,species\n1,a.wav,1,2,wren\n")
    options = ReadOptions(label_column="Sp,")
    with pytest.raises(FormatError, match="there is no label column 'Sp,'"):
        events(path, options)
    assert [row.label for row in events(path, ReadOptions(label_column="Sp,,species,")).rows] == ["wren"]
