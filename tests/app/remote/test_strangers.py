"""A machine of somebody else: what it lists and sends stays in the folder that was asked for."""

import os
from pathlib import Path

import pytest

from ossicle.app.remote.place import FileState, Listing
from ossicle.app.remote.ssh_place import SshPlace
from ossicle.app.remote.transfer import pull
from ossicle.app.steps.engine.step import Silent
from ossicle.core.errors import UsageError

from .conftest import Kind
from .made import QUICK, Watched, contents, write


@pytest.mark.parametrize("name", ["../outside.wav", "/outside.wav", "a/../../outside.wav"])
def test_names_that_lead_out_of_the_folder_are_left_out(kind: Kind, tmp_path: Path, name: str) -> None:
    write(kind.folder / "a.wav", b"a")
    place = Watched(kind.open())
    listing = place.place.listing()
    place.listing = lambda: Listing({**listing.files, name: FileState(1, 0)})  # type: ignore[method-assign]
    done = pull(place, tmp_path / "back", Silent(), QUICK)
    assert (list(done.sent), list(done.left_out)) == (["a.wav"], [name])
    assert contents(tmp_path / "back") == {"a.wav": b"a"}
    assert not (tmp_path / "outside.wav").exists()


RSYNC = """#!/bin/sh
for last; do :; done
mkdir -p "$last"
ln -s "$VICTIM" "$last/folder"
ln -s "$VICTIM/precious" "$last/a.wav"
"""


@pytest.mark.usefixtures("ssh_here")
@pytest.mark.parametrize("name", ["a.wav", "folder/precious"])
def test_links_that_rsync_would_bring_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(tmp_path / "victim" / "precious", b"old")
    write(tmp_path / "there" / name, b"new")
    (tmp_path / "bin" / "rsync").write_text(RSYNC)
    (tmp_path / "bin" / "rsync").chmod(0o755)
    monkeypatch.setenv("VICTIM", str(tmp_path / "victim"))
    with pytest.raises(UsageError, match="symbolic link"):
        pull(SshPlace("cluster", str(tmp_path / "there")), tmp_path / "back", Silent(), QUICK)
    assert contents(tmp_path / "victim") == {"precious": b"old"}
    assert not os.path.lexists(tmp_path / "back" / name)


def test_a_word_of_the_address_is_no_command(ssh_here: Path, tmp_path: Path) -> None:
    folder = tmp_path / f"$(touch {ssh_here}.ran)'; touch {ssh_here.name}.ran; '\"`x`"
    write(folder / "a.wav", b"a")
    assert set(SshPlace("cluster", str(folder)).listing().files) == {"a.wav"}
    done = pull(SshPlace("cluster", str(folder)), tmp_path / "back", Silent(), QUICK)
    assert list(done.sent) == ["a.wav"]
    assert not Path(f"{ssh_here}.ran").exists()
