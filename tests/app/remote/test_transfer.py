"""One suite for all kinds of places: nothing is lost, nothing is copied without need, and nothing is followed."""

import os
import random
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from ossicle.app.remote.place import FileState
from ossicle.app.remote.transfer import TransferOptions, pull, push
from ossicle.app.steps.engine.step import Silent
from ossicle.core.errors import FetchError, UsageError

from .conftest import Kind
from .made import NAMES, QUICK, VERIFY, Watched, contents, make_files, write

BATCH = 100


def test_every_name_goes_there_and_back_with_its_bytes_and_time(kind: Kind, tmp_path: Path) -> None:
    mine, back = tmp_path / "mine", tmp_path / "back"
    for number, name in enumerate(NAMES):
        write(mine / name, b"x" * number)
    sent = push(mine, kind.open(), Silent())
    assert (set(sent.sent), sent.n_bytes, sent.left_out) == (set(NAMES), sum(range(len(NAMES))), {})
    assert contents(kind.folder) == contents(mine)
    brought = pull(kind.open(), back, Silent())
    assert (set(brought.sent), contents(back)) == (set(NAMES), contents(mine))
    for name in NAMES if kind.open().keeps_times else ():
        assert (back / name).stat().st_mtime_ns == (mine / name).stat().st_mtime_ns


def test_what_is_unchanged_is_neither_copied_nor_read(kind: Kind, tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 30)
    push(tmp_path / "mine", kind.open(), Silent())
    place = Watched(kind.open())
    again = push(tmp_path / "mine", place, Silent())
    assert (again.sent, again.unchanged, place.sent, place.read) == ({}, 30, [], [])
    pull(kind.open(), tmp_path / "back", Silent())
    place = Watched(kind.open())
    again = pull(place, tmp_path / "back", Silent())
    assert (again.sent, again.unchanged, place.sent, place.read) == ({}, 30, [], [])


def test_a_changed_file_alone_is_copied_and_a_touched_one_is_not(kind: Kind, tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 10)
    push(tmp_path / "mine", kind.open(), Silent())
    changed, touched = tmp_path / "mine" / "tape 1/0001.wav", tmp_path / "mine" / "tape 2/0002.wav"
    # The same size: only the time says that something may have changed.
    write(changed, bytes(changed.stat().st_size), 1_700_000_500_000_000_000)
    write(touched, touched.read_bytes(), 1_700_000_500_000_000_000)
    again = push(tmp_path / "mine", kind.open(), Silent())
    assert (list(again.sent), again.unchanged) == (["tape 1/0001.wav"], 9)
    place = Watched(kind.open())
    assert push(tmp_path / "mine", place, Silent()).unchanged == 10
    assert place.read == []


@pytest.mark.parametrize("options", [QUICK, VERIFY])
def test_a_truncated_copy_is_copied_again(kind: Kind, tmp_path: Path, options: TransferOptions) -> None:
    made = make_files(tmp_path / "mine", 10)
    push(tmp_path / "mine", kind.open(), Silent())
    (kind.folder / "tape 3/0003.wav").write_bytes(made["tape 3/0003.wav"][:-1])
    assert list(push(tmp_path / "mine", kind.open(), Silent(), options).sent) == ["tape 3/0003.wav"]
    assert contents(kind.folder) == made


def test_verify_mends_damage_that_size_and_time_do_not_show(kind: Kind, tmp_path: Path) -> None:
    made = make_files(tmp_path / "mine", 10)
    push(tmp_path / "mine", kind.open(), Silent())
    damaged = kind.folder / "tape 3/0003.wav"
    write(damaged, bytes(len(made["tape 3/0003.wav"])), damaged.stat().st_mtime_ns)
    assert push(tmp_path / "mine", kind.open(), Silent()).sent == {}
    assert list(push(tmp_path / "mine", kind.open(), Silent(), VERIFY).sent) == ["tape 3/0003.wav"]
    assert contents(kind.folder) == made
    assert push(tmp_path / "mine", kind.open(), Silent(), VERIFY).sent == {}


