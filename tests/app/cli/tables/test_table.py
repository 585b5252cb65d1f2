import io
import os
import subprocess
import sys

import pytest

from ossicle.app.cli.tables.table import print_rows


@pytest.mark.parametrize("stderr", [False, True])
def test_piped_rows_are_whole_and_not_filled_up_with_blanks(capsys, stderr):
    long_cell = "a row of a log " * 30 + "end"
    print_rows(("check", "says"), [("labels", long_cell), ("band", "ok")], stderr=stderr)
    written = capsys.readouterr()
    lines = (written.err if stderr else written.out).splitlines()
    assert any(line.endswith(long_cell) for line in lines)
    assert lines == [line.rstrip() for line in lines]


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
