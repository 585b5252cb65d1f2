"""Places with coarse times, growing files, shells that say more than they are asked, and records of odd names."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from ossicle.app.remote import local_files, local_reading
from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.local_files import write_file
from ossicle.app.remote.local_reading import Changed, hashed_copy
from ossicle.app.remote.place import FileState
from ossicle.app.remote.records import Record
from ossicle.app.remote.ssh_place import SshPlace
from ossicle.app.remote.transfer import pull, push
from ossicle.app.steps.engine.step import Silent
from ossicle.artefacts.many_files import ManyFiles
from ossicle.core.errors import FetchError

from .conftest import SSH, Kind
from .made import QUICK, Watched, contents, make_files, write

EVEN_NS = 2_000_000_000
YEAR_1980_NS = 315_532_800_000_000_000


def coarse(folder: Path, round_to: Callable[[int], int]) -> None:
    """Give the files of a folder the times that FAT would keep."""
    for path in contents(folder):
        time_ns = round_to((folder / path).stat().st_mtime_ns)
        os.utime(folder / path, ns=(time_ns, time_ns))


@pytest.mark.parametrize("round_to", [lambda time: time // EVEN_NS * EVEN_NS, lambda time: YEAR_1980_NS])
def test_a_pull_to_a_disk_with_coarse_times(kind: Kind, tmp_path: Path, round_to: Callable[[int], int]) -> None:
    made = make_files(kind.folder, 5)
    for path, data in made.items():
        write(kind.folder / path, data, 1_700_000_001_123_456_789)
    place, back = Watched(kind.open()), tmp_path / "back"
    place.after = lambda: coarse(back, round_to)
    done = pull(place, back, Silent(), QUICK)
    assert (len(done.sent), done.left_out, contents(back)) == (5, {}, made)
    again = Watched(kind.open())
    done = pull(again, back, Silent(), QUICK)
    assert (done.sent, done.unchanged, again.read) == ({}, 5, [])


def test_a_copy_that_changes_before_it_is_recorded_does_not_count(kind: Kind, tmp_path: Path) -> None:
    write(kind.folder / "a.wav", b"good")
    place, back = Watched(kind.open()), tmp_path / "back"
    place.after = lambda: write(back / "a.wav", b"evil", YEAR_1980_NS)
    done = pull(place, back, Silent(), QUICK)
    assert (done.sent, list(done.left_out)) == ({}, ["a.wav"])


def test_a_push_to_a_disk_with_coarse_times_is_not_read_again(tmp_path: Path) -> None:
    record = Record(1, 0, 1_700_000_001_123_456_789, "0" * 64)
    fits = {
        time_ns: record.fits_place(FileState(1, time_ns), keeps_times=True)
        for time_ns in (1_700_000_000_000_000_000, 1_700_000_001_000_000_000, 1_700_000_002_500_000_000)
    }
    assert list(fits.values()) == [True, True, False]
    assert not record.fits_place(FileState(1, 1_699_999_998_000_000_000), keeps_times=True)


def test_a_file_that_grows_as_fast_as_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_reading, "_BLOCK_BYTES", 10)
    write(tmp_path / "log", bytes(25))
    blocks: list[bytes] = []

    def grow(block: bytes) -> None:
        blocks.append(block)
        assert len(blocks) < 10, "it is read without end"
        with (tmp_path / "log").open("ab") as file:
            file.write(block)

    with (tmp_path / "log").open("rb", buffering=0) as read, pytest.raises(Changed):
        hashed_copy(read, grow, 25)
    assert len(b"".join(blocks)) <= 25


def test_a_stream_longer_than_it_was_listed(tmp_path: Path) -> None:
    def copy(write: Callable[[bytes], object]) -> str:
        for _ in range(10):
            write(bytes(10))
        raise AssertionError("it is written without end")

    with pytest.raises(Changed):
        write_file(tmp_path / "a", FileState(25, 0), copy)
    assert list(tmp_path.iterdir()) == []


SAYS = (
    ("echo Welcome", ""),
    ("", "echo Goodbye"),
    ("printf '\\377\\000x'", ""),
    ("echo f 1 1.0 a", "printf '\\000'"),
)


def rewritten_ssh(tmp_path: Path, before: str, run: str, after: str) -> None:
    program = tmp_path / "bin" / "ssh"
    program.write_text(SSH.replace('exec sh -c "$*"', f"{before}\n{run}\ncode=$?\n{after}\nexit $code"))


@pytest.mark.usefixtures("ssh_here")
@pytest.mark.parametrize(("before", "after"), SAYS)
def test_a_shell_that_prints_text_of_its_own(tmp_path: Path, before: str, after: str) -> None:
    write(tmp_path / "there" / "a.wav", b"a")
    rewritten_ssh(tmp_path, before, 'sh -c "$*"', after)
    place = SshPlace("cluster", str(tmp_path / "there"))
    for ask in (place.listing, place.records, lambda: place.digests(["a.wav"]), lambda: place.add_record("x", b"")):
        with pytest.raises(FetchError, match="the shell of cluster prints text of its own"):
            ask()


@pytest.mark.usefixtures("ssh_here")
@pytest.mark.parametrize("run", ['sh -c "$*" | head -c 60', "true", "echo This account is not available"])
def test_an_answer_that_is_cut_or_none(tmp_path: Path, run: str) -> None:
    make_files(tmp_path / "there", 20)
    rewritten_ssh(tmp_path, "", run, "")
    with pytest.raises(FetchError, match="or loses what commands print"):
        SshPlace("cluster", str(tmp_path / "there")).listing()


@pytest.mark.usefixtures("ssh_here")
@pytest.mark.parametrize("said", ["garbage", "f x 1.0 a", "f 1 1.0 a", "\\377\\000"])
def test_a_find_that_prints_something_else(tmp_path: Path, said: str) -> None:
    for name in ("find", "sha256sum"):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\nprintf '{said}'\n")
        (tmp_path / "bin" / name).chmod(0o755)
    write(tmp_path / "there" / "a.wav", b"a")
    place = SshPlace("cluster", str(tmp_path / "there"))
    for ask in (place.listing, lambda: place.digests(["a.wav"])):
        with pytest.raises(FetchError, match=r"on cluster prints .* which is no answer"):
            ask()


def test_records_of_odd_names_are_read_and_others_are_missing(kind: Kind, tmp_path: Path) -> None:
    made = make_files(tmp_path / "mine", 3)
    push(tmp_path / "mine", kind.open(), Silent(), QUICK)
    records = kind.folder / ".ossicle-sent"
    (one,) = records.iterdir()
    one.rename(records / 'it\'s "one"\n of them.jsonl')
    with (records / "big.jsonl").open("wb") as file:
        # Sparse: more than a record may have.
        file.truncate((1 << 30) + 1)
    (records / "cut.jsonl").write_bytes(b'{"path": "tape 0')
    place = Watched(kind.open())
    done = push(tmp_path / "mine", place, Silent(), QUICK)
    assert (done.sent, done.unchanged, place.read) == ({}, 3, [])
    assert contents(kind.folder) == made


def test_a_record_that_cannot_be_read_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path / "mine", 3)
    place = FolderPlace(tmp_path / "there")
    push(tmp_path / "mine", place, Silent(), QUICK)

    def refuse(path: Path, most_bytes: int) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("ossicle.app.remote.folder_place.read_if_there", refuse)
    done = push(tmp_path / "mine", place, Silent(), QUICK)
    assert (done.sent, done.unchanged) == ({}, 3)


def test_locks_are_not_copied(kind: Kind, tmp_path: Path) -> None:
    for folder in (tmp_path / "mine", kind.folder):
        write(folder / "a.wav", b"a")
        write(folder / "data" / ".ossicle.lock", b"{}")
        write(folder / ".ossicle-lock-pull", b"{}")
    assert set(kind.open().listing().files) == {"a.wav"}
    write(tmp_path / "mine" / "b.wav", b"b")
    assert list(push(tmp_path / "mine", kind.open(), Silent(), QUICK).sent) == ["b.wav"]
    assert set(pull(kind.open(), tmp_path / "back", Silent(), QUICK).sent) == {"a.wav", "b.wav"}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("way", ["push", "pull"])
def test_a_target_that_takes_nothing_is_an_error(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, large: bool
) -> None:
    if kind.name == "modal" and way == "push":
        pytest.skip("a batch in a volume arrives as a whole or fails as a whole")
    mine = tmp_path / "mine" if way == "push" else kind.folder
    make_files(mine, 3)
    target = kind.folder if way == "push" else tmp_path / "back"
    if large:
        monkeypatch.setattr(local_files, "_SMALL_BYTES", 0)
    refuse_writes(tmp_path, monkeypatch, target)
    with pytest.raises(FetchError, match=r"nothing could be written to the target, 3 files failed .*Permission denied"):
        push(mine, kind.open(), Silent(), QUICK) if way == "push" else pull(kind.open(), target, Silent(), QUICK)


def test_one_file_that_the_target_does_not_take_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path / "mine", 3)
    refuse_writes(tmp_path, monkeypatch, tmp_path / "there" / "tape 1")
    done = push(tmp_path / "mine", FolderPlace(tmp_path / "there"), Silent(), QUICK)
    assert (len(done.sent), done.left_out) == (2, {"tape 1/0001.wav": "Permission denied"})


def test_a_source_that_cannot_be_read_is_no_fault_of_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path / "mine", 3)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(local_files, "open_unlinked", refuse)
    done = push(tmp_path / "mine", FolderPlace(tmp_path / "there"), Silent(), QUICK)
    assert (done.sent, len(done.left_out)) == ({}, 3)


def refuse_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the files of a folder be read only, as a user without rights meets them; root may write everywhere."""
    rsync = shutil.which("rsync")
    if (tmp_path / "bin").is_dir():
        says = f'case "$*" in *":{folder}/") echo "rsync: mkstemp failed: Permission denied (13)" >&2; exit 23;; esac'
        (tmp_path / "bin" / "rsync").write_text(f'#!/bin/sh\n{says}\nexec {rsync} "$@"\n')
        (tmp_path / "bin" / "rsync").chmod(0o755)
    write_small, opened, move = ManyFiles.write, local_files.open_new, local_files.move

    def require(place: Path) -> None:
        if place.is_relative_to(folder) and not place.is_relative_to(folder / ".ossicle-sent"):
            raise PermissionError(13, "Permission denied", str(place))

    def refuse_small(files: ManyFiles, path: str, data: bytes, mtime_ns: int | None = None) -> None:
        require(files._root / path)
        write_small(files, path, data, mtime_ns)

    def refuse_new(place: Path) -> BinaryIO:
        require(place)
        return opened(place)

    def refuse_move(source: Path, target: Path) -> None:
        require(target)
        move(source, target)

    monkeypatch.setattr(ManyFiles, "write", refuse_small)
    monkeypatch.setattr(local_files, "open_new", refuse_new)
    monkeypatch.setattr(local_files, "move", refuse_move)
