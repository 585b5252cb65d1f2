"""Trees deeper than the standard library's walk bears."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ossicle.artefacts.filesystem.walking import walk


def test_a_folder_comes_before_those_in_it_and_links_are_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").touch()
    os.symlink("a", tmp_path / "link")
    result = [
        (base.relative_to(tmp_path).as_posix(), sorted(folders), names) for base, folders, names in walk(tmp_path)
    ]
    assert result == [(".", ["a"], ["link"]), ("a", ["b"], ["x"]), ("a/b", [], [])]
    walked = []
    for base, folders, _ in walk(tmp_path):
        folders.clear()
        walked.append(base)
    assert walked == [tmp_path]
    with pytest.raises(FileNotFoundError):
        next(walk(tmp_path / "none"))


DEEP = """
import os, sys
from pathlib import Path
from ossicle.artefacts.files import sweep, sync_tree, tree_digest
from ossicle.artefacts.filesystem.changes import copy_tree, make_folder, remove_folder

here, deep, copy = Path.cwd(), Path("deep"), Path("copy")
deep.mkdir()
os.chdir(deep)
for _ in range(350):
    os.mkdir("a")
    os.chdir("a")
Path("x").write_text("x")
Path(".ossicle-part-x").touch()
os.chdir(here)
sys.setrecursionlimit(350)
digest = tree_digest(deep)
sweep(deep)
sync_tree(deep)
copy_tree(deep, copy)
assert tree_digest(copy) == digest
remove_folder(deep)
remove_folder(copy)
assert list(here.iterdir()) == []
below = Path("copy", *"b" * 400)
make_folder(below)
assert below.is_dir()
make_folder(below)
remove_folder(copy)
"""


def test_trees_deeper_than_a_function_may_call_itself(tmp_path: Path) -> None:
    # In a process of its own: with a limit this low, one that runs other tests as well has crashed.
    done = subprocess.run(
        [sys.executable, "-c", DEEP], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    subprocess.run(["rm", "-rf", str(tmp_path / "deep"), str(tmp_path / "copy")], timeout=120, check=True)
    assert done.returncode == 0, done.stderr
