"""Quotes in tables, and blanks before them."""

from pathlib import Path

import pytest

from ..recognised_tables import events


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_blanks_before_quotes_do_not_count(tmp_path: Path, suffix: str, delimiter: str) -> None:
    path = tmp_path / f"a{suffix}"
    for header in (("file", "start_time", "end_time", "label"), ("file", "Begin Time (s)", "End Time (s)", "label")):
        rows = ['a.wav, 1, 2, "hum, deep; low"', 'a.wav,  3,  4,  "say ""hum"""']
        lines = [f'"{header[0]}", "{header[1]}", "{header[2]}", "{header[3]}"', *rows]
        text = "\n".join(delimiter.join(line.split(",", 3)) for line in lines)
        path.write_text(text)
        assert [(row.begin_path, row.start_s, row.end_s, row.label) for row in events(path).rows] == [
            ("a.wav", 1.0, 2.0, "hum, deep; low"),
            ("a.wav", 3.0, 4.0, 'say "hum"'),
        ]


def test_quotes_within_a_cell_change_no_other_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    # Blanks belong to the names of these files; csv.reader of Python keeps them as well.
    for note in ('"he said, ""yes"""', '"a\n, ""b"""', '6", "7"" pipe'):
        path.write_text(f"file,start_time,end_time,label,note,more\n tape.wav,1,2,hum,{note},\n")
        assert [row.begin_path for row in events(path).rows] == [" tape.wav"], note
