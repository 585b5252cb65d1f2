"""Kaleidoscope: what a person entered counts before the match."""

from pathlib import Path

import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.kaleidoscope import read_kaleidoscope

HEADER = "INDIR,FOLDER,IN FILE,OFFSET,DURATION,"


def table(tmp_path: Path, columns: str, *cells: str) -> Path:
    path = tmp_path / "cluster.csv"
    rows = [f"D:\\birds,,a.wav,{5 + 2 * k},1.0,{text}" for k, text in enumerate(cells)]
    path.write_text("\n".join([HEADER + columns, *rows]))
    return path


@pytest.mark.parametrize(
    ("columns", "cells", "labels"),
    [
        ("TOP1MATCH,TOP1DIST,MANUAL ID", ["cluster7,0.4,WoodThrush", "cluster7,0.4,"], ["WoodThrush", "cluster7"]),
        ("TOP1MATCH*,MANUAL ID*", ["cluster7,WoodThrush"], ["WoodThrush"]),
        ("AUTO ID,MANUAL ID", ["MYOLUC,", "MYOLUC,EPTFUS"], ["MYOLUC", "EPTFUS"]),
        ("MANUAL ID", ["wren"], ["wren"]),
        ("TOP1MATCH,MANUAL ID", ["cluster7,"], ["cluster7"]),
    ],
)
def test_an_edited_identification_is_the_label(
    tmp_path: Path, columns: str, cells: list[str], labels: list[str]
) -> None:
    kaleidoscope = read_kaleidoscope(table(tmp_path, columns, *cells))
    assert [row.label for row in kaleidoscope.rows] == labels
    assert "MANUAL ID" not in kaleidoscope.unread


def test_a_mixture_is_said_and_a_column_may_be_chosen(tmp_path: Path) -> None:
    path = table(tmp_path, "TOP1MATCH,MANUAL ID", "cluster7,wren", "cluster7,")
    assert [note.message for note in read_kaleidoscope(path).notes] == [
        "1 of 2 rows are labelled by MANUAL ID, the others by TOP1MATCH"
    ]
    chosen = read_kaleidoscope(path, label_column="top1match")
    assert [row.label for row in chosen.rows] == ["cluster7", "cluster7"]
    assert chosen.notes == ()
    with pytest.raises(FormatError, match="line 3: the label is empty"):
        read_kaleidoscope(path, label_column="MANUAL ID")
    assert [row.label for row in read_kaleidoscope(path, label_column="MANUAL ID", default_label="x").rows] == [
        "wren",
        "x",
    ]


ALL = "TOP1MATCH,MANUAL ID,Verdict"


@pytest.mark.parametrize(
    ("cells", "mixed"),
    [
        (["c7,wren,NEG", "c7,wren,NEG", "c7,,POS", "c7,,POS", "c7,,POS"], None),
        (["c7,wren,NEG", "c7,wren,NEG", "c7,wren,POS", "c7,,POS"], "1 of 2 rows are labelled by MANUAL ID"),
    ],
)
def test_rows_that_are_no_calls_do_not_count_as_labelled(tmp_path: Path, cells: list[str], mixed: str | None) -> None:
    notes = read_kaleidoscope(table(tmp_path, ALL, *cells)).notes
    messages = [note.message.partition(",")[0] for note in notes if note.kind == "mixed_labels"]
    assert messages == ([mixed] if mixed else [])
