import csv
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import escape_cell, unescape_cell
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_csv import read_events, write_events
from ossicle.corpus.formats.registry import guess

# Other control characters are not written (test_a_cell_with_a_control_character_is_named).
characters = st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\r\n")
texts = st.text(characters, min_size=1, max_size=10)
spiked = st.tuples(st.sampled_from(["", "=", "+", "-", "@", "'", "'=", "''-", '"', ","]), texts).map("".join)
rows_strategy = st.lists(
    st.builds(
        lambda start, length, label, file, score, quality: RawSelection(
            start / 1e6, (start + length) / 1e6, label, begin_path=file, confidence=score, quality=quality
        ),
        st.integers(0, 10**10),
        st.integers(0, 10**9),
        spiked.map(str.strip).filter(bool),
        spiked.filter(lambda text: bool(text.strip())),
        st.none() | st.integers(0, 10**6).map(lambda millionths: millionths / 1e6),
        st.none() | st.integers(1, 4),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=100)
@given(rows=rows_strategy)
def test_nothing_is_lost_in_a_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    write_events(path, rows)
    assert sorted(read_events(path).rows, key=repr) == sorted(rows, key=repr)


@given(character=st.characters(categories=["Cc"]).filter(lambda one: one not in "\t\r\n"))
def test_a_cell_with_a_control_character_is_named(tmp_path_factory, character):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    with pytest.raises(FormatError, match=r"x\.csv: .* contains .*, which no table may hold; rename it"):
        write_events(path, [RawSelection(0.5, 1.25, "call", begin_path=f"a{character}b.wav")])
    assert not path.exists()


@given(text=spiked)
def test_no_cell_begins_a_formula_and_escaping_is_undone(text):
    assert escape_cell(text)[0] not in "=+-@\t\r\n"
    assert unescape_cell(escape_cell(text)) == text


def test_the_columns_and_the_guard(tmp_path):
    path = tmp_path / "x.csv"
    write_events(path, [RawSelection(0.5, 1.25, "=cmd|' /C calc'!A0", begin_path="a b/ü.wav", confidence=0.5)])
    with path.open(newline="", encoding="utf-8") as handle:
        assert list(csv.reader(handle)) == [
            ["file", "start_time", "end_time", "label", "score"],
            ["a b/ü.wav", "0.500000", "1.250000", "'=cmd|' /C calc'!A0", "0.500000"],
        ]


def test_tables_of_others(tmp_path):
    expected = RawSelection(1.0, 2.5, "wren", begin_path="a.wav")
    dcase = tmp_path / "dcase.tsv"
    dcase.write_text("filename\tonset\toffset\tevent_label\na.wav\t1.0\t2.5\twren\nb.wav\t\t\t\n")
    assert read_events(dcase).rows == (expected,)
    assert read_events(dcase).files == ("a.wav", "b.wav")
    birdnet = tmp_path / "birdnet.csv"
    birdnet.write_text("Start (s),End (s),Scientific name,Common name,Confidence,File\n1,2.5,T t,wren,0.5,a.wav\n")
    assert read_events(birdnet).rows[0].confidence == 0.5
    parquet = tmp_path / "x.parquet"
    pl.DataFrame(
        {"audio_file": ["a.wav"], "start_time": [1.0], "end_time": [2.5], "annotation": ["wren"]}
    ).write_parquet(parquet)
    assert read_events(parquet).rows == (expected,)
    assert guess(parquet).name == "parquet"
    other = tmp_path / "sites.csv"
    other.write_text("site,latitude\nA,1\n")
    assert guess(other) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,start_time,end_time,label\na,2,1,x\n", ["line 2", "after the end"]),
        ("file,start_time,end_time,label\na,1,2,x\na,one,2,x\n", ["line 3", "'one'"]),
        ("file,start_time,end_time,label\n,1,2,x\n", ["line 2", "file"]),
        ("file,start_time,end_time,label\na,1,2,\n", ["line 2", "label"]),
        ("file,start_time,end_time,label\na,1,2,x,y\n", ["line 2", "5 cells"]),
        ('file,start_time,end_time,label\na,1,2,"x\n', ["quotes"]),
        ("file,start_time,label\n", ["line 1", "end", "rename"]),
        ("", ["line 1", "none"]),
    ],
)
def test_malformed_tables_name_file_line_and_remedy(tmp_path, text, words):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_events(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_a_damaged_parquet_is_named(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 no")
    with pytest.raises(FormatError, match=r"x\.parquet"):
        read_events(path)


@pytest.mark.parametrize("offset", ["-3", "00:01:00", "3600"])
def test_the_file_offset_of_raven_counts_only_beside_its_start(tmp_path: Path, offset: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"file,start,end,label,File Offset (s),End File\na.wav,0,1,x,{offset},b.wav\n")
    table = read_events(path)
    assert [(row.begin_path, row.start_s, row.end_s) for row in table.rows] == [("a.wav", 0.0, 1.0)]
    assert table.unread == {"File Offset (s)": 1, "End File": 1}
