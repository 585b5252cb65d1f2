"""Times of Raven tables over several files: right where the lengths allow one reading, else refused."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.raven import read_raven_table
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths, SessionRow, lengths_of, place_in_files

TABLE = Path("session.selections.txt")
HEADER = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tBegin File\tAnnotation"


def known(lengths_s: Mapping[str, float], others: Collection[str] = ()) -> FileLengths:
    paths = [*lengths_s, *others]
    return lengths_of(lengths_s.get, lambda stated: stated if stated in paths else None, paths)


def row(file: str, start: float, length: float = 1.0, offset: float | None = None, end_file: str = "") -> SessionRow:
    return SessionRow(2, RawSelection(start, start + length, "hum", begin_path=file), offset, end_file)


def starts(rows: list[SessionRow], lengths: FileLengths) -> list[tuple[str, float]]:
    return [
        (raw_selection.begin_path, raw_selection.start_s) for raw_selection in place_in_files(TABLE, rows, lengths)[0]
    ]


def test_the_lengths_decide_between_both_readings() -> None:
    a, b = row("a.wav", 1.0), row("b.wav", 12.0)
    with pytest.raises(
        FormatError, match=r"line 2: 12 s of 'b\.wav' could count from the start of this file, or run on"
    ):
        starts([a, b], known({"a.wav": 10.0, "b.wav": 30.0}))
    # A short second file leaves only times that run on, a long first one only times in each file.
    assert starts([a, b], known({"a.wav": 10.0, "b.wav": 5.0})) == [("a.wav", 1.0), ("b.wav", 2.0)]
    assert starts([a, b], known({"a.wav": 60.0, "b.wav": 30.0})) == [("a.wav", 1.0), ("b.wav", 12.0)]
    # A recording without calls may lie between them.
    with pytest.raises(FormatError, match="File Offset"):
        starts([a, b], known({"a.wav": 10.0, "b.wav": 5.0}, others=["aa.wav"]))


def test_times_that_lie_among_each_other_cannot_run_on() -> None:
    rows = [row("a.wav", 1.0), row("b.wav", 3.0), row("a.wav", 5.0)]
    assert starts(rows, NO_LENGTHS) == [("a.wav", 1.0), ("b.wav", 3.0), ("a.wav", 5.0)]
    with pytest.raises(FormatError, match=r"or give the recordings \(--audio\)"):
        starts([row("a.wav", 1.0), row("b.wav", 3.0)], NO_LENGTHS)


def test_one_file_is_taken_to_be_the_first_and_that_is_said() -> None:
    session_rows = [row("b.wav", 12.0)]
    assert [note.kind for note in place_in_files(TABLE, session_rows, NO_LENGTHS)[1]] == ["times_assumed"]
    assert place_in_files(Path("b.Table.1.selections.txt"), session_rows, NO_LENGTHS)[1] == []
    assert place_in_files(TABLE, [row("b.wav", 12.0, offset=2.0)], NO_LENGTHS)[1] == []


def test_one_file_and_no_file_need_no_decision() -> None:
    assert starts([row("a.wav", 1.0), row("a.wav", 99.0)], known({"a.wav": 10.0})) == [("a.wav", 1.0), ("a.wav", 99.0)]
    assert starts([row("", 1.0), row("", 3.0)], NO_LENGTHS) == [("", 1.0), ("", 3.0)]


def test_rows_with_an_offset_say_what_the_others_mean() -> None:
    whole = [row("a.wav", 1.0, offset=1.0), row("b.wav", 12.0, offset=2.0), row("b.wav", 15.0)]
    assert starts(whole, NO_LENGTHS) == [("a.wav", 1.0), ("b.wav", 2.0), ("b.wav", 5.0)]
    with pytest.raises(FormatError, match="'File Offset \\(s\\)' is empty, and in other rows the times run on"):
        starts([*whole, row("c.wav", 50.0)], NO_LENGTHS)
    within = [row("a.wav", 1.0, offset=1.0), row("b.wav", 12.0, offset=12.0), row("c.wav", 50.0)]
    assert starts(within, NO_LENGTHS)[2] == ("c.wav", 50.0)
    with pytest.raises(FormatError, match="starts 3 s before its file"):
        starts([row("b.wav", 12.0, offset=2.0), row("b.wav", 7.0)], NO_LENGTHS)


lengths = st.lists(st.integers(3, 60), min_size=2, max_size=4)


@settings(deadline=None, max_examples=200)
@given(lengths_s=lengths, data=st.data(), running=st.booleans(), blank=st.sampled_from(["all", "some", "none"]))
def test_calls_are_placed_where_they_are_or_the_table_is_refused(
    lengths_s: list[int], data: st.DataObject, running: bool, blank: str
) -> None:
    files = {f"{chr(97 + k)}.wav": float(length) for k, length in enumerate(lengths_s)}
    begins = dict(zip(files, [float(sum(lengths_s[:k])) for k in range(len(lengths_s))], strict=True))
    rows, truth = [], []
    for file, length_s in files.items():
        for start in data.draw(st.lists(st.integers(0, int(length_s) - 2), max_size=3, unique=True)):
            offset = None if blank == "all" or (blank == "some" and data.draw(st.booleans())) else float(start)
            rows.append(row(file, start + running * begins[file], offset=offset))
            truth.append((file, float(start)))
    for what_is_known in (known(files), known({}, others=list(files))):
        try:
            placed, notes = place_in_files(TABLE, rows, what_is_known)
        except FormatError:
            # Without offsets, refusing is right where both readings are possible; with all of them it never is.
            event(f"refused, offsets: {blank}")
            placed = None
        assert placed is not None or blank != "none"
        if placed is not None:
            result = [(raw_selection.begin_path, raw_selection.start_s) for raw_selection in placed]
            assert result == truth or [note.kind for note in notes] == ["times_assumed"]


def test_a_selection_over_the_end_of_its_file_goes_on_in_the_next() -> None:
    both = known({"a.wav": 10.0, "b.wav": 10.0})
    named = row("a.wav", 9.0, 3.0, offset=9.0, end_file="D:\\x\\b.wav")
    rows, notes = place_in_files(TABLE, [named], known({"a.wav": 10.0}, others=["b.wav"]))
    assert [(raw_selection.begin_path, raw_selection.start_s, raw_selection.end_s) for raw_selection in rows] == [
        ("a.wav", 9.0, 10.0),
        ("D:\\x\\b.wav", 0.0, 2.0),
    ]
    assert [note.kind for note in notes] == ["divided_selection"]
    # Without the file of the end, the offsets of other rows show which file follows.
    unnamed = [row("a.wav", 9.0, 3.0, offset=9.0), row("b.wav", 15.0, offset=5.0)]
    rows, notes = place_in_files(TABLE, unnamed, both)
    assert [(raw_selection.begin_path, raw_selection.start_s, raw_selection.end_s) for raw_selection in rows] == [
        ("a.wav", 9.0, 10.0),
        ("b.wav", 0.0, 2.0),
        ("b.wav", 5.0, 6.0),
    ]
    assert [note.kind for note in notes] == ["divided_selection"]


def test_a_rest_that_cannot_be_placed_is_said() -> None:
    crossing = row("a.wav", 9.0, 3.0, offset=9.0, end_file="b.wav")
    rows, notes = place_in_files(TABLE, [crossing], NO_LENGTHS)
    assert [(raw_selection.begin_path, raw_selection.end_s) for raw_selection in rows] == [("a.wav", 12.0)]
    assert [(note.kind, "ends in 'b.wav'" in note.message) for note in notes] == [("crosses_files", True)]
    last = [row("a.wav", 1.0, offset=1.0), row("b.wav", 19.0, 3.0, offset=9.0)]
    rows, notes = place_in_files(TABLE, last, known({"a.wav": 10.0, "b.wav": 10.0}))
    assert [(note.kind, "passes the end of 'b.wav' by 2 s" in note.message) for note in notes] == [
        ("crosses_files", True)
    ]
    # A rounding error at the end is no crossing.
    assert place_in_files(TABLE, [row("a.wav", 9.0, 1.01, offset=9.0)], known({"a.wav": 10.0}))[1] == []


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_both_readers_of_raven_columns_decide_alike(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"session{suffix}"
    path.write_text(f"{HEADER}\n1\tS\t1\t1.0\t2.0\ta.wav\thum\n2\tS\t1\t12.0\t13.0\tb.wav\thum\n")
    read = read_raven_table if suffix == ".txt" else read_events
    assert [
        raw_selection.start_s for raw_selection in read(path, lengths=known({"a.wav": 10.0, "b.wav": 5.0})).rows
    ] == [1.0, 2.0]
    with pytest.raises(FormatError, match=rf"session{suffix}, line 3: 12 s of 'b.wav' could count from"):
        read(path, lengths=known({"a.wav": 10.0, "b.wav": 30.0}))
    offsets = path.read_text().replace("Begin File", "File Offset (s)\tBegin File").replace("\ta.wav", "\t1,0\ta.wav")
    path.write_text(offsets.replace("\tb.wav", "\t\tb.wav").replace("1,0", "1.0"))
    with pytest.raises(FormatError, match=r"line 3: 12 s of 'b\.wav' could count from"):
        read(path)


def test_what_is_not_known_is_no_length() -> None:
    lengths = known({"x/a.wav": 1.0, "x/b.wav": 2.0, "c.wav": 3.0})
    assert (lengths.seconds("x/a.wav"), lengths.seconds("z.wav")) == (1.0, None)
    assert lengths.are_all(["x/a.wav", "x/b.wav"])
    assert not lengths.are_all(["x/a.wav"])
    assert not lengths.are_all(["x/a.wav", "x/b.wav", "z.wav"])
    assert replace(lengths, are_all=NO_LENGTHS.are_all).are_all(["c.wav"]) is False
