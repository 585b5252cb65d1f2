"""The first link of a path, and the paths of the user without links."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.filesystem.links import first_link, settled, settled_above


@given(st.integers(1, 5), st.sets(st.integers(0, 4), max_size=3))
def test_the_topmost_link_is_found_and_settled_paths_have_none(depth: int, linked: set[int]) -> None:
    scratch = Path(tempfile.mkdtemp())
    try:
        place, first = scratch, None
        for k in range(depth):
            if k in linked:
                (scratch / f"target{k}").mkdir()
                os.symlink(scratch / f"target{k}", place / "part")
                first = first or place / "part"
            else:
                (place / "part").mkdir()
            place /= "part"
        assert first_link(place) == first
        assert first_link(settled(place)) is None
        assert os.path.samefile(settled(place), place)
        assert settled(place) == (place if first is None else Path(os.path.realpath(place)))
        above = settled_above(place, "ossicle.toml")
        assert above.name == "part"
        assert first_link(above.parent) is None
        assert above.is_symlink() == place.is_symlink()
    finally:
        shutil.rmtree(scratch)


def test_relative_paths_stay_as_they_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real").mkdir()
    os.symlink("real", "link")
    assert [settled(one) for one in (".", "real", "real/../real", "new")] == [
        Path("."),
        Path("real"),
        Path("real/../real"),
        Path("new"),
    ]
    assert settled("link") == tmp_path / "real"
    assert settled_above("link", "p.toml") == Path("link")
    assert settled_above("link/x", "p.toml") == tmp_path / "real" / "x"
    assert settled_above(".", "p.toml") == Path(".")
    assert first_link("link/../real") == Path("link")


@pytest.mark.parametrize("relative", [False, True])
def test_a_link_that_came_with_a_project_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    """The user's link to a disk is followed, and the stranger's link in the project there is not."""
    (tmp_path / "disk" / "project" / "below").mkdir(parents=True)
    (tmp_path / "disk" / "project" / "p.toml").touch()
    (tmp_path / "victim").mkdir()
    os.symlink("disk", tmp_path / "mine")
    os.symlink(tmp_path / "victim", tmp_path / "disk" / "project" / "below" / "out")
    if relative:
        monkeypatch.chdir(tmp_path / "disk" / "project")
        given = Path("below/out/x.csv")
        assert settled_above(given, "p.toml") == given
    else:
        path = settled_above(tmp_path / "mine" / "project" / "below" / "out" / "x.csv", "p.toml")
        assert path == tmp_path / "disk" / "project" / "below" / "out" / "x.csv"
        assert first_link(path) == path.parent
    assert settled_above(tmp_path / "mine" / "project" / "below" / "out" / "x.csv", "other.toml").parent == (
        tmp_path / "victim"
    )
