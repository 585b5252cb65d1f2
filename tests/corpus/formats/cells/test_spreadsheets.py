"""Tables as spreadsheets write them: separators, decimal commas, lines above the headings, cells that were changed."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.audacity import is_audacity, read_audacity
from ossicle.corpus.formats.cells.delimited import read_delimited
from ossicle.corpus.formats.cells.dialect import Dialect, find_dialect
from ossicle.corpus.formats.cells.rows import number
from ossicle.corpus.formats.dcase import read_dcase, read_durations
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.kaleidoscope import read_kaleidoscope
from ossicle.corpus.formats.raven import read_raven
from ossicle.corpus.formats.registry import guess
from ossicle.corpus.formats.window_tables.score_tables import read_opensoundscape

ROWS = [("a.wav", 1.5, 2.5, "hum"), ("b.wav", 0.25, 1.0, "trill")]
HEADINGS = ["file", "start_time", "end_time", "label"]


def write(path: Path, delimiter: str, *, comma: bool, before: Sequence[str] = (), encoding: str = "utf-8") -> Path:
    cells = [[str(cell) for cell in row] for row in ROWS]
    if comma:
        cells = [[file, start.replace(".", ","), end.replace(".", ","), label] for file, start, end, label in cells]
    if comma and delimiter == ",":
        cells = [[f'"{cell}"' for cell in row] for row in cells]
    lines = [*before, delimiter.join(HEADINGS), *(delimiter.join(row) for row in cells)]
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


def read(path: Path) -> list[tuple[str, float, float, str]]:
    known = guess(path)
    assert known is not None
    assert known.name == "csv"
    return [(row.begin_path, row.start_s, row.end_s, row.label) for row in read_events(path).rows]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("before", [[], ["sep={}"], ["Calls of June 2024", "", "by J. Doe;"], ["# made by a script"]])
@pytest.mark.parametrize(
    ("delimiter", "comma"), [(";", True), (";", False), ("\t", True), (",", False), (",", True), ("|", False)]
)
def test_tables_of_spreadsheets_are_read(
    tmp_path: Path, delimiter: str, comma: bool, before: list[str], encoding: str, suffix: str
) -> None:
    above = [line.format(delimiter) for line in before]
    path = write(tmp_path / f"x{suffix}", delimiter, comma=comma, before=above, encoding=encoding)
    assert read(path) == ROWS


millis = st.integers(0, 10**7).map(lambda value: f"{value / 1000:.3f}")


@settings(deadline=None, max_examples=50)
@given(times=st.lists(st.tuples(millis, millis), min_size=1, max_size=5), delimiter=st.sampled_from([";", "\t"]))
def test_decimal_commas_are_read_right_or_refused(
    tmp_path_factory: pytest.TempPathFactory, times: list[tuple[str, str]], delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "commas.csv"
    spans = [tuple(sorted(pair, key=float)) for pair in times]
    lines = [delimiter.join([*(text.replace(".", ",") for text in span), "x"]) for span in spans]
    path.write_text("\n".join([delimiter.join(HEADINGS[1:]), *lines]))
    # Three digits after a comma may be thousands, unless semicolons show that the comma is that of decimals.
    if delimiter == "\t" and all(re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text) for span in spans for text in span):
        with pytest.raises(FormatError, match="write decimals with a dot"):
            read_events(path)
        return
    result = [(row.start_s, row.end_s) for row in read_events(path).rows]
    assert result == [(float(start), float(end)) for start, end in spans]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("start_time;end_time;label\n1,5;2.5;x\n", "line 2: '1,5' has a decimal comma, and other numbers have a point"),
        ("start_time\tend_time\tlabel\n1,234\t2,345\tx\n", "line 2: '1,234' could be 1.234 or 1234"),
        ('start_time,end_time,label\n"1,234","2,345",x\n', "line 2: '1,234' could be 1.234 or 1234"),
        ("start_time;end_time;label\n1.234,5;2.345,5;x\n", "line 2: the start is '1.234,5', not a number"),
        ("start_time;end_time;label\n1.234,5;2.345,5;x\n", "write it without marks of thousands"),
        ('start_time,end_time,label\n"1,234.5","2,345.5",x\n', "write it without marks of thousands"),
        ("start_time;end_time;label\n1 234,5;1\u00a0235,5;x\n", "write it without marks of thousands"),
        ("start_time,end_time,label\n\u22120.5,2,x\n", "write a minus sign as -"),
        ("start_time;end_time;label\n00:01:30,5;00:01:31;x\n", "as hours:minutes:seconds is 90.5"),
        ("start_time,end_time,label\n1:20,1:21,x\n", "write seconds from the start of the recording (1:20 as minutes"),
        ("start_time,end_time,label\n01. Mai,2,x\n", "looks like a date that a spreadsheet made of a number"),
        ("start_time,end_time,label\n5-Jan,2,x\n", "looks like a date that a spreadsheet made of a number"),
        ("start_time,end_time,label\n2024-06-01 05:00:00,2,x\n", "looks like a date with a time of day: write seconds"),
        ("start_time,end_time,label\n2024-06-01T05:00:01.5Z,2,x\n", "looks like a date with a time of day"),
        ("start_time,end_time,label\n01/06/2024 5:00 PM,2,x\n", "looks like a date with a time of day"),
        ("start_time,end_time,label\n2024-06-01T05:00:01+10:00,2,x\n", "looks like a date with a time of day"),
        ("start_time,end_time,label\n2024-06-01,2,x\n", "looks like a date that a spreadsheet made of a number"),
        ("start_time,end_time,label\n1.5 s,2.5 s,x\n", "write the number without its unit"),
        ("1.5;2.5;hum\n3;4;hum\n", "has no headings"),
    ],
)
def test_what_is_not_certain_is_refused_with_its_cause(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_events(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_every_reader_of_numbers_takes_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("1,500000\t2,500000\thum\t0,75\n\\\t100,5\t200,25\n")
    assert is_audacity(path.read_text())
    raw_selection = read_audacity(path)[0]
    assert (
        raw_selection.start_s,
        raw_selection.end_s,
        raw_selection.label,
        raw_selection.low_hz,
        raw_selection.high_hz,
        raw_selection.confidence,
    ) == (
        *(1.5, 2.5, "hum"),
        *(100.5, 200.25, 0.75),
    )
    path.write_text("Begin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tAnnotation\n1,5\t2,5\t0,5\t1,5 calls\n")
    assert [(row.start_s, row.low_hz, row.label) for row in read_raven(path)] == [(1.5, 0.5, "1,5 calls")]
    path.write_text("IN FILE;OFFSET;DURATION;TOP1MATCH\na.wav;1,5;1,0;hum\n")
    assert [(row.start_s, row.end_s) for row in read_kaleidoscope(path).rows] == [(1.5, 2.5)]
    path.write_text("a.wav\t1,5\t2,5\thum\nb.wav\t0,25\t1,0\thum\n")
    assert [row.start_s for row in read_dcase(path).rows] == [1.5, 0.25]
    path.write_text("filename;duration\na.wav;60,5\n")
    assert read_durations(path) == {"a.wav": 60.5}
    path.write_text("file;start_time;end_time;wren\na.wav;0,0;1,5;0,25\n")
    assert read_opensoundscape(path).files["a.wav"].values.tolist() == [[0.25]]


def test_mixed_points_and_commas_of_a_label_track_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("1,500000\t2.500000\thum\n")
    with pytest.raises(FormatError, match="line 1: '1,500000' has a decimal comma, and other numbers have a point"):
        read_audacity(path)


def test_row_numbers_of_r_are_no_column(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('"start","end","label"\n"1",1.5,2.5,"hum"\n"2",3,4,"hum"\n')
    assert read_delimited(path).header == ("", "start", "end", "label")
    assert [row.start_s for row in read_events(path).rows] == [1.5, 3.0]
    path.write_text("start,end,label\n1,1.5,2.5,hum\n7,3,4,hum\n")
    with pytest.raises(FormatError, match="line 2: has 4 cells for 3 columns"):
        read_events(path)


def test_the_line_of_the_headings_is_that_of_messages(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", ";", comma=True, before=["a title", "", "1"])
    path.write_text(path.read_text().replace("0,25", "late"))
    with pytest.raises(FormatError, match=r"x\.csv, line 6: the start is 'late'"):
        read_events(path)


def test_dialects() -> None:
    assert find_dialect("") == Dialect()
    assert find_dialect("sep=|\na|b\n") == Dialect("|", 1)
    assert find_dialect("\n\na;b\n") == Dialect(";", 2)
    assert find_dialect("title\nx,y\n", lambda header: header == ["x", "y"]) == Dialect(",", 1)


@pytest.mark.parametrize("text", ["1:2:3:4", "1/2/3 calls", "1_0", "one", ""])
def test_other_cells_are_named_as_they_are(text: str) -> None:
    with pytest.raises(FormatError, match=f"it is {re.escape(repr(text))}, not a number; correct the cell"):
        number(text, "x", "it")


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("# made by hand\n\nname,size\na,1\n", ("name", "size")),
        ("# made by hand\n# name,size\na,1\n", ("# name", "size")),
        ("#name,size\na,1\n", ("#name", "size")),
        ("# one, two, three\nname,size\na,1\n", ("name", "size")),
        ("# only\n# comments\n", ("# only",)),
        ("# of one column\nname\na\n", ("name",)),
        ("sep=;\n# made by hand\nname;size\na;1\n", ("name", "size")),
    ],
)
def test_comments_above_headings_that_are_not_known(tmp_path: Path, text: str, header: tuple[str, ...]) -> None:
    (tmp_path / "x.csv").write_text(text)
    assert read_delimited(tmp_path / "x.csv").header == header


def test_a_row_with_more_vertical_bars_than_headings_names_them(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("place|species\nsite|wren|robin\n")
    with pytest.raises(FormatError, match=r"line 2: has 3 cells for 2 columns; .* check the vertical bars"):
        read_delimited(table)


def test_a_vertical_bar_beside_commas_stands_within_a_label() -> None:
    assert find_dialect("1.0,2.0,a|b|c|d\n") == Dialect(",", 0)
