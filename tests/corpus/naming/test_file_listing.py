"""Folders of recordings: each file once and in order, whatever the folders link to and whatever cannot be opened."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.corpus.naming.file_listing import files_below, listing_below

WAV = frozenset({".wav"})


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may open every folder; so these tests are another user."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_files_are_sorted_and_hidden_ones_are_not_listed(tmp_path: Path) -> None:
    for name in ("b/2.WAV", "b/.x.wav", ".c/3.wav", "a.wav", "a.txt", "b.wav/4.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert files_below(tmp_path, WAV) == ["a.wav", "b.wav/4.wav", "b/2.WAV"]


def test_folders_that_link_to_each_other_are_listed_once(tmp_path: Path) -> None:
    for one in "0123456789":
        (tmp_path / one).mkdir()
        (tmp_path / one / f"{one}.wav").touch()
        for other in "0123456789":
            if other != one:
                os.symlink(f"../{other}", tmp_path / one / other)
    began = time.process_time()
    assert files_below(tmp_path, WAV) == [f"{one}/{one}.wav" for one in "0123456789"]
    assert time.process_time() - began < 1.0


def test_links_to_folders_elsewhere_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "disk" / "below").mkdir(parents=True)
    (tmp_path / "disk" / "below" / "a.wav").touch()
    (tmp_path / "disk" / "b.wav").touch()
    (tmp_path / "audio").mkdir()
    for name, target in (("z", "disk"), ("y", "disk/below"), ("x", "disk"), ("up", "audio"), ("top", ".")):
        os.symlink(tmp_path / target, tmp_path / "audio" / name)
    result = files_below(tmp_path / "audio", WAV)
    assert sorted(os.path.realpath(tmp_path / "audio" / one) for one in result) == [
        str(tmp_path / "disk" / "b.wav"),
        str(tmp_path / "disk" / "below" / "a.wav"),
    ]
    # Of equal folders the first by name.
    assert result == ["top/disk/b.wav", "top/disk/below/a.wav"]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_every_file_is_listed_exactly_once(links: list[tuple[int, int]]) -> None:
    scratch = Path(tempfile.mkdtemp())
    try:
        folders = [scratch, *(scratch / name for name in ("a", "a/b", "a/b/c", "d", "d/e", "d/f"))]
        for folder in folders:
            folder.mkdir(exist_ok=True)
            (folder / "x.wav").touch()
        for number, (where, target) in enumerate(links):
            os.symlink(folders[target], folders[where] / f"link{number}")
        result = files_below(scratch, WAV)
        assert result == sorted(str((folder / "x.wav").relative_to(scratch)) for folder in folders)
    finally:
        shutil.rmtree(scratch)


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """1,200 folders in each other with a recording at the bottom; not even the standard library removes them."""
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("a")
        os.chdir("a")
    Path("x.wav").touch()
    yield Path("a")
    os.chdir(tmp_path)
    subprocess.run(["rm", "-rf", str(tmp_path / "a")], check=True)


def test_a_deep_tree_is_no_recursion(deep: Path, tmp_path: Path) -> None:
    # Deeper than any path may be long.
    for _ in range(20):
        os.mkdir("b" * 200)
        os.chdir("b" * 200)
    Path("y.wav").touch()
    os.chdir(tmp_path)
    listing = listing_below(deep, WAV)
    assert listing.files == ("a/" * 1199 + "x.wav",)
    assert [reason for _, reason in listing.unreadable] == ["File name too long"]
    with pytest.raises(OSError, match="File name too long"):
        files_below(deep, WAV)


def test_a_link_to_itself_and_one_to_nowhere_are_files(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    os.symlink("loop.wav", tmp_path / "loop.wav")
    os.symlink("nowhere", tmp_path / "broken.wav")
    os.symlink("loop", tmp_path / "loop")
    assert files_below(tmp_path, WAV) == ["a.wav", "broken.wav", "loop.wav"]


def test_a_folder_without_permission_costs_only_itself(tmp_path: Path, unprivileged: None) -> None:
    scratch = Path(tempfile.mkdtemp())
    for name in ("locked", "open"):
        (scratch / name).mkdir()
        (scratch / name / "x.wav").touch()
    (scratch / "locked").chmod(0)
    try:
        listing = listing_below(scratch, WAV)
        assert listing.files == ("open/x.wav",)
        assert listing.unreadable == (("locked", "Permission denied"),)
        with pytest.raises(PermissionError) as caught:
            files_below(scratch, WAV)
        assert caught.value.filename == str(scratch / "locked")
        with pytest.raises(PermissionError):
            listing_below(scratch / "locked", WAV)
    finally:
        (scratch / "locked").chmod(0o700)
        shutil.rmtree(scratch)
