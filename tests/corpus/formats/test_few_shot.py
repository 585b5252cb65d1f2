"""Tables of few-shot bioacoustics (DCASE): POS is a call of its column's class, NEG none, UNK is refused."""

from pathlib import Path

import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import ReadOptions, guess

from .recognised_tables import events

HEADER = "Audiofilename,Starttime,Endtime,"


def read(path: Path, text: str, default_label: str | None = None) -> EventTable:
    path.write_text(text)
    options = ReadOptions(default_label=default_label)
    known = guess(path, options)
    assert known is not None
    assert known.name == "dcase-few-shot"
    assert known.read is not None
    table = known.read(path, options)
    assert isinstance(table, EventTable)
    return table


def test_pos_is_a_call_of_its_class_and_neg_a_reviewed_stretch(tmp_path: Path) -> None:
    rows = "a.wav,1,2,POS,NEG\na.wav,3,4,POS,POS\nb.wav,5,6,NEG,NEG\n"
    table = read(tmp_path / "x.csv", f"{HEADER}AMRE,BBWA\n{rows}")
    assert [(row.begin_path, row.start_s, row.end_s, row.label) for row in table.rows] == [
        ("a.wav", 1.0, 2.0, "AMRE"),
        ("a.wav", 3.0, 4.0, "AMRE"),
        ("a.wav", 3.0, 4.0, "BBWA"),
    ]
    # Somebody listened to b.wav, and found none.
    assert table.files == ("a.wav", "b.wav")
    assert not table.unread


def test_two_columns_of_one_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"x\.csv, line 1: there are two columns 'AMRE'; rename one"):
        read(tmp_path / "x.csv", f"{HEADER}AMRE,AMRE\na.wav,1,2,POS,NEG\n")


def test_a_row_that_is_confirmed_of_no_class_is_refused(tmp_path: Path) -> None:
    rows = "a.wav,1,2,POS,POS\na.wav,3,4,,NEG\na.wav,5,6,,{}\n"
    with pytest.raises(FormatError, match=r"line 4: is neither POS nor NEG in the column 'AMRE'; write one of them"):
        read(tmp_path / "x.csv", f"{HEADER}AMRE,checked\n{rows.format('POS')}")
    assert len(read(tmp_path / "x.csv", f"{HEADER}AMRE,checked\n{rows.format('NEG')}").rows) == 1


def test_a_call_without_times_is_refused_and_a_file_alone_is_reviewed(tmp_path: Path) -> None:
    assert read(tmp_path / "x.csv", f"{HEADER}AMRE\na.wav,1,2,POS\nb.wav,,,\n").files == ("a.wav", "b.wav")
    with pytest.raises(FormatError, match=r"x\.csv, line 3: the start is ''"):
        read(tmp_path / "x.csv", f"{HEADER}AMRE\na.wav,1,2,POS\nb.wav,,,POS\n")


