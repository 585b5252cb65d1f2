import warnings
from pathlib import Path

import crowsetta
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.columns.recordings import is_audio_name
from ossicle.corpus.formats.raven import is_raven_header, raven_name, raven_text, read_raven, write_raven

HEADER = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation"


def table(tmp_path: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8", end: str = "\n") -> Path:
    path = tmp_path / "x.Table.1.selections.txt"
    path.write_bytes(end.join([header, *lines, ""]).encode(encoding))
    return path


def row(start="1.0", end="2.0", label="a", number="1", view="Spectrogram 1", channel="1"):
    return f"{number}\t{view}\t{channel}\t{start}\t{end}\t0\t4000\t{label}"


# Blanks at the ends are no part of a label, and a table's cell holds no tab or line break. A column of names of audio
# files is taken for the recordings of the rows, which a table without a column of files refuses.
labels = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and not (text.startswith('"') and text.endswith('"')) and not is_audio_name(text)
)
spans = st.tuples(st.integers(0, 10**10), st.integers(0, 10**9)).map(lambda us: (us[0] / 1e6, (us[0] + us[1]) / 1e6))
rows_strategy = st.lists(
    st.builds(
        lambda span, label, low, width, quality, score, channel: RawSelection(
            *span, label, float(low), float(low + width), quality, score, channel=channel
        ),
        spans,
        labels,
        st.integers(0, 20000),
        st.integers(0, 20000),
        st.none() | st.integers(1, 4),
        st.none() | st.integers(0, 10**6).map(lambda millionths: millionths / 1e6),
        st.integers(1, 4),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(rows=rows_strategy)
def test_nothing_is_lost_in_a_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("raven") / "x.txt"
    write_raven(path, rows)
    key = repr
    assert sorted(read_raven(path), key=key) == sorted(rows, key=key)


def test_labels_that_all_name_audio_files_are_refused(tmp_path):
    with pytest.raises(FormatError, match=r"'Annotation' seems to name the recording of each row \('a.MP2'\)"):
        read_raven(table(tmp_path, row(label="a.MP2")))


def crowsetta_boxes(path: Path, column: str = "Annotation") -> list[tuple[float, float, float, float, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        boxes = crowsetta.Transcriber(format="raven").from_file(path, annot_col=column).to_bbox()
    return [(box.onset, box.offset, box.low_freq, box.high_freq, box.label) for box in boxes]


def test_crowsetta_reads_what_we_write(tmp_path):
    rows = [
        RawSelection(0.1234567, 1.0, "Wren", 500.0, 4000.5, quality=3, confidence=0.25),
        RawSelection(7200.000001, 7200.5, "ünïcode, with “quotes” & =sum", None, None),
        RawSelection(7201.0, 7201.5, '"x" and y', 0.0, 100.0),
    ]
    path = tmp_path / raven_name("deep/night.23_tape.flac")
    write_raven(path, rows, audio_name="night.23_tape.flac", default_high_hz=9000.0)
    assert crowsetta_boxes(path) == [
        (0.123457, 1.0, 500.0, 4000.5, "Wren"),
        (7200.000001, 7200.5, 0.0, 9000.0, "ünïcode, with “quotes” & =sum"),
        (7201.0, 7201.5, 0.0, 100.0, '"x" and y'),
    ]
    assert [raw_selection.begin_path for raw_selection in read_raven(path)] == ["night.23_tape.flac"] * 3


def test_we_read_crowsettas_sample_and_what_crowsetta_writes(tmp_path):
    sample = Path(crowsetta.example("Recording1", return_path=True))
    expected = crowsetta_boxes(sample, "Species")
    ours = [
        (raw_selection.start_s, raw_selection.end_s, raw_selection.low_hz, raw_selection.high_hz, raw_selection.label)
        for raw_selection in read_raven(sample)
    ]
    assert len(ours) > 5
    assert ours == expected
    copy = tmp_path / "copy.txt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crowsetta.formats.bbox.Raven.from_file(sample, annot_col="Species").to_file(copy)
    assert read_raven(copy) == read_raven(sample)


def test_a_row_for_each_view_and_channel_is_one_selection(tmp_path):
    path = table(
        tmp_path,
        row(number="1", view="Waveform 1").replace("\t0\t4000\t", "\t\t\t"),
        row(number="1", view="Spectrogram 1"),
        row(number="1", view="Spectrogram 2", channel="2"),
        row(number="2"),  # another selection at the same place
        row(number="2"),  # a repeat, which is no other view: health reports it
        row(number="3", start="1.5", view="Waveform 1"),
    )
    read = read_raven(path)
    assert [(raw_selection.start_s, raw_selection.low_hz) for raw_selection in read] == [
        (1.0, 0.0),
        (1.0, 0.0),
        (1.0, 0.0),
        (1.5, 0.0),
    ]


def test_columns_are_found_in_any_case_and_order_and_label_columns_in_turn(tmp_path):
    header = "End time (s)\tBegin time (s)\tTYPE\tSpecies\tComments"
    path = table(tmp_path, "2.0\t1.0\tsong\twren\tQ3", header=header)
    assert read_raven(path) == [RawSelection(1.0, 2.0, "wren", quality=3)]
    assert read_raven(path, label_column="type")[0].label == "song"
    assert read_raven(path, label_column="3")[0].label == "song"
    with pytest.raises(FormatError, match="End time"):
        read_raven(path, label_column="Genus")


def test_a_header_alone_is_reviewed_empty(tmp_path):
    assert read_raven(table(tmp_path)) == []
    assert read_raven(table(tmp_path, "", "  ")) == []
    assert read_raven(table(tmp_path, header="Begin Time (s)\tEnd Time (s)")) == []


def test_a_table_over_several_files_gives_the_time_in_each(tmp_path):
    header = HEADER + "\tBegin Path\tFile Offset (s)"
    path = table(
        tmp_path,
        row("10.0001", "10.5") + "\tC:\\tapes\\a.wav\t10.0000",
        row("70.25", "71.0", number="2") + "\tC:\\tapes\\b.wav\t10.25",
        header=header,
    )
    first, second = read_raven(path)
    assert (first.start_s, first.end_s, first.begin_path) == (10.0001, 10.5, "C:\\tapes\\a.wav")
    assert (second.start_s, second.end_s) == (10.25, 11.0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path, encoding, end):
    path = table(tmp_path, row(label="Gäns"), encoding=encoding, end=end)
    assert [raw_selection.label for raw_selection in read_raven(path)] == ["Gäns"]


def test_qualities(tmp_path):
    header = HEADER + "\tQuality"
    rows = [row(number=str(k)) + f"\t{text}" for k, text in enumerate(["3", "Q2", "q1", "4.0", ""])]
    assert [raw_selection.quality for raw_selection in read_raven(table(tmp_path, *rows, header=header))] == [
        3,
        2,
        1,
        4,
        None,
    ]


def test_a_default_label_stands_in(tmp_path):
    assert read_raven(table(tmp_path, row(label="")), default_label="call")[0].label == "call"
    bare = table(tmp_path, "1\t2", header="Begin Time (s)\tEnd Time (s)")
    assert read_raven(bare, default_label="call")[0].label == "call"


@pytest.mark.parametrize(
    ("lines", "header", "words"),
    [
        ([row(), row("3.0", "2.0")], HEADER, ["line 3", "3 s", "2 s", "swap"]),
        ([row("-1", "2.0")], HEADER, ["line 2", "negative"]),
        ([row("abc", "2.0")], HEADER, ["line 2", "begin time", "'abc'"]),
        ([row("1,5", "2.0")], HEADER, ["line 2", "dot"]),
        ([row("", "2.0")], HEADER, ["line 2", "begin time"]),
        ([row("inf", "2.0")], HEADER, ["line 2", "finite"]),
        ([row("1", "inf")], HEADER, ["line 2", "finite"]),
        ([row().replace("4000", "x")], HEADER, ["line 2", "'x'"]),
        ([row().replace("\t0\t4000", "\t5000\t4000")], HEADER, ["line 2", "frequency"]),
        ([row(label=" ")], HEADER, ["line 2", "label"]),
        ([row() + "\textra"], HEADER, ["line 2", "9 cells"]),
        ([row() + "\t9"], HEADER + "\tQuality", ["line 2", "quality", "1, 2, 3"]),
        ([row() + "\tgood"], HEADER + "\tQuality", ["line 2", "quality"]),
        ([row() + "\t-3\ta.wav"], HEADER + "\tFile Offset (s)\tBegin File", ["line 2", "offset"]),
        ([], "Selection\tView", ["line 1", "Begin Time", "missing"]),
        (["1\t2"], "Begin Time (s)\tEnd Time (s)", ["line 1", "label_column"]),
        ([], "", ["empty", "header"]),
    ],
)
def test_malformed_tables_name_file_line_and_remedy(tmp_path, lines, header, words):
    path = table(tmp_path, *lines, header=header)
    with pytest.raises(FormatError) as caught:
        read_raven(path)
    for word in [str(path), *words]:
        assert word.lower() in str(caught.value).lower()


def test_what_a_table_cannot_hold_is_not_written(tmp_path):
    path = tmp_path / "x.txt"
    with pytest.raises(FormatError, match="tab"):
        write_raven(path, [RawSelection(0, 1, "a\tb")])
    assert not path.exists()
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"none\.txt"):
        read_raven(tmp_path / "none.txt")


def test_an_empty_table_is_written_with_its_header(tmp_path):
    text = raven_text([])
    assert text == HEADER + "\n"
    assert is_raven_header(text.split("\t"))
    assert not is_raven_header(["0.1", "0.2", "x"])
