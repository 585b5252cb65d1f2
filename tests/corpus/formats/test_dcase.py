"""DCASE lists, with sed_eval's own reader and writer (dcase_util) as oracle in both directions."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.dcase import read_dcase, read_durations, write_dcase, write_durations

ROWS = (
    RawSelection(0.5, 1.25, "wren", begin_path="a.wav"),
    RawSelection(2.75, 3.4, "song sparrow", begin_path="a.wav"),
    RawSelection(1.0, 7.5, "wren", begin_path="b.wav"),
)


@pytest.fixture(scope="module")
def sed_eval() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated as an API", category=UserWarning)
        warnings.filterwarnings("ignore", message="invalid escape sequence", category=DeprecationWarning)
        import dcase_util
        import sed_eval
    return sed_eval, dcase_util


def as_rows(events: Any) -> list[RawSelection]:
    return [
        RawSelection(float(event["onset"]), float(event["offset"]), event["event_label"], begin_path=event["filename"])
        for event in events
    ]


def test_sed_eval_reads_what_we_write_and_we_what_it_writes(tmp_path: Path, sed_eval: Any) -> None:
    reader, writer = sed_eval
    # It reads a header line where the suffix is .csv, whatever stands between the cells.
    ours = tmp_path / "ours.csv"
    write_dcase(ours, ROWS)
    assert as_rows(reader.io.load_event_list(str(ours), csv_header=True, delimiter="\t")) == list(ROWS)
    theirs = tmp_path / "theirs.txt"
    events = [
        {"filename": row.begin_path, "onset": row.start_s, "offset": row.end_s, "event_label": row.label}
        for row in ROWS
    ]
    writer.containers.MetaDataContainer(events).save(str(theirs))
    assert read_dcase(theirs).rows == ROWS


def test_lists_without_header(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("a.wav\t0.5\t1.25\twren\nb.wav\t1\t7.5\twren\n")
    assert read_dcase(path).rows == (ROWS[0], ROWS[2])
    path.write_text("0.5\t1.25\twren\n")
    table = read_dcase(path)
    assert table.rows == (RawSelection(0.5, 1.25, "wren"),)
    assert table.own


def test_recordings_without_events_and_formulas_come_back(tmp_path: Path) -> None:
    rows = (RawSelection(0.5, 1.25, "=wren", begin_path="-a.wav"),)
    write_dcase(tmp_path / "x.tsv", rows, files=["-a.wav", "empty.wav"])
    assert (tmp_path / "x.tsv").read_text().splitlines()[2] == "empty.wav\t\t\t"
    table = read_dcase(tmp_path / "x.tsv")
    assert (table.rows, table.files) == (rows, ("-a.wav", "empty.wav"))


def test_durations_come_back(tmp_path: Path) -> None:
    write_durations(tmp_path / "d.tsv", {"b.wav": 10.0, "a.wav": 1.5})
    assert read_durations(tmp_path / "d.tsv") == {"a.wav": 1.5, "b.wav": 10.0}
