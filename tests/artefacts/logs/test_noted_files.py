"""Files that a command wrote to a folder are known by their content; all others are the user's."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from ossicle.artefacts.logs.noted_files import NotedFiles
from ossicle.core.errors import ArtefactError, UsageError

from ...doubles.kills import NEVER, run_dying

NOTES = "notes.jsonl"
WRITE = """
import sys
from pathlib import Path
from ossicle.artefacts.logs.noted_files import NotedFiles
folder = Path(sys.argv[1])
with NotedFiles(folder, "notes.jsonl").writing(folder / "sub" / "a.csv") as part:
    part.write_text(sys.argv[2])
"""


def write(folder: Path, text: str) -> None:
    with NotedFiles(folder, NOTES).writing(folder / "sub" / "a.csv") as part:
        part.write_text(text)


def test_a_file_killed_anywhere_is_known_and_one_of_the_user_is_not(tmp_path: Path) -> None:
    names = ["sub/a.csv"]
    for number, text in enumerate(("first", "second")):
        left = 0
        while run_dying(WRITE, ("replace", "mark"), left, tmp_path, text).killed:
            files = NotedFiles(tmp_path, NOTES)
            assert files.others(names) == files.changed(names) == []
            left += 1
        assert left == 2, number
        assert (tmp_path / "sub" / "a.csv").read_text() == text
    assert run_dying(WRITE, ("replace", "mark"), NEVER, tmp_path, "second").points == 1
    (tmp_path / "sub" / "b.csv").write_text("mine")
    (tmp_path / "sub" / "a.csv").write_text("corrected")
    files = NotedFiles(tmp_path, NOTES)
    assert files.others([*names, "sub/b.csv", "sub/none.csv"]) == ["sub/b.csv"]
    assert files.changed([*names, "sub/b.csv", "sub/none.csv"]) == names


def test_a_file_that_changed_while_another_was_made_is_kept(tmp_path: Path) -> None:
    copies: list[tuple[str, str]] = []
    files = NotedFiles(tmp_path, NOTES, lambda file, copy: copies.append((file.name, copy.name)))
    for name in ("noted.csv", "other.csv"):
        with files.writing(tmp_path / name) as part:
            part.write_text("written")
            (tmp_path / name).write_text("by hand")
        assert (tmp_path / name).read_text() == "written"
        assert (tmp_path / f"{name}.bak").read_text() == "by hand"
    assert copies == [("noted.csv", "noted.csv.bak"), ("other.csv", "other.csv.bak")]


def test_only_a_file_as_written_is_removed(tmp_path: Path) -> None:
    write(tmp_path, "written")
    (tmp_path / "b.csv").write_text("mine")
    files = NotedFiles(tmp_path, NOTES)
    files.remove("sub/a.csv")
    files.remove("b.csv")
    files.remove("none.csv")
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["b.csv", NOTES]
    write(tmp_path, "written")
    (tmp_path / "sub" / "a.csv").write_text("corrected")
    files.remove("sub/a.csv")
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a.csv.bak"]


def test_a_folder_in_the_place_of_a_file_is_changed(tmp_path: Path) -> None:
    write(tmp_path, "written")
    (tmp_path / "sub" / "a.csv").unlink()
    (tmp_path / "sub" / "a.csv").mkdir()
    assert NotedFiles(tmp_path, NOTES).changed(["sub/a.csv"]) == ["sub/a.csv"]


def test_a_block_that_fails_notes_nothing(tmp_path: Path) -> None:
    with suppress(ZeroDivisionError), NotedFiles(tmp_path, NOTES).writing(tmp_path / "a.csv") as part:
        part.write_text("half")
        raise ZeroDivisionError
    (tmp_path / "a.csv").write_text("mine")
    assert NotedFiles(tmp_path, NOTES).others(["a.csv"]) == ["a.csv"]


@pytest.mark.parametrize("record", ["{}", '{"sha256": 1}', '{"tables": ["a.csv"]}'])
def test_a_strange_note_claims_nothing(tmp_path: Path, record: str) -> None:
    (tmp_path / NOTES).write_text(f'{{"unit": "a.csv", "record": {record}}}\n')
    (tmp_path / "a.csv").write_text("mine")
    assert NotedFiles(tmp_path, NOTES).others(["a.csv"]) == ["a.csv"]


def test_damaged_notes_are_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / NOTES).write_text("damaged\n\n\n")
    with pytest.raises(ArtefactError, match=f"{NOTES} is damaged.*remove it"):
        NotedFiles(tmp_path, NOTES)


def test_two_calls_that_write_the_same_file_know_it_and_keep_no_copy(tmp_path: Path) -> None:
    together = threading.Barrier(2)

    def write_with(who: int) -> None:
        # Both notes are read before either writes, as by two processes.
        files = NotedFiles(tmp_path, NOTES)
        for number in range(8):
            with files.writing(tmp_path / "a.csv") as part:
                part.write_text(f"{who} {number}")
                together.wait(timeout=60)
            with files.writing(tmp_path / f"{who}.csv") as part:
                part.write_text(f"{who} {number}")
            together.wait(timeout=60)
            NotedFiles(tmp_path, NOTES).refuse(["a.csv", "0.csv", "1.csv"])
            together.wait(timeout=60)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write_with, range(2)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "1.csv", "a.csv", NOTES]


def test_a_call_knows_what_another_wrote_after_it_began(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    files = NotedFiles(tmp_path, NOTES)
    write(tmp_path, "written")
    files.refuse(["sub/a.csv"])
    with pytest.raises(UsageError, match=r"mine\.csv would be overwritten"):
        files.refuse(["sub/a.csv", "mine.csv"])
    write(tmp_path, "written again")
    files.refuse(["sub/a.csv"])
    files.remove("sub/a.csv")
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["mine.csv", NOTES]
