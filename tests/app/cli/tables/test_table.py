import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from ossicle.app.cli.tables.column_parts import column_parts
from ossicle.app.cli.tables.table import print_rows, tables_of


@pytest.mark.parametrize("stderr", [False, True])
def test_piped_rows_are_whole_and_not_filled_up_with_blanks(capsys, stderr):
    long_cell = "a row of a log " * 30 + "end"
    print_rows(("check", "says"), [("labels", long_cell), ("band", "ok")], stderr=stderr)
    written = capsys.readouterr()
    lines = (written.err if stderr else written.out).splitlines()
    assert any(line.endswith(long_cell) for line in lines)
    assert lines == [line.rstrip() for line in lines]


def test_names_with_line_ends_stay_in_their_row(capsys):
    print_rows(("groups", "n"), [("Moor\nok   forged", "1"), ("esc\x1b[2J", "2")])
    lines = capsys.readouterr().out.splitlines()
    assert "  Moor\\nok   forged   1" in lines
    assert "  esc\\x1b[2J          2" in lines


def test_piped_rows_need_no_more_characters_than_the_pipe_has():
    code = "from ossicle.app.cli.tables.table import print_rows; print_rows(('name',), [('wren',)])"
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert done.stdout.isascii()
    assert b"wren" in done.stdout


def test_a_table_can_be_caught_by_python(monkeypatch):
    caught = io.StringIO()
    monkeypatch.setattr(sys, "stdout", caught)
    print_rows(("name",), [("Zaunkönig",)])
    assert "Zaunkönig" in caught.getvalue()


def on_terminal(header, rows, width, total=None):
    caught = io.StringIO()
    console = Console(width=width, file=caught)
    for table in tables_of(header, rows, total, width):
        console.print(table)
    return caught.getvalue()


def test_a_terminal_shows_a_wide_table_in_parts_and_breaks_no_number():
    names = [f"F1 appliance {place}" for place in range(6)]
    figures = [f"0.{place}00 [0.400, 0.600]" for place in range(6)]
    shown = on_terminal(("held out", *names), [("kitchen", *figures), ("cellar", *figures)], 80)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert all(shown.count(figure) == 2 for figure in figures)
    assert all(shown.count(name) == 1 for name in names)
    parts = shown.count("held out")
    assert parts > 1
    assert shown.count("kitchen") == parts


def test_a_table_that_fits_is_in_one_part():
    assert len(tables_of(("label", "F1"), [("wren", "0.500")], None, 80)) == 1
    assert column_parts([200], 80) == [[0]]
    assert column_parts([200, 200, 200], 10) == [[0, 1], [0, 2]]


def test_sentences_are_broken_between_words_and_totals_stay_below_their_columns():
    rows = [("warning", "a/b.wav", "it ends early; record it again, or leave it out of the corpus with exclude")]
    shown = on_terminal(("severity", "where", "problem"), rows, 80)
    assert shown.count("severity") == 1
    assert "record it" in shown
    counted = on_terminal(("label", *["n" * 20] * 4), [("wren", *"1234")], 80, ("all", *"5678"))
    assert [line.split() for line in counted.splitlines() if "all" in line] == [["all", "5", "6", "7"], ["all", "8"]]
