import errno
import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ossicle.artefacts.locks import lock
from ossicle.artefacts.locks.lock import (
    LOCK_FILE,
    LOCKS_VARIABLE,
    file_lock,
    forget_work_unit_locks,
    project_lock,
    work_unit_lock,
)
from ossicle.core.errors import LockedError, UsageError

HOLDS = """
import sys
from pathlib import Path
from ossicle.artefacts.locks.lock import file_lock, project_lock
with project_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""
TRIES = """
import sys
from pathlib import Path
from ossicle.artefacts.locks.lock import file_lock, project_lock
from ossicle.core.errors import LockedError
try:
    with project_lock(Path(sys.argv[1])):
        print("held")
except LockedError as err:
    print(err)
"""


def tries(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", TRIES, str(folder)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def holder(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        result = tries(tmp_path)
        with pytest.raises(LockedError) as caught, project_lock(tmp_path):
            raise AssertionError("two holders")
        assert result == str(caught.value)
        owner = json.loads((tmp_path / LOCK_FILE).read_text())
        assert owner["pid"] == process.pid
        assert abs(datetime.now(UTC) - datetime.fromisoformat(owner["since"])) < timedelta(minutes=1)
        assert str(tmp_path) in result
        assert f"process {process.pid} on {socket.gethostname()} since {owner['since']}" in result
        assert "wait for it to end, or stop it" in result
        process.communicate("\n")
    assert tries(tmp_path) == "held"


def test_a_killed_holder_does_not_block(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        assert str(process.pid) in (tmp_path / LOCK_FILE).read_text()
    assert tries(tmp_path) == "held"
    with project_lock(tmp_path):
        assert json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
    "left", ["", "junk", "[1]", '{"pid": 1}', json.dumps({"pid": 1, "host": "h" * 300, "since": "x"})]
)
def test_whatever_an_old_file_says_it_is_no_lock(tmp_path: Path, left: str) -> None:
    (tmp_path / LOCK_FILE).write_text(left)
    with project_lock(tmp_path):
        assert json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == os.getpid()
    assert (tmp_path / LOCK_FILE).read_text() == ""


@pytest.mark.parametrize("text", ["", "junk", "[1]", "{}"])
def test_an_unsigned_lock_still_locks(tmp_path: Path, text: str) -> None:
    with project_lock(tmp_path):
        (tmp_path / LOCK_FILE).write_text(text)
        with pytest.raises(LockedError, match="in use by another process"), project_lock(tmp_path):
            raise AssertionError("two holders")


def test_an_exception_lets_go(tmp_path: Path) -> None:
    def fail() -> None:
        with project_lock(tmp_path):
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()


@pytest.mark.parametrize("was_there", [False, True])
def test_a_block_that_refuses_leaves_no_new_file(tmp_path: Path, was_there: bool) -> None:
    if was_there:
        (tmp_path / LOCK_FILE).touch()
    with pytest.raises(UsageError, match="refused"), project_lock(tmp_path):
        raise UsageError("refused")
    assert (tmp_path / LOCK_FILE).exists() == was_there


def test_whoever_waited_for_a_removed_file_locks_the_new_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as waiting:

        def waits() -> str:
            with project_lock(tmp_path, wait=True):
                return tries(tmp_path)

        with suppress(UsageError), project_lock(tmp_path):
            waiter = waiting.submit(waits)
            time.sleep(0.5)
            assert not waiter.done()
            raise UsageError("refused")
        assert f"{tmp_path} is in use by process {os.getpid()} on " in waiter.result()


def test_other_projects_are_free(tmp_path: Path) -> None:
    for name in ("a", "Käuzchen 1.2"):
        (tmp_path / name).mkdir()
    with project_lock(tmp_path / "a"), project_lock(tmp_path / "Käuzchen 1.2"):
        assert "is in use" in tries(tmp_path / "a")


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"), project_lock(tmp_path / "gone"):
        raise AssertionError("held nothing")


HOLD_A_UNIT = """
import sys, time
from pathlib import Path
from ossicle.artefacts.locks.lock import work_unit_lock
with work_unit_lock(Path(sys.argv[1]), "fold0"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holding_a_unit(folder: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD_A_UNIT, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_units_of_one_folder_are_locked_one_by_one(tmp_path: Path) -> None:
    with holding_a_unit(tmp_path / "work", 60) as process:
        with work_unit_lock(tmp_path / "work", "fold1"):
            pass
        with (
            pytest.raises(LockedError, match=r"fold0 in .*work is in use by process"),
            work_unit_lock(tmp_path / "work", "fold0"),
        ):
            pass
        process.kill()


def test_a_second_one_waits_for_a_unit_and_for_a_project(tmp_path: Path) -> None:
    began = time.monotonic()
    with holding_a_unit(tmp_path, 0.6), work_unit_lock(tmp_path, "fold0", wait_s=30):
        assert 0.4 < time.monotonic() - began < 20
    script = HOLD_A_UNIT.replace("work_unit_lock", "project_lock").replace(', "fold0"', "")
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path), "0.6"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with project_lock(tmp_path, wait=True):
            assert process.wait(10) == 0


def test_forgotten_units_leave_nothing(tmp_path: Path) -> None:
    with work_unit_lock(tmp_path, "fold0"):
        forget_work_unit_locks(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_on_a_place_without_locks_nothing_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, path: Path) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(lock, "try_lock", refuse)
    monkeypatch.delenv(LOCKS_VARIABLE, raising=False)
    for held in (project_lock(tmp_path), work_unit_lock(tmp_path, "fold0")):
        with (
            pytest.raises(UsageError, match=r"has no locks \(Operation not supported\); .* set OSSICLE_LOCKS=none"),
            held,
        ):
            raise AssertionError("held without a lock")
    for path in tmp_path.iterdir():
        path.unlink()
    monkeypatch.setenv(LOCKS_VARIABLE, "none")
    with project_lock(tmp_path), project_lock(tmp_path, wait=True), work_unit_lock(tmp_path / "work", "fold0"):
        assert [path.name for path in tmp_path.rglob("*")] == ["work"]
    with pytest.raises(UsageError, match="is not a folder"), project_lock(tmp_path / "absent"):
        raise AssertionError("no folder")


def test_an_unknown_kind_of_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCKS_VARIABLE, "off")
    with pytest.raises(UsageError, match=r"\$OSSICLE_LOCKS = 'off' is not one of: flock, none"), project_lock(tmp_path):
        raise AssertionError("held")


@pytest.mark.parametrize(
    ("code", "is_there", "named"),
    [
        (errno.EACCES, False, ""),
        (errno.EPERM, False, ""),
        (errno.EROFS, False, ""),
        (errno.EROFS, True, ""),
        (errno.EACCES, True, LOCK_FILE),
        (errno.ENOSPC, False, LOCK_FILE),
    ],
)
def test_the_folder_is_named_unless_the_file_is_the_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_there: bool, named: str
) -> None:
    def refused(path: Path) -> int:
        raise OSError(code, os.strerror(code), str(path))

    if is_there:
        (tmp_path / LOCK_FILE).touch()
    monkeypatch.setattr("ossicle.artefacts.locks.lock.descriptor_to_change", refused)
    with pytest.raises(OSError, match=os.strerror(code)) as caught, project_lock(tmp_path):
        raise AssertionError("held")
    assert (caught.value.errno, caught.value.filename) == (code, str(tmp_path / named))


def test_a_locked_file_keeps_its_content(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("one\n")
    with file_lock(file):
        with pytest.raises(LockedError, match=r"notes is in use by another process"), file_lock(file, wait_s=0.0):
            pass
        with file.open("a") as handle:
            handle.write("two\n")
    assert file.read_text() == "one\ntwo\n"
