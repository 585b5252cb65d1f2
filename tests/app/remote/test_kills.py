"""A transfer that is killed: no file is there in part, and what is missing is copied by the next one."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.ssh_place import SshPlace
from ossicle.app.remote.transfer import TransferOptions, pull, push
from ossicle.app.steps.engine.step import Silent

from ...doubles.kills import NEVER, run_dying
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
        result = contents(target)
        assert result.items() <= made.items()
        assert before <= len(result) <= before + left
        before = len(result)
    assert not run_dying(PUSH, ["replace"], NEVER, way, tmp_path / "mine", target).killed
    assert contents(target) == made


@pytest.mark.parametrize("way", ["push", "pull"])
@pytest.mark.parametrize("days", [0, 2])
def test_what_a_killed_transfer_left_is_removed_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, days: int
) -> None:
    """Also if there is nothing to copy. The time of an unfinished file may be that of its source already."""
    mine, there = tmp_path / "mine", tmp_path / "there"
    make_files(mine, 3)
    push(mine, FolderPlace(there), Silent())
    part, partial = there / "deep" / ".ossicle-part-1.wav", there / ".ossicle-part-pull" / "deep" / "large.wav"
    write(part, b"x")
    write(partial, b"x")
    now = time.time()
    monkeypatch.setattr("ossicle.app.remote.folder_place.time.time", lambda: now + days * 86_400)
    for dry_run in (True, False):
        before = part.exists()
        options = TransferOptions(dry_run=dry_run)
        if way == "push":
            push(mine, FolderPlace(there), Silent(), options)
        else:
            pull(FolderPlace(mine), there, Silent(), options)
        assert (before, part.exists()) == (True, dry_run or not days)
    # rsync continues there: a week.
    assert partial.exists()
    monkeypatch.setattr("ossicle.app.remote.folder_place.time.time", lambda: now + 8 * 86_400)
    push(mine, FolderPlace(there), Silent())
    assert not partial.exists()


def test_another_push_leaves_unfinished_files_of_a_running_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path / "mine", 3)
    replace, seen = os.replace, []

    def replace_later(*arguments: Any, **options: Any) -> None:
        # The unfinished file has the time of its source, which is years ago.
        if not seen:
            seen.append(arguments)
            make_files(tmp_path / "other", 1)
            push(tmp_path / "other", FolderPlace(tmp_path / "there"), Silent())
        replace(*arguments, **options)

    monkeypatch.setattr(os, "replace", replace_later)
    done = push(tmp_path / "mine", FolderPlace(tmp_path / "there"), Silent())
    assert (len(done.sent), done.left_out, len(seen)) == (3, {}, 1)


@pytest.mark.usefixtures("ssh_here")
def test_what_rsync_kept_is_removed_after_a_week(tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 3)
    young, mine = tmp_path / "there" / "tape 1" / ".ossicle-part-rsync" / "large.wav", tmp_path / "mine"
    write(young, b"x")
    push(mine, SshPlace("cluster", str(tmp_path / "there")), Silent())
    assert young.exists()
    # No test can make the inode old: find says that everything is.
    find = shutil.which("find")
    (tmp_path / "bin" / "find").write_text(
        f'#!/bin/sh\nfor one; do shift; [ "$one" != +7 ] || one=-7; set -- "$@" "$one"; done\nexec {find} "$@"\n'
    )
    (tmp_path / "bin" / "find").chmod(0o755)
    write(mine / "new.wav", b"new")
    push(mine, SshPlace("cluster", str(tmp_path / "there")), Silent())
    assert not young.exists()
    assert (tmp_path / "there" / "new.wav").read_bytes() == b"new"


@pytest.mark.usefixtures("ssh_here")
def test_a_pull_over_ssh_leaves_no_folder_of_unfinished_files(tmp_path: Path) -> None:
    made = make_files(tmp_path / "there", 3)
    pull(SshPlace("cluster", str(tmp_path / "there")), tmp_path / "back", Silent())
    assert contents(tmp_path / "back") == made
    assert {path.name for path in (tmp_path / "back").iterdir() if path.name.startswith(".")} <= {
        ".ossicle-sent",
        ".ossicle-lock-pull",
    }
