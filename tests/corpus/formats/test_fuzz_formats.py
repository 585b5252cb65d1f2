"""Every parser on arbitrary bytes: it reads, or says with file and line why not; and no row is lost on the way."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.dcase import read_durations
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import FORMATS, ReadOptions, guess

READERS = {name: one for name, one in FORMATS.items() if one.read is not None}

HEADERS = [
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation",
    "file,start_time,end_time,label,score,quality",
    "filename\tonset\toffset\tevent_label",
    "INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH,confidence",
    "file,start_time,end_time,wren,robin",
    "onset\toffset\twren",
    "",
]
cell = st.sampled_from(
    [
        "0",
        "1.5",
        "-1",
        "nan",
        "1e999",
        "1_0",
        "3",
        "a",
        "a.wav",
        "",
        " ",
        '"',
        '"a',
        "'=x",
        "\\",
        "\0",
        "é",
        "Spectrogram 1",
    ]
)
line = st.tuples(st.sampled_from("\t,"), st.lists(cell, max_size=9)).map(lambda parts: parts[0].join(parts[1]))
tables = st.tuples(st.sampled_from(HEADERS), st.lists(line, max_size=4), st.sampled_from(["\n", "\r\n", "\r"])).map(
    lambda parts: parts[2].join([parts[0], *parts[1]]).encode()
)


def check(path: Path, read) -> None:
    result = str(path)
    try:
        read(path)
    except FormatError as problem:
        result = str(problem)
    assert str(path) in result


@settings(deadline=None, max_examples=60)
@given(content=st.binary(max_size=200) | tables)
def test_a_parser_reads_or_says_why_not(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    for suffix in (".txt", ".csv", ".tsv", ".parquet"):
        path = folder / f"fuzz{suffix}"
        path.write_bytes(content)
        check(path, guess)
        if suffix != ".parquet":
            check(path, read_durations)
        for one in READERS.values():
            if suffix in one.suffixes:
                check(path, lambda place, read=one.read: read(place, ReadOptions()))


good = st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from(["wren", "x y"]), st.integers(1, 2))


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(good, max_size=6), bad=st.none() | st.integers(0, 5))
@pytest.mark.parametrize("name", ["raven", "audacity", "csv", "dcase", "kaleidoscope"])
def test_all_rows_come_in_or_the_table_is_refused(tmp_path_factory, name, rows, bad):
    def text(number: int, row: tuple[int, int, str, int]) -> str:
        start, length, label, channel = row
        end = str(start + length) if number != bad else "late"
        return {
            "raven": f"{number // 2}\tSpectrogram {channel}\t{channel}\t{start}\t{end}\t0\t10\t{label}",
            "audacity": f"{start}\t{end}\t{label}",
            "csv": f"a.wav,{start},{end},{label},0.5,3",
            "dcase": f"a.wav\t{start}\t{end}\t{label}",
            "kaleidoscope": f"in,a,b.wav,{start},{length if number != bad else 'long'},{label},0.5",
        }[name]

    header = {"raven": 0, "csv": 1, "dcase": 2, "kaleidoscope": 3}
    lines = [HEADERS[header[name]]] if name in header else []
    lines += [text(k, row) for k, row in enumerate(rows)]
    path = tmp_path_factory.getbasetemp() / f"rows{'.csv' if header.get(name, 0) else '.txt'}"
    path.write_text("".join(f"{one}\n" for one in lines))
    read = FORMATS[name].read
    if bad is not None and bad < len(rows):
        with pytest.raises(FormatError, match=f"line {bad + 1 + (name in header)}"):
            read(path, ReadOptions())
        return
    table = read(path, ReadOptions())
    assert isinstance(table, EventTable)
    assert len(table.rows) + table.doubled == len(rows)
