import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.label_cells import parse_labels

labels = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6)


def kept(names: list[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in names if name.strip())


@given(labels)
def test_what_python_and_json_write_is_read(names: list[str]) -> None:
    assert parse_labels(repr(names), "t.csv, line 2", "more") == kept(names)
    # JSON spells what is beyond 16 bits as two halves, which no table of labels needs.
    if all(ord(one) < 0x10000 for name in names for one in name):
        assert parse_labels(json.dumps(names), "t.csv, line 2", "more") == kept(names)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("", ()), ("  ", ()), ("[]", ()), ("['']", ()), ("[ 'a' , \"b's\", ]", ("a", "b's")), ("['a','a']", ("a", "a"))],
)
def test_cells_as_tables_hold_them(cell: str, expected: tuple[str, ...]) -> None:
    assert parse_labels(cell, "t.csv, line 2", "more") == expected


@pytest.mark.parametrize(
    "cell", ["a", "['a'", "['a' 'b']", "[a]", "{'a'}", "['a'],", "nan", "[1]", "['a', ['b']]", "['a\\']"]
)
def test_what_is_no_list_is_named_with_its_line(cell: str) -> None:
    with pytest.raises(FormatError, match=r"^t\.csv, line 7: more is .*not a list of labels; write \['a', 'b'\]"):
        parse_labels(cell, "t.csv, line 7", "more")


def test_nothing_in_a_cell_is_run(tmp_path: Path) -> None:
    # The scripts before us evaluated this cell.
    mark = tmp_path / "ran"
    for cell in (f"[open({str(mark)!r}, 'w').close()]", f"__import__('pathlib').Path({str(mark)!r}).touch()"):
        with pytest.raises(FormatError):
            parse_labels(cell, "t.csv, line 2", "more")
    assert not mark.exists()


def test_a_hostile_cell_is_refused_at_once() -> None:
    for cell in (
        "[" + " " * 50_000 + "x",
        "['a'" + " " * 50_000 + "x",
        "['a'" + ", 'b'" * 20_000,
        "['" + "\\" * 50_001,
    ):
        with pytest.raises(FormatError):
            parse_labels(cell, "t.csv, line 2", "more")
