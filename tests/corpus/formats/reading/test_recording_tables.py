"""Several tables of one recording: copies are read once, layers add up, contradictions are refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.reading.recording_tables import combine

CALL = RawSelection(1.0, 2.0, "hum")
OTHER = RawSelection(5.0, 6.0, "trill")
FOLDER = Path("tables")


def combined(*tables: tuple[str, list[RawSelection]]) -> tuple[list[RawSelection], list[str]]:
    result = combine("a", tables, FOLDER)
    return result.rows, [note.kind for note in result.notes]


def test_copies_are_read_once_and_the_richer_counts() -> None:
    scored = replace(CALL, confidence=0.5)
    assert combined(("a.txt", [CALL]), ("a (1).txt", [scored])) == ([scored], ["same_table"])
    assert combined(("a.txt", []), ("b.txt", [])) == ([], ["same_table"])


def test_layers_of_raven_add_up_whatever_they_hold() -> None:
    one, two = "x/a.Table.1.selections.txt", "x/a.Table.2.selections.txt"
    assert combined((one, [CALL]), (two, [replace(CALL, end_s=1.5)])) == ([CALL, replace(CALL, end_s=1.5)], ["layers"])
    assert combined((one, []), (two, [CALL])) == ([CALL], ["layers"])
    with pytest.raises(FormatError, match=r"Table\.1.*and.*Table\.1.*contradict each other for a"):
        combined((one, [CALL]), ("y/a.Table.1.selections.txt", [replace(CALL, end_s=1.5)]))


def test_tables_of_different_calls_add_up_and_that_is_said() -> None:
    assert combined(("calls.csv", [CALL]), ("songs.csv", [OTHER])) == ([CALL, OTHER], ["layers"])
    crossing = replace(OTHER, start_s=1.5)
    assert combined(("calls.csv", [CALL]), ("songs.csv", [crossing])) == ([CALL, crossing], ["layers"])


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "one of them says that nothing was found"),
        ([replace(CALL, end_s=2.5)], "one holds 'hum' from 1 to 2 s, the other 'hum' from 1 to 2.5 s"),
        ([replace(CALL, label="trill")], "one holds 'hum' from 1 to 2 s, the other 'trill' from 1 to 2 s"),
        ([CALL, OTHER], "both hold 'hum' from 1 to 2 s, but not the same rows in all"),
    ],
)
def test_contradictions_name_both_tables_and_the_call(rows: list[RawSelection], why: str) -> None:
    with pytest.raises(FormatError) as caught:
        combined(("one.csv", [CALL]), ("two.csv", rows))
    assert str(caught.value).startswith("tables: one.csv and two.csv contradict each other for a: " + why)


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.sampled_from("ab")), max_size=6, unique=True)


@given(one=spans, two=spans)
def test_contradictions_are_those_of_a_plain_comparison(
    one: list[tuple[int, int, str]], two: list[tuple[int, int, str]]
) -> None:
    a, b = ([RawSelection(float(t), float(t + n), label) for t, n, label in rows] for rows in (one, two))

    def clash(row: RawSelection, other: RawSelection) -> bool:
        same = (row.start_s, row.end_s) == (other.start_s, other.end_s)
        share = min(row.end_s, other.end_s) > max(row.start_s, other.start_s)
        return same or (share and row.label == other.label)

    equal = sorted(one) == sorted(two)
    refused = not equal and (not a or not b or any(clash(row, other) for row in a for other in b))
    if refused:
        with pytest.raises(FormatError):
            combined(("one.csv", a), ("two.csv", b))
    else:
        assert combined(("one.csv", a), ("two.csv", b))[0] == (a if equal else a + b)