def test_damage_here_does_not_replace_a_good_copy(kind: Kind, tmp_path: Path) -> None:
    made = make_files(tmp_path / "mine", 10)
    push(tmp_path / "mine", kind.open(), Silent())
    damaged = tmp_path / "mine" / "tape 3/0003.wav"
    write(damaged, bytes(len(made["tape 3/0003.wav"])), damaged.stat().st_mtime_ns)
    done = push(tmp_path / "mine", kind.open(), Silent(), VERIFY)
    assert (done.sent, list(done.left_out)) == ({}, ["tape 3/0003.wav"])
    assert "may be damaged" in done.left_out["tape 3/0003.wav"]
    assert contents(kind.folder) == made


def test_copies_that_nobody_recorded_are_compared_by_their_bytes(kind: Kind, tmp_path: Path) -> None:
    made = make_files(tmp_path / "mine", 10)
    for path, data in made.items():
        write(kind.folder / path, data)
    # As large as it should be, but not the same: a loader by names, or by sizes, would believe it.
    write(kind.folder / "tape 4/0004.wav", bytes(len(made["tape 4/0004.wav"])))
    done = push(tmp_path / "mine", kind.open(), Silent())
    assert (list(done.sent), done.unchanged) == (["tape 4/0004.wav"], 9)
    place = Watched(kind.open())
    push(tmp_path / "mine", place, Silent())
    assert (place.read, contents(kind.folder)) == ([], made)


@pytest.mark.parametrize("way", ["push", "pull"])
def test_cut_at_ten_moments_at_most_one_batch_is_copied_again(kind: Kind, tmp_path: Path, way: str) -> None:
    mine = kind.folder if way == "pull" else tmp_path / "mine"
    made = make_files(mine, 350)
    draw, total, cuts = random.Random(7), 0, 0
    for _ in range(10):
        place = Watched(kind.open())
        end = draw.randrange(0, 350)

        def cut(files: Mapping[str, FileState], place: Watched = place, end: int = end) -> Mapping[str, FileState]:
            return dict(list(files.items())[: max(0, end - len(place.sent))])

        def stop(place: Watched = place, end: int = end) -> None:
            if len(place.sent) >= end:
                raise KeyboardInterrupt

        place.before, place.after = cut, stop
        try:
            _go(way, tmp_path, place)
        except KeyboardInterrupt:
            cuts += 1
        total += len(place.sent)
    done = Watched(kind.open())
    _go(way, tmp_path, done)
    there = kind.folder if way == "push" else tmp_path / "back"
    assert (contents(there), cuts > 1) == (made, True)
    # What was copied before a cut is found by its bytes: nothing is copied twice.
    assert total + len(done.sent) <= 350 + BATCH


def _go(way: str, tmp_path: Path, place: Watched) -> None:
    if way == "push":
        push(tmp_path / "mine", place, Silent(), QUICK)
    else:
        pull(place, tmp_path / "back", Silent(), QUICK)


def test_a_batch_that_fails_is_tried_again(kind: Kind, tmp_path: Path) -> None:
    made = make_files(tmp_path / "mine", 250)
    place, failures = Watched(kind.open()), iter([False, True, True, False, False])

    def fail(files: Mapping[str, FileState]) -> Mapping[str, FileState]:
        if next(failures):
            raise FetchError("the connection ended")
        return files

    place.before = fail
    push(tmp_path / "mine", place, Silent(), QUICK)
    assert (len(place.sent), contents(kind.folder)) == (250, made)


