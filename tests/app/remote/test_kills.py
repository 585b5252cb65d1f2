"""A transfer that is killed: no file is there in part, and what is missing is copied by the next one."""

import time
from pathlib import Path

import pytest

from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.transfer import push
from ossicle.app.steps.engine.step import Silent

from ...kills import NEVER, run_dying
from .made import contents, make_files, write

PUSH = """
from pathlib import Path
from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.transfer import pull, push
from ossicle.app.steps.engine.step import Silent
source, target = map(Path, sys.argv[2:])
if sys.argv[1] == "push":
    push(source, FolderPlace(target), Silent())
else:
    pull(FolderPlace(source), target, Silent())
"""


@pytest.mark.parametrize("way", ["push", "pull"])
def test_killed_again_and_again_every_file_is_whole_or_absent(tmp_path: Path, way: str) -> None:
    made = make_files(tmp_path / "mine", 130)
    target, before = tmp_path / "there", 0
    # Before the first file, in the first batch, at its record, and in the second batch.
    for left in (0, 57, 43, 12):
        assert run_dying(PUSH, ["replace"], left, way, tmp_path / "mine", target).killed
        found = contents(target)
        assert found.items() <= made.items()
        assert before <= len(found) <= before + left
        before = len(found)
    assert not run_dying(PUSH, ["replace"], NEVER, way, tmp_path / "mine", target).killed
    assert contents(target) == made


def test_what_a_killed_transfer_left_is_removed_after_a_day(tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 3)
    old, young = tmp_path / "there" / ".ossicle-part-old.wav", tmp_path / "there" / ".ossicle-part-young.wav"
    write(old, b"x")
    write(young, b"x", time.time_ns())
    push(tmp_path / "mine", FolderPlace(tmp_path / "there"), Silent())
    assert (old.exists(), young.exists()) == (False, True)
