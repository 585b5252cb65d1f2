"""``ossicle remote``: addresses, the last line, exit codes and what is left out."""

import json
import os
from pathlib import Path

import pytest

from ossicle.app.cli.run.remote import _time
from ossicle.app.remote.addresses import place_at

from ...conftest import Commands


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / "tape 1").mkdir(parents=True)
    (folder / "tape 1" / "a.wav").write_bytes(b"abc")
    (folder / "b.wav").write_bytes(b"de")
    return folder


def test_push_ls_and_pull(ossicle: Commands, mine: Path, tmp_path: Path) -> None:
    there = f"file:{tmp_path / 'there'}"
    sent = ossicle("remote", "push", mine, there, "--progress", "none")
    assert (sent.code, sent.out.splitlines()) == (0, ["0 unchanged, 0 left out", "sent 2 files, 5 bytes"])
    again = ossicle("remote", "push", mine, there, "--progress", "none")
    assert (again.code, again.out.splitlines()[-1]) == (0, "sent 0 files, 0 bytes")
    listed = ossicle("remote", "ls", there)
    assert (listed.code, listed.out.splitlines()[-1]) == (0, "2 files, 5 bytes")
    rows = json.loads(ossicle("remote", "ls", there, "--json").out)
    assert [(row["path"], row["size"]) for row in rows] == [("b.wav", 2), ("tape 1/a.wav", 3)]
    brought = ossicle("remote", "pull", there, tmp_path / "back", "--progress", "none")
    assert (brought.code, brought.out.splitlines()[-1]) == (0, "sent 2 files, 5 bytes")
    assert (tmp_path / "back" / "tape 1" / "a.wav").read_bytes() == b"abc"


def test_verify_mends_and_a_dry_run_only_tells(ossicle: Commands, mine: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    result = ossicle("remote", "push", mine, f"file:{there}", "--dry-run", "--progress", "none")
    assert "would send tape 1/a.wav (3 bytes)" in result.out
    assert (result.out.splitlines()[-1], there.exists()) == ("would send 2 files, 5 bytes", False)
    ossicle("remote", "push", mine, f"file:{there}", "--progress", "none")
    state = (there / "b.wav").stat()
    (there / "b.wav").write_bytes(b"DE")
    os.utime(there / "b.wav", ns=(state.st_atime_ns, state.st_mtime_ns))
    mended = ossicle("remote", "push", mine, f"file:{there}", "--verify", "--progress", "none")
    assert (mended.out.splitlines()[-1], (there / "b.wav").read_bytes()) == ("sent 1 files, 2 bytes", b"de")


def test_what_is_left_out_is_listed_with_exit_code_3(ossicle: Commands, mine: Path, tmp_path: Path) -> None:
    os.symlink(tmp_path / "elsewhere", mine / "link")
    result = ossicle("remote", "push", mine, f"file:{tmp_path / 'there'}", "--progress", "none")
    assert (result.code, result.out.splitlines()[-1]) == (3, "sent 2 files, 5 bytes")
    assert "link: is a symbolic link, which is not followed" in result.err


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("data", "is not the address of a place; write file:PATH, HOST:FOLDER or modal:VOLUME/PREFIX"),
        ("./a:b", "is not the address of a place"),
        ("file:", "is not the address of a place"),
        (":data", "is not the address of a place"),
        ("-oProxyCommand=x:data", "is not the name of a machine"),
        ("a b:data", "is not the name of a machine"),
        ("host:~other/data", "names no folder"),
        ("host:/", "names no folder"),
        ("host:a\nb", "contains"),
        ("file://host/data", "names a machine"),
        ("C:\\data", "is a path of Windows, and this machine has no drive C:; write file:PATH"),
        ("c:\\data", "is a path of Windows"),
        ("C:/data", "is a path of Windows"),
        ("file:C:\\data", "is a path of Windows"),
        ("file:D:/data", "is a path of Windows"),
        ("file:~nobody-of-this-name/data", "there is no such home folder"),
    ],
)
def test_addresses_that_name_no_place(ossicle: Commands, mine: Path, address: str, why: str) -> None:
    result = ossicle("remote", "push", mine, "--", address)
    assert (result.code, why in result.err) == (2, True), result


def test_short_names_of_machines_are_no_drives() -> None:
    assert [type(place_at(one)).__name__ for one in ("c:/data", "c:data", "C:data", "me@C:/data")] == ["SshPlace"] * 4
    assert type(place_at("file:c:/data")).__name__ == "FolderPlace"


def test_a_name_stays_on_its_line(ossicle: Commands, tmp_path: Path) -> None:
    name = "two\nlines\x1b[2J\u202e.wav"
    shown = "two\\nlines\\x1b[2J\\u202e.wav"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_bytes(b"a")
    os.symlink(tmp_path, tmp_path / "mine" / f"link{name}")
    there = f"file:{tmp_path / 'there'}"
    result = ossicle("remote", "push", tmp_path / "mine", there, "--dry-run", "--progress", "none")
    assert result.out.splitlines()[0] == f"would send {shown} (1 bytes)"
    assert result.err.splitlines() == [f"link{shown}: is a symbolic link, which is not followed"]
    ossicle("remote", "push", tmp_path / "mine", there, "--progress", "none")
    assert any(line.split()[:2] == [shown, "1"] for line in ossicle("remote", "ls", there).out.splitlines())


@pytest.mark.parametrize("target", ["mine", "mine/inside", "."])
def test_a_folder_is_not_copied_into_itself(ossicle: Commands, mine: Path, tmp_path: Path, target: str) -> None:
    result = ossicle("remote", "push", mine, f"file:{tmp_path / target}")
    assert (result.code, "is in the other" in result.err) == (2, True)


def test_folders_that_do_not_exist(ossicle: Commands, tmp_path: Path) -> None:
    assert ossicle("remote", "push", tmp_path / "none", f"file:{tmp_path / 'there'}").code == 2
    result = ossicle("remote", "pull", f"file:{tmp_path / 'none'}", tmp_path / "back")
    assert (result.code, (tmp_path / "back").exists()) == (2, False)
    result = ossicle("remote", "ls", f"file:{tmp_path / 'none'}")
    assert (result.code, "does not exist" in result.err) == (2, True)


def test_a_machine_that_does_not_answer(
    ossicle: Commands, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    result = ossicle("remote", "ls", "cluster:data")
    assert (result.code, "ssh cannot reach cluster: no route to host; try `ssh cluster true`" in result.err) == (
        1,
        True,
    )


def test_the_home_folder_in_an_address(
    ossicle: Commands, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert ossicle("remote", "push", mine, "file:~/data", "--progress", "none").code == 0
    assert (tmp_path / "home" / "data" / "b.wav").read_bytes() == b"de"
    assert not (tmp_path / "~").exists()
    assert ossicle("remote", "ls", f"file://{tmp_path / 'home' / 'data'}").code == 0


def test_a_loop_of_links_and_a_distant_year(ossicle: Commands, mine: Path, tmp_path: Path) -> None:
    os.symlink(tmp_path / "two", tmp_path / "one")
    os.symlink(tmp_path / "one", tmp_path / "two")
    pushed = ossicle("remote", "push", mine, f"file:{tmp_path / 'one'}", "--progress", "none")
    pulled = ossicle("remote", "pull", f"file:{mine}", tmp_path / "two", "--progress", "none")
    assert (pushed.code, pulled.code) == (2, 2), (pushed, pulled)
    assert _time(400_000_000_000 * 1_000_000_000) == "400000000000 s after 1970"