def test_a_batch_that_always_fails_ends_it_and_what_arrived_is_recorded(kind: Kind, tmp_path: Path) -> None:
    made = make_files(tmp_path / "mine", 250)
    place = Watched(kind.open())

    def fail(files: Mapping[str, FileState]) -> Mapping[str, FileState]:
        if len(place.sent) >= BATCH:
            raise FetchError("the connection ended")
        return files

    place.before = fail
    with pytest.raises(FetchError, match=r"failed 3 times: the connection ended.*run the same command again"):
        push(tmp_path / "mine", place, Silent(), QUICK)
    place = Watched(kind.open())
    done = push(tmp_path / "mine", place, Silent(), QUICK)
    assert (len(done.sent), done.unchanged, place.read) == (150, 100, [])
    assert contents(kind.folder) == made


def test_a_file_that_changes_meanwhile_arrives_as_it_is_at_the_end(kind: Kind, tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 10)
    place, changing = Watched(kind.open()), tmp_path / "mine" / "tape 5/0005.wav"

    def change() -> None:
        place.after = lambda: None
        write(changing, b"longer than before" * 200, 1_700_000_500_000_000_000)

    place.after = change
    done = push(tmp_path / "mine", place, Silent(), QUICK)
    assert (len(done.sent), done.left_out) == (10, {})
    assert contents(kind.folder) == contents(tmp_path / "mine")


def test_a_file_that_never_rests_is_left_out(kind: Kind, tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 10)
    place, changing = Watched(kind.open()), tmp_path / "mine" / "tape 5/0005.wav"
    times = iter(range(1_700_000_500, 1_700_000_600))

    def change() -> None:
        now = next(times)
        write(changing, str(now).encode() * 10, now * 1_000_000_000)

    place.after = change
    done = push(tmp_path / "mine", place, Silent(), QUICK)
    assert (len(done.sent), list(done.left_out)) == (9, ["tape 5/0005.wav"])
    assert "changes while it is copied" in done.left_out["tape 5/0005.wav"]
    # And it is not taken for done.
    assert list(push(tmp_path / "mine", kind.open(), Silent(), QUICK).sent) == ["tape 5/0005.wav"]


def test_a_file_that_vanishes_meanwhile_costs_only_itself(kind: Kind, tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 10)
    place = Watched(kind.open())

    def vanish(files: Mapping[str, FileState]) -> Mapping[str, FileState]:
        (tmp_path / "mine" / "tape 5/0005.wav").unlink(missing_ok=True)
        return files

    place.before = vanish
    done = push(tmp_path / "mine", place, Silent(), QUICK)
    assert (len(done.sent), list(done.left_out)) == (9, ["tape 5/0005.wav"])


