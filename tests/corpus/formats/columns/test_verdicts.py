"""Verdicts mean the same in every format: NEG is no call, UNK is refused; other marks of a reviewer are reported."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.columns.verdicts import NO_CALLS
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.formats.segment_table import read_segments
from ossicle.corpus.formats.session_times import lengths_of

from ..recognised_tables import events, events_or_refusal

MARKED = [
    ("Confirmed", ("yes", "no"), 1),
    ("Accepted", ("1", "0"), 1),
    ("is_correct", ("True", "False"), 1),
    ("rejected", ("", "x"), 1),
    ("validated", ("present", "not present"), 1),
    ("verification", ("false positive", "incorrect"), 2),
    ("Verdict", ("accepted", "rejected"), 1),
    ("Presence", ("present", "absent"), 1),
    # Words of a judgement alone count under any heading.
    ("Outcome", ("TP", "FP"), 1),
    ("Evaluation", ("correct", "Incorrect"), 1),
    ("QA", ("", "false positive"), 1),
    ("rain", ("present", "absent"), 0),
    ("side", ("right", "left"), 0),
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


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a.wav", "b.wav"]),
        st.integers(0, 50),
        st.sampled_from(["owl", "crow"]),
        st.sampled_from(["POS", "NEG", "neg", " Pos", "UNK", ""]),
    ),
    min_size=1,
    max_size=5,
)
# Headings of the column of words, and of that of verdicts; and the default label.
SHAPES = [
    ("Species", "Verdict", None),
    ("Species", "Befund", None),
    ("Species", "validated", "call"),
    ("Comments", "Q", "call"),
    ("Comments", "Q", None),
    ("Comments", "Verdict", "call"),
    ("Comments", "checked", "call"),
    ("Comments", "AMRE", "call"),
    ("Weather", "AMRE", None),
    ("Weather", "Q", "call"),
]


@settings(deadline=None, max_examples=40)
@given(rows=ROWS, shape=st.sampled_from(SHAPES))
def test_the_same_rows_are_the_same_events_in_every_format(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, str, str]], shape: tuple[str, str, str | None]
) -> None:
    words, verdicts, default_label = shape
    folder = tmp_path_factory.getbasetemp()
    results = []
    for name, delimiter, raven in (("x.csv", ",", False), ("x.tsv", "\t", False), ("x.txt", "\t", True)):
        times = ("Begin Time (s)", "End Time (s)", "File Offset (s)") if raven else ("start_time", "end_time", "note")
        lines = [[*times, "Begin Path", words, verdicts]]
        lines += [[str(start), str(start + 1), str(start), file, label, text] for file, start, label, text in rows]
        path = folder / name
        path.write_text("\n".join(map(delimiter.join, lines)))
        result = events_or_refusal(path, ReadOptions(default_label=default_label))
        if isinstance(result, str):
            results.append(result.partition(": ")[2].partition(" (")[0])
        else:
            calls = [(row.begin_path, row.start_s, row.end_s, row.label) for row in result.rows]
            notes = [(note.kind, note.message, note.lost) for note in result.notes]
            results.append(str((calls, result.files, notes)))
            # UNK alone is no verdict, and `Befund` beside labels no heading of verdicts.
            assert len(calls) == sum(row[3].strip().lower() != "neg" or verdicts == "Befund" for row in rows)
    assert len(set(results)) == 1, results


RAVEN = "Selection\tBegin Time (s)\tEnd Time (s)\tFile Offset (s)\tBegin Path\tSite\tType\tVerdict\n"
RAVEN_ROWS = "1\t1\t2\t1\ta.wav\tbog\towl\tpos\n2\t3\t4\t3\tb.wav\tbog\tcrow\tneg\n"


@pytest.mark.parametrize(
    ("text", "default_label", "labels"),
    [
        (RAVEN + RAVEN_ROWS, None, ["owl"]),
        ((RAVEN + RAVEN_ROWS).replace("Type", "Tags"), None, ["owl"]),
        ((RAVEN + RAVEN_ROWS).replace("Type", "Weather"), "call", ["call"]),
    ],
)
def test_neg_in_a_table_of_raven_is_no_call(
    tmp_path: Path, text: str, default_label: str | None, labels: list[str]
) -> None:
    path = tmp_path / "x.txt"
    path.write_text(text)
    table = events(path, ReadOptions(default_label=default_label))
    assert [row.label for row in table.rows] == labels
    # Somebody listened to b.wav too.
    assert table.files == ("a.wav", "b.wav")
    [note] = [note for note in table.notes if note.kind == NO_CALLS]
    assert note.message == "1 of 2 rows are no calls by the column 'Verdict' (NEG in line 3), and were left out"
    path.write_text(text.replace("neg", "unk"))
    with pytest.raises(FormatError, match=r"line 3: 'Verdict' is UNK in 1 of 2 rows, and their stretches would be"):
        events(path, ReadOptions(default_label=default_label))
    # A label without a verdict may be one that nobody checked.
    path.write_text(text.replace("neg", ""))
    if default_label is None:
        assert [row.label for row in events(path).rows] == ["owl", "crow"]
        assert "1 of 2 rows have no verdict" in events(path).notes[-1].message
    else:
        with pytest.raises(FormatError, match=r"line 3: is neither POS nor NEG in the column 'Verdict'"):
            events(path, ReadOptions(default_label=default_label))


def test_no_calls_still_say_where_the_files_of_a_session_lie(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    header = "Begin Time (s)\tEnd Time (s)\tBegin File\tSpecies\tVerdict\n"
    path.write_text(f"{header}1\t2\ta.wav\towl\tNEG\n12\t13\tb.wav\towl\tPOS\n")
    lengths = lengths_of({"a.wav": 10.0, "b.wav": 10.0}.get, lambda stated: stated, ["a.wav", "b.wav"])
    table = events(path, ReadOptions(lengths=lengths))
    assert [(row.begin_path, row.start_s) for row in table.rows] == [("b.wav", 2.0)]


def test_matches_of_kaleidoscope_that_are_no_calls_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("IN FILE,OFFSET,DURATION,TOP1MATCH,Verdict\na.wav,1,1,owl,POS\nb.wav,2,1,owl,NEG\n")
    table = events(path)
    assert [(row.begin_path, row.label) for row in table.rows] == [("a.wav", "owl")]
    assert (table.files, [note.lost for note in table.notes]) == (("a.wav", "b.wav"), [1])


def test_verdicts_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("start_time,end_time,label,Q,Verdict\n1,2,owl,POS,POS\n3,4,owl,NEG,POS\n")
    message = r"line 3: 'Verdict' is POS and 'Q' is NEG; correct the wrong one, or remove the column that does"
    with pytest.raises(FormatError, match=message):
        events(path)
    # A sex that is unknown is no verdict.
    path.write_text("start_time,end_time,label,Q,Sex\n1,2,owl,POS,UNK\n3,4,owl,NEG,UNK\n")
    assert len(events(path).rows) == 1


def test_segments_are_never_left_out_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,start,end,Q\na.wav,1,2,POS\na.wav,3,4,NEG\n")
    with pytest.raises(FormatError, match=r"1 of 2 rows are no calls by the column 'Q' .*; remove these rows, or"):
        read_segments(path)


def test_a_verdict_without_a_heading_names_no_class(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("start_time,end_time,\n1,2,POS\n3,4,NEG\n")
    with pytest.raises(FormatError, match="line 1: the class that POS means in the column 'column 3' is not named"):
        events(path)
    assert [row.label for row in events(path, ReadOptions(default_label="owl")).rows] == ["owl"]


def test_a_row_with_a_file_alone_lacks_no_verdict(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,start_time,end_time,label,Verdict\na.wav,1,2,owl,POS\nb.wav,,,owl,NEG\nc.wav,,,,\n")
    table = events(path)
    assert (table.files, [note.kind for note in table.notes]) == (("a.wav", "b.wav", "c.wav"), [NO_CALLS])


@pytest.mark.parametrize("label_column", ["auto", "label"])
@pytest.mark.parametrize("heading", ["valence", "Polarity", "Befund", ""])
def test_beside_labels_only_headings_of_verdicts_leave_rows_out(
    tmp_path: Path, heading: str, label_column: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"file,start,end,label,{heading}\na.wav,0,1,grunt,Pos\na.wav,2,3,scream,Neg\na.wav,4,5,owl,unk\n")
    table = events(path, ReadOptions(label_column))
    title = heading or "column 5"
    assert [row.label for row in table.rows] == ["grunt", "scream", "owl"]
    assert table.unread == {title: 3}
    [note] = table.notes
    assert (note.kind, note.lost) == ("review_marks", 0)
    assert note.message == f"1 of 3 rows are NEG in the column {title!r} (line 3), and were read like the others"


def test_columns_of_each_class_beside_labels_mark_no_row_that_is_a_call_of_one(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,start,end,species,crow,jay\na.wav,0,1,crow,POS,NEG\na.wav,2,3,jay,NEG,POS\n")
    table = events(path)
    assert ([row.label for row in table.rows], table.unread, table.notes) == (
        ["crow", "jay"],
        {"crow": 2, "jay": 2},
        (),
    )


NO_CALL_HEADINGS = ["rejected", "reject", "false_positive", "discard", "excluded", "is_incorrect", "remove"]


@pytest.mark.parametrize("heading", NO_CALL_HEADINGS)
def test_pos_under_rejected_marks_the_row_that_is_rejected(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"file,start,end,label,{heading}\na.wav,0,1,owl,POS\na.wav,2,3,crow,NEG\n")
    table = events(path)
    assert ([row.label for row in table.rows], table.unread) == (["owl", "crow"], {heading: 2})
    [note] = table.notes
    assert note.message == (
        f"1 of 2 rows are marked as no calls in the column {heading!r} ('POS' in line 2), and were read like the others"
    )


@pytest.mark.parametrize("heading", [*NO_CALL_HEADINGS, "Confirmed", "checked"])
@pytest.mark.parametrize("mark", ["unknown", "?", "Unsure", "UNK"])
def test_rows_of_which_a_reviewer_was_not_certain_are_reported(tmp_path: Path, heading: str, mark: str) -> None:
    other = "POS" if mark == "UNK" else "yes"
    path = tmp_path / "x.csv"
    path.write_text(f"file,start,end,label,{heading}\na.wav,0,1,owl,{mark}\na.wav,2,3,crow,{other}\n")
    if mark == "UNK" and heading in ("Confirmed", "checked"):
        with pytest.raises(FormatError, match=f"line 2: {heading!r} is UNK in 1 of 2 rows"):
            events(path)
        return
    message = (
        f"1 of 2 rows are marked as not certain in the column {heading!r} ({mark!r} in line 2), and were read like the "
        "others"
    )
    assert message in [note.message for note in events(path).notes]


@pytest.mark.parametrize("heading", NO_CALL_HEADINGS)
def test_rejected_is_no_class(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"file,start,end,{heading}\na.wav,0,1,POS\na.wav,2,3,NEG\n")
    assert [row.label for row in events(path, ReadOptions(default_label="owl")).rows] == ["owl", "owl"]
    path.write_text(f"file,start,end,AMRE,{heading}\na.wav,0,1,POS,POS\na.wav,2,3,NEG,NEG\n")
    table = events(path)
    assert [row.label for row in table.rows] == ["AMRE"]
    assert [note.kind for note in table.notes] == [NO_CALLS, "review_marks"]


def test_the_class_of_q_need_not_be_named_where_nothing_was_found(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("file,start,end,Q\na.wav,0,1,NEG\n")
    table = events(path)
    assert (table.rows, table.files, [note.kind for note in table.notes]) == ((), ("a.wav",), [NO_CALLS])
