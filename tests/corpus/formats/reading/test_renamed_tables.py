"""Text under suffixes that no reader takes: annotations are a warning that says what to do, data are none."""

from pathlib import Path

import pytest

from ossicle.artefacts.filesystem.reading import MOST_TABLE_BYTES
from ossicle.corpus.formats.reading.event_folders import read_event_folder
from ossicle.corpus.formats.reading.renamed_tables import renamed_tables

# Name, content, and words of the message; what is no table is not even listed.
RENAMED = [
    ("a.tab", b"start_time\tend_time\tlabel\n1\t2\thum\n", "its suffix '.tab' is not read; rename it to .txt"),
    ("a.labels", b"1\t2\thum\n", "its suffix '.labels' is not read; rename it to .txt"),
    ("a.ann", b"file,start_time,end_time,label\na.wav,1,2,hum\n", "its suffix '.ann' is not read; rename it to .csv"),
    ("a.selections", b"Begin Time (s)\tEnd Time (s)\tAnnotation\n1\t2\thum\n", "its suffix '.selections' is not read"),
    ("a.tab", b"IN FILE\tOFFSET\tDURATION\tMANUAL ID\na.wav\t1\t2\thum\n", "its suffix '.tab' is not read; rename it"),
    ("labels", b"1\t2\thum\n", "it has no suffix; rename it to .txt"),
    ("a.dat", b"1\t2\thum\n", "its suffix '.dat' is not read; rename it to .txt"),
    ("a.dat", b"start,end,label\n1,2,hum\n", "its suffix '.dat' is not read; rename it to .csv"),
    # A name alone would not do: what else is to be done comes first.
    ("a.lbl", b"0 2500000 sil\n2500000 9000000 hum\n", "is not read, and its times are too large for seconds"),
    ("a.seg", b"1.5 2.5 hum\n3 4 hum\n", "its cells are separated by blanks ('1.5 2.5 hum'); write tabs"),
    (
        "a.tab",
        b"file,species\na.wav,hum\n",
        "give it as such (ossicle new --labels, [corpus.metadata]); then rename it",
    ),
    ("a.tab", b"1\t2\t3\t4\t5\n", "is not read, and it has no headings"),
    ("LICENSE", b"MIT 2024\n", ""),
    ("SHA256SUMS", b"abc  a.wav\n", ""),
    ("a.dat", bytes([0, 255, 254, 129]) * 100, ""),
    # Measurements.
    ("imu.dat", b"0,1,2,3\n1,2,3,4\n", ""),
    ("w.dat", b"1 2 3\n2 3 4\n", ""),
    ("w.dat", b"1\t2\t3\n2\t3\t4\n", ""),
    ("w.asc", b"1\t2\n2\t3\n", ""),
    ("e.dat", b"time,amplitude,label\n0.1,0.5,a\n", ""),
    ("env.dat", b"date,temperature,end\n2020-01-01,12.5,3\n", ""),
]


@pytest.mark.parametrize(("name", "content", "words"), RENAMED)
def test_annotations_under_a_suffix_that_is_not_read_are_a_warning(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "b.txt").write_text("1\t2\thum\n")
    notes = read_event_folder(tmp_path).notes
    assert [note.kind for note in notes] == (["table_not_read"] if words else [])
    assert all(words in note.message and note.where == name for note in notes)


@pytest.mark.parametrize(
    ("name", "content"), [(name, content) for name, content, words in RENAMED if "; rename" in words]
)
def test_the_new_name_is_read(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (note,) = renamed_tables(tmp_path, [name])
    path.rename(path.with_suffix(".txt" if "rename it to .txt" in note.message else ".csv"))
    event_folder = read_event_folder(tmp_path)
    assert event_folder.notes == ()
    assert [row.label for rows in event_folder.sets.values() for row in rows] == ["hum"]


def test_many_files_of_one_kind_are_one_warning(tmp_path: Path) -> None:
    for k in range(12):
        (tmp_path / f"a{k:02}.tab").write_text(f"{k}\t{k + 1}\thum\n")
        (tmp_path / f"b{k:02}.seg").write_text(f"{k} {k + 1} hum\n")
    (tmp_path / "c.ann").write_text("1\t2\thum\n")
    notes = renamed_tables(tmp_path, sorted(path.name for path in tmp_path.iterdir()))
    assert [note.where for note in notes] == ["a00.tab", "b00.seg", "c.ann"]
    assert (
        "and 11 more of its suffix look like annotations, but '.tab' is not read; rename them to .txt"
        in notes[0].message
    )
    assert (
        "11 more of its suffix look like annotations, but '.seg' is not read, and of the first is true: its cells"
        in notes[1].message
    )


def test_only_the_beginning_of_a_large_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tab"
    # The end of what is read divides a character.
    path.write_bytes("1\t2\tk\u00e4abcdefghi\n".encode() * 6_000)
    with path.open("r+b") as file:
        file.truncate(MOST_TABLE_BYTES + 1)
    (note,) = renamed_tables(tmp_path, ["a.tab"])
    assert "rename it to .txt" in note.message