def test_links_pipes_and_sockets_are_left_out_on_both_ways(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, mine, back = tmp_path / "secret", tmp_path / "mine", tmp_path / "back"
    write(secret / "key", b"secret")
    for folder in (mine, kind.folder):
        write(folder / "a.wav", b"a")
        os.symlink(secret / "key", folder / "link.wav")
        os.symlink(secret, folder / "linked folder")
        os.mkfifo(folder / "pipe.wav")
    there = {"link.wav", "linked folder", "pipe.wav"}
    assert set(pull(kind.open(), back, Silent(), QUICK).left_out) == there
    assert contents(back) == {"a.wav": b"a"}
    bound = socket.socket(socket.AF_UNIX)
    try:
        # The path of a socket has at most about a hundred characters.
        monkeypatch.chdir(mine)
        bound.bind("socket")
        assert set(push(mine, kind.open(), Silent(), QUICK).left_out) == there | {"socket"}
    finally:
        bound.close()
    assert (secret / "key").read_bytes() == b"secret"


def test_nothing_is_written_through_a_link_at_the_target(kind: Kind, tmp_path: Path) -> None:
    mine, back, victim = tmp_path / "mine", tmp_path / "back", tmp_path / "victim"
    write(victim / "precious", b"old")
    for name, target in (("file.wav", victim / "precious"), ("folder/inner.wav", victim)):
        for number, folder in enumerate((mine, tmp_path / "other")):
            write(folder / str(number) / name, b"new")
        for folder in (kind.folder / "0", back / "1"):
            folder.mkdir(parents=True, exist_ok=True)
            os.symlink(target, folder / name.partition("/")[0])
    if kind.name != "modal":
        # A link may be refused or replaced, as long as nothing behind it changes. A volume follows none of its links.
        with suppress(UsageError):
            push(mine, kind.open(), Silent(), QUICK)
    with pytest.raises(UsageError, match="symbolic link"):
        pull(kind.at(tmp_path / "other"), back, Silent(), QUICK)
    assert contents(victim) == {"precious": b"old"}


def test_records_through_a_link_are_refused(kind: Kind, tmp_path: Path) -> None:
    if kind.name == "modal":
        pytest.skip("a volume lists its own files, and follows no link")
    make_files(tmp_path / "mine", 3)
    (tmp_path / "victim").mkdir()
    kind.folder.mkdir(parents=True)
    os.symlink(tmp_path / "victim", kind.folder / ".ossicle-sent")
    with pytest.raises(UsageError, match="symbolic link"):
        push(tmp_path / "mine", kind.open(), Silent(), QUICK)
    assert list((tmp_path / "victim").iterdir()) == []


def test_damaged_records_only_cost_a_look_at_the_bytes(kind: Kind, tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 5)
    push(tmp_path / "mine", kind.open(), Silent())
    for file in (kind.folder / ".ossicle-sent").iterdir():
        lines = file.read_bytes().splitlines()
        file.write_bytes(b"\n".join([b"[1]", b'{"path": "tape 0/0000.wav"}', b"\xff", b"[" * 5000, *lines[1:]]))
    place = Watched(kind.open())
    done = push(tmp_path / "mine", place, Silent())
    assert (done.sent, done.unchanged, place.read) == ({}, 5, ["tape 0/0000.wav"])


def test_a_place_that_does_not_exist_is_named_and_nothing_is_created(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        pull(kind.open(), tmp_path / "back", Silent(), QUICK)
    assert (kind.open().listing().exists, kind.folder.exists(), (tmp_path / "back").exists()) == (False, False, False)
    kind.folder.mkdir(parents=True)
    assert pull(kind.open(), tmp_path / "back", Silent(), QUICK).sent == {}


def test_a_dry_run_changes_nothing(kind: Kind, tmp_path: Path) -> None:
    make_files(tmp_path / "mine", 5)
    done = push(tmp_path / "mine", kind.open(), Silent(), TransferOptions(dry_run=True))
    assert (len(done.sent), kind.folder.exists()) == (5, False)
    push(tmp_path / "mine", kind.open(), Silent())
    done = pull(kind.open(), tmp_path / "back", Silent(), TransferOptions(dry_run=True))
    assert (len(done.sent), (tmp_path / "back").exists()) == (5, False)


def test_what_is_in_the_way_at_the_target_is_kept_and_named(kind: Kind, tmp_path: Path) -> None:
    mine, back = tmp_path / "mine", tmp_path / "back"
    for path in ("tape/a.wav", "tape/deep/b.wav", "empty", "full", "good.wav"):
        write(mine / path, b"new")
        write(tmp_path / "other" / path, b"new")
    blocked = {"tape/a.wav", "tape/deep/b.wav", "empty", "full"}
    for target in (kind.folder, back):
        write(target / "tape", b"precious")
        (target / "empty").mkdir()
        write(target / "full" / "x.wav", b"precious")
    pushed = push(mine, kind.open(), Silent(), QUICK)
    pulled = pull(kind.at(tmp_path / "other"), back, Silent(), QUICK)
    for target, done in ((kind.folder, pushed), (back, pulled)):
        assert (list(done.sent), set(done.left_out)) == (["good.wav"], blocked)
        assert all("is in the way" in why for why in done.left_out.values())
        assert contents(target) == {"tape": b"precious", "full/x.wav": b"precious", "good.wav": b"new"}
        assert (target / "empty").is_dir()
