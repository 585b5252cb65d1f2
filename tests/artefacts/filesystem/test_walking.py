"""Trees deeper than the standard library's walk bears."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ossicle.artefacts.files import sweep, sync_tree, tree_digest
from ossicle.artefacts.filesystem.changes import copy_tree, make_folder, remove_folder
from ossicle.artefacts.filesystem.walking import walk


def test_a_folder_comes_before_those_in_it_and_links_are_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").touch()
    os.symlink("a", tmp_path / "link")
    found = [(base.relative_to(tmp_path).as_posix(), sorted(folders), names) for base, folders, names in walk(tmp_path)]
    assert found == [(".", ["a"], ["link"]), ("a", ["b"], ["x"]), ("a/b", [], [])]
    walked = []
    for base, folders, _ in walk(tmp_path):
        folders.clear()
        walked.append(base)
    assert walked == [tmp_path]
    with pytest.raises(FileNotFoundError):
        next(walk(tmp_path / "none"))


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """More folders in each other than a function may call itself."""
    limit = sys.getrecursionlimit()
    monkeypatch.chdir(tmp_path)
    Path("deep").mkdir()
    os.chdir("deep")
    for _ in range(350):
        os.mkdir("a")
        os.chdir("a")
    Path("x").write_text("x")
    Path(".ossicle-part-x").touch()
    os.chdir(tmp_path)
    sys.setrecursionlimit(350)
    yield Path("deep")
    sys.setrecursionlimit(limit)
    os.chdir(tmp_path)
    subprocess.run(["rm", "-rf", str(tmp_path / "deep"), str(tmp_path / "copy")], check=True)


def test_deep_trees_are_digested_swept_copied_and_removed(deep: Path, tmp_path: Path) -> None:
    digest = tree_digest(deep)
    sweep(deep)
    sync_tree(deep)
    copy_tree(deep, Path("copy"))
    assert tree_digest(Path("copy")) == digest
    remove_folder(deep)
    remove_folder(Path("copy"))
    assert list(tmp_path.iterdir()) == []
    below = Path("copy", *"b" * 400)
    make_folder(below)
    assert below.is_dir()
    make_folder(below)
    remove_folder(Path("copy"))