@pytest.mark.parametrize("heading", ["Q", "AMRE"])
def test_unknown_stretches_are_never_learned_as_background(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "x.csv"
    text = f"{HEADER}{heading}\na.wav,1,2,POS\na.wav,3,4,UNK\n"
    with pytest.raises(FormatError, match=rf"x\.csv, line 3: '{heading}' is UNK in 1 of 2 rows, and their stretches"):
        read(path, text, "call")
    # The remedy works.
    assert len(read(path, text.replace("UNK", "NEG"), "call").rows) == 1


def test_the_class_of_a_column_q_must_be_named(tmp_path: Path) -> None:
    text = f"{HEADER}Q\na.wav,1,2,POS\n"
    with pytest.raises(FormatError, match=r"line 1: the class that POS means in the column 'Q' is not named"):
        read(tmp_path / "x.csv", text)
    assert [row.label for row in read(tmp_path / "x.csv", text, "meerkat").rows] == ["meerkat"]
    assert [row.label for row in read(tmp_path / "x.csv", text.replace("Q", "wren")).rows] == ["wren"]


@pytest.mark.parametrize("words", [("POS", "NEG"), ("pos", "neg")])
def test_further_columns_make_no_calls_of_neg(tmp_path: Path, words: tuple[str, str]) -> None:
    positive, negative = words
    text = f"{HEADER}Q,Site\na.wav,1,2,{positive},bog\na.wav,3,4,{negative},bog\nb.wav,5,6,{negative},fen\n"
    table = read(tmp_path / "x.csv", text, "owl")
    assert [(row.begin_path, row.start_s, row.label) for row in table.rows] == [("a.wav", 1.0, "owl")]
    assert table.files == ("a.wav", "b.wav")
    assert table.unread == {"Site": 3}
    with pytest.raises(FormatError, match=r"line 1: the class that POS means in the column 'Q' is not named"):
        read(tmp_path / "x.csv", text)
    with pytest.raises(FormatError, match="'Q' is UNK in 1 of 3 rows"):
        read(tmp_path / "x.csv", text.replace(f"3,4,{negative}", "3,4,unk"), "owl")


@pytest.mark.parametrize("label_column", ["Q", "q", "4", "Species, 4"])
def test_a_column_of_pos_and_neg_is_no_label_column(tmp_path: Path, label_column: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{HEADER}Q,Site\na.wav,1,2,POS,bog\na.wav,3,4,NEG,bog\n")
    options = ReadOptions(label_column=label_column, default_label="owl")
    known = guess(path, options)
    assert known is not None
    assert known.read is not None
    with pytest.raises(FormatError, match=r"line 1: the column 'Q' says of each row whether it is a call .* leave out"):
        known.read(path, options)


VERDICTS = "file,start_time,end_time,Art,Befund\na.wav,1,2,owl,pos\na.wav,3,4,crow,neg\n"


@pytest.mark.parametrize("default_label", [None, "call"])
@pytest.mark.parametrize("heading", ["Art", "Type"])
def test_a_column_of_words_may_name_the_classes(tmp_path: Path, heading: str, default_label: str | None) -> None:
    text = VERDICTS.replace("Art", heading)
    with pytest.raises(
        FormatError, match=rf"line 1: the class may be 'Befund', .* named in the column '{heading}'; .* 'Verdict'"
    ):
        read(tmp_path / "x.csv", text, default_label)
    # The remedies work; a comment is no class.
    path = tmp_path / "y.csv"
    path.write_text(text)
    assert [row.label for row in events(path, ReadOptions(heading, default_label)).rows] == ["owl", "crow"]
    path.write_text(text.replace("Befund", "Verdict"))
    assert [row.label for row in events(path, ReadOptions(heading, default_label)).rows] == ["owl"]
    assert [row.label for row in read(path, text.replace("Befund", "Q"), "call").rows] == ["call"]
    without = text.replace(f"{heading},", "").replace("owl,", "").replace("crow,", "")
    for kept in (without, text.replace(heading, "comment")):
        assert [row.label for row in read(tmp_path / "x.csv", kept, default_label).rows] == ["Befund"]


@pytest.mark.parametrize("wanted_label", ["Art", "4", "Species, 4"])
def test_a_label_column_by_name_or_number_is_read(tmp_path: Path, wanted_label: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(VERDICTS.replace("Befund", "Verdict"))
    options = ReadOptions(label_column=wanted_label)
    known = guess(path, options)
    assert known is not None
    assert known.name == "csv"
    assert known.read is not None
    table = known.read(path, options)
    assert isinstance(table, EventTable)
    # The row that is no call is left out, and counted.
    assert [row.label for row in table.rows] == ["owl"]
    [note] = table.notes
    assert note.message == "1 of 2 rows are no calls by the column 'Verdict' (NEG in line 3), and were left out"
    assert note.lost == 1


def test_a_class_that_is_unknown_in_all_rows_is_refused_beside_others(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'AMRE' is UNK in 2 of 2 rows"):
        read(tmp_path / "x.csv", f"{HEADER}AMRE,BBWA\na.wav,1,2,UNK,POS\na.wav,3,4,UNK,NEG\n")
    with pytest.raises(FormatError, match="'Q' is UNK in 1 of 1 rows"):
        read(tmp_path / "x.csv", f"{HEADER}Q\na.wav,1,2,UNK\n", "owl")


UNIDENTIFIED = [
    ("file,start_time,end_time,Code\na.wav,1,2,UNK\n", ReadOptions(label_column="Code"), "UNK"),
    ("file,start_time,end_time,Site,Sex\na.wav,1,2,bog,UNK\n", ReadOptions(default_label="owl"), "owl"),
]


@pytest.mark.parametrize(("text", "options", "label"), UNIDENTIFIED)
def test_unk_alone_makes_no_few_shot_table(tmp_path: Path, text: str, options: ReadOptions, label: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    known = guess(path, options)
    assert known is not None
    assert known.name == "csv"
    assert known.read is not None
    table = known.read(path, options)
    assert isinstance(table, EventTable)
    assert [row.label for row in table.rows] == [label]
