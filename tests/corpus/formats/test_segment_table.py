"""Tables of ready segments: any column for the recording, in order, without overlap."""

from pathlib import Path

import polars as pl
import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.segment_table import read_segments


@pytest.mark.parametrize("column", ["file", "recording", "recording_id", "utterance"])
def test_segments_of_each_recording_in_order(tmp_path: Path, column: str) -> None:
    table = tmp_path / "t.tsv"
    table.write_text(f"{column}\tstart_s\tend_s\tspeaker\na.wav\t2.5\t3\tX\nb.wav\t0\t1\tY\na.wav\t0\t2.5\tX\n")
    assert read_segments(table) == {"a.wav": ((0.0, 2.5), (2.5, 3.0)), "b.wav": ((0.0, 1.0),)}


def test_segments_of_another_project_are_a_table(tmp_path: Path) -> None:
    rows = {"segment_id": ["r1#0000"], "recording_id": ["r1"], "number": [0], "start_s": [0.5], "end_s": [1.0]}
    pl.DataFrame(rows).write_parquet(tmp_path / "s.parquet")
    assert read_segments(tmp_path / "s.parquet") == {"r1": ((0.5, 1.0),)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "start_s,end_s\n0,1\n",
            r"t\.csv, line 1: no column names the recording of each segment .*add a column 'file'",
        ),
        ("file,start_s,end_s\na.wav,0,2\na.wav,1,3\n", "two segments of a.wav overlap: one from 0 to 2 s, the next"),
        ("file,start_s,end_s\na.wav,3,2\n", r"t\.csv, line 2: the start 3 s is after the end 2 s"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_segments(tmp_path / "t.csv")
