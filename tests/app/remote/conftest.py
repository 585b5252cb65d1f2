"""Every kind of place on folders of this machine: a folder, ssh to a shell here, a volume that is a folder."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.place import Place
from ossicle.app.remote.ssh_place import SshPlace

from ...doubles.volume_double import double_place

# Runs the command as sshd would: in a shell, with the words joined by spaces. $SSH_FAILS holds how often it fails.
SSH = """#!/bin/sh
while :; do case "$1" in -o|-l|-p) shift 2 ;; -*) shift ;; *) break ;; esac; done
if [ -s "$SSH_FAILS" ]; then
    left="$(cat "$SSH_FAILS")"
    if [ "$left" -gt 0 ]; then echo $((left - 1)) >"$SSH_FAILS"; echo "no route to $1" >&2; exit 255; fi
fi
shift
exec sh -c "$*"
"""


@dataclass(frozen=True)
class Kind:
    """A kind of place: the folder of this machine that holds its files, and what opens a place on a folder."""

    name: str
    folder: Path
    at: Callable[[Path], Place]

    def open(self) -> Place:
        """A place as a new process has it."""
        return self.at(self.folder)


@pytest.fixture
def ssh_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``ssh`` is a shell on this machine; returns the file with the number of its failures."""
    if shutil.which("rsync") is None:
        pytest.skip("rsync is not installed")
    program, fails = tmp_path / "bin" / "ssh", tmp_path / "fails"
    program.parent.mkdir()
    program.write_text(SSH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SSH_FAILS", str(fails))
    return fails


@pytest.fixture(params=["file", "ssh", "modal"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    folder = tmp_path / "there" / "my files"
    if request.param == "ssh":
        request.getfixturevalue("ssh_here")
        return Kind("ssh", folder, lambda at: SshPlace("cluster", str(at)))
    return Kind(request.param, folder, double_place if request.param == "modal" else FolderPlace)
