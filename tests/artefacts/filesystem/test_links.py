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
        above = settled_above(place)
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
    assert settled_above("link") == Path("link")
    assert settled_above("link/x") == tmp_path / "real" / "x"
    assert settled_above(".") == Path(".")
    assert first_link("link/../real") == Path("link")
