"""Many small files: each complete or absent, and never through a link."""

import os
from pathlib import Path

import pytest

from ossicle.artefacts import many_files
from ossicle.artefacts.many_files import ManyFiles
from ossicle.core.errors import UsageError

from ..doubles.kills import file_limit, run_dying

FILES = {f"{number % 7:02d}/{number}.txt": str(number).encode() * 100 for number in range(60)} | {"top.txt": b"top"}


def found(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("most_open", [300, 2])
@pytest.mark.parametrize("in_folders", [True, False])
def test_what_is_written_is_there(tmp_path, monkeypatch, most_open, in_folders):
    monkeypatch.setattr(many_files, "_OPEN_FOLDERS", most_open)
    monkeypatch.setattr(many_files, "_IN_FOLDERS", in_folders and many_files._IN_FOLDERS)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    with ManyFiles(tmp_path / "out") as files:
        for path, data in FILES.items():
            files.write(path, b"an earlier one")
            files.write(path, data)
    assert found(tmp_path / "out") == FILES
    assert not before or len(os.listdir("/proc/self/fd")) == before


_SCRIPT = """
import sys
from pathlib import Path
from ossicle.artefacts.many_files import ManyFiles
with ManyFiles(Path(sys.argv[1])) as files:
    for number in range(3):
        files.write(f"a/{number}.txt", b"whole")
"""


@pytest.mark.parametrize("left", range(4))
def test_a_killed_writer_leaves_no_part_under_a_name(tmp_path, left):
    ended = run_dying(_SCRIPT, ["replace"], left, tmp_path)
    assert ended.killed == (left < 3)
    whole = {path: data for path, data in found(tmp_path).items() if not Path(path).name.startswith(".ossicle-")}
    assert whole == {f"a/{number}.txt": b"whole" for number in range(left)}


def test_a_full_disk_names_the_file_and_leaves_nothing_incomplete(tmp_path):
    def write_both() -> None:
        with ManyFiles(tmp_path) as files:
            files.write("a/small.txt", b"small")
            files.write("a/large.txt", bytes(2000))

    with file_limit(1000), pytest.raises(OSError, match="File too large") as error:
        write_both()
    assert error.value.filename == str(tmp_path / "a" / "large.txt")
    assert found(tmp_path) == {"a/small.txt": b"small"}


def test_a_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with ManyFiles(tmp_path / "out") as files, pytest.raises(UsageError, match="symbolic link"):
        files.write("a/1.txt", b"x")
    assert found(tmp_path / "elsewhere") == {}


def test_a_file_that_is_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "1.txt").symlink_to(tmp_path / "mine")
    with ManyFiles(tmp_path) as files:
        files.write("1.txt", b"x")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "1.txt").read_bytes() == b"x"
    assert not (tmp_path / "1.txt").is_symlink()
