"""Which columns hold the times: of several pairs, and of offsets beside durations, none is guessed."""

from pathlib import Path

import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.columns.headings import SAMPLES, counts_samples
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.registry import ReadOptions

from ..recognised_tables import events, events_or_refusal


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


def test_every_heading_of_samples_is_known_to_count_them() -> None:
    assert [key for key in sorted(SAMPLES) if not counts_samples(key)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "start,end,label\n1717221600,1717221601,hum\n"),
        ("b.csv", "file,start_ms,end_ms,label\na.wav,1,1e308,hum\n"),
        ("a.txt", "1e307\t1e308\thum\n"),
        ("a.selections.txt", "Begin Time (s)\tEnd Time (s)\tAnnotation\n1\t2e9\thum\n"),
        ("c.csv", "IN FILE,OFFSET,DURATION,TOP1MATCH\na.wav,1e308,1e308,hum\n"),
        ("d.tsv", "filename\tonset\toffset\tevent_label\na.wav\t1\t1e12\thum\n"),
        ("e.csv", "file,start_time,end_time,hum\na.wav,0,1e300,1\n"),
    ],
)
def test_times_that_no_recording_holds_are_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FormatError, match=r"line [12]: the end .* s lies beyond 1000000000 s \(31 years\)"):
        events(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", "file,start_time,end_time,label\na.wav,1,2,hum\nTotal,,,1\n"),
        ("x.txt", "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t1\t2\thum\nAnnotated by JD\n"),
    ],
)
def test_a_remark_or_a_total_below_the_events_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    for options in (None, ReadOptions(default_label="hum")):
        assert "line 3: has neither a start nor an end; fill them in, or remove the row" in str(
            events_or_refusal(tmp_path / name, options)
        )
