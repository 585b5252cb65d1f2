"""Files that others made: only regular ones, and only up to their limit."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.files import file_digest, read_json, tree_digest
from ossicle.artefacts.filesystem.reading import (
    MOST_ARTEFACT_BYTES,
    open_regular,
    read_if_there,
    read_regular,
    require_regular,
    what_is_at,
)
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import read_run_log


def make(kind: str, place: Path) -> None:
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "link to a pipe":
        os.mkfifo(place.with_name("pipe"))
        os.symlink("pipe", place)
    elif kind == "endless":
        os.symlink("/dev/zero", place)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(place))
    else:
        with open(place, "wb") as file:
            file.truncate(1 << 40)


READERS: dict[str, Callable[[Path], object]] = {
    "open_regular": lambda path: open_regular(path, 1 << 20).close(),
    "read_regular": lambda path: read_regular(path, 1 << 20),
    "read_if_there": lambda path: read_if_there(path, 1 << 20),
    "require_regular": lambda path: require_regular(path, 1 << 20),
    "read_json": read_json,
    "journal": Journal,
    "run_log": read_run_log,
}


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "endless", "socket", "sparse"])
@pytest.mark.parametrize("reader", READERS, ids=str)
def test_what_is_no_file_of_a_sensible_size_is_refused_at_once(
    tmp_path: Path, kind: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(kind, Path("x"))
    if reader == "journal" and kind in ("link to a pipe", "endless"):
        pytest.skip("a journal is refused as a link first")
    words = r"larger than \d+ MiB" if kind == "sparse" else "not a regular file"
    with pytest.raises(OSError, match=words) as caught:
        READERS[reader](Path("x"))
    assert caught.value.filename == "x"


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_digests_wait_for_no_pipe(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    make(kind, Path("folder/x"))
    with pytest.raises(OSError, match="not a regular file"):
        file_digest(Path("folder/x"))
    with pytest.raises(OSError, match="not a regular file"):
        tree_digest(Path("folder"))


@given(st.binary(max_size=300), st.integers(1, 300))
def test_bytes_are_read_up_to_the_limit(tmp_path_factory: pytest.TempPathFactory, data: bytes, most: int) -> None:
    place = tmp_path_factory.getbasetemp() / "limit"
    place.write_bytes(data)
    if len(data) > most:
        with pytest.raises(OSError, match=f"larger than {most} bytes"):
            read_regular(place, most)
    else:
        assert read_regular(place, most) == data
    assert read_if_there(place.with_name("none"), most) == b""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no /proc here")
def test_files_without_a_stated_size_are_bounded_too() -> None:
    assert b"Name:" in read_regular("/proc/self/status", MOST_ARTEFACT_BYTES)
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_regular("/proc/self/status", 10)
    with pytest.raises(IsADirectoryError):
        read_regular("/", 10)


def test_messages_say_what_is_at_a_path(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("gone.wav")
    (tmp_path / "loop").symlink_to("loop")
    assert [what_is_at(tmp_path / name) for name in ("", "pipe", "link", "loop", "none")] == [
        "is a folder",
        "is not a regular file, but a pipe or a device",
        "is a broken link to gone.wav",
        "is a broken link to loop",
        "does not exist",
    ]
