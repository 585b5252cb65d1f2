"""Which column holds the labels: no other one becomes a label because there is none."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.columns.headings import NOT_CLASSES, has_label
from ossicle.corpus.formats.registry import ReadOptions

from ..recognised_tables import events, events_or_refusal

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


@pytest.mark.parametrize("heading", ["label", "class"])
def test_numbers_that_count_the_words_of_another_column_are_no_labels(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f"file,start_time,end_time,{heading},species\na.wav,1,2,0,robin\na.wav,3,4,1,wren\na.wav,5,6,0,robin\n"
        "a.wav,7,8,,robin\n"
    )
    assert [row.label for row in events(path).rows] == ["robin", "wren", "robin", "robin"]
    path.write_text(path.read_text().replace("a.wav,7,8,,robin\n", ""))
    assert [row.label for row in events(path, ReadOptions(label_column=heading)).rows] == ["0", "1", "0"]


def test_numbers_that_may_say_whether_a_word_applies_are_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("file,start_time,end_time,label,species\na.wav,1,2,0,robin\na.wav,3,4,1,robin\n")
    with pytest.raises(
        FormatError, match=r"a\.csv, line 1: the label may be 'label', .* or 'species', .*--label-column"
    ):
        events(path)
    assert [row.label for row in events(path, ReadOptions(label_column="species")).rows] == ["robin", "robin"]


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


def test_composed_and_decomposed_letters_name_the_same_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for written, stated in (("Espe\u0300ce", "esp\u00e8ce"), ("Esp\u00e8ce", "Espe\u0300ce")):
        path.write_text(f"start,end,{written}\n1,2,hum\n")
        assert [row.label for row in events(path, ReadOptions(stated)).rows] == ["hum"]
