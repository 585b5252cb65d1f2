"""A thousand files: cut at ten moments, batches that fail or are slow, copies that are cut short, odd names, links.

50 MB on a folder in seconds; `make slow` also takes 50 MB to every kind of place, and kills real processes over 2 GB.
"""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.place import FileState, Place
from ossicle.app.remote.transfer import Transferred, pull, push
from ossicle.app.steps.engine.step import Silent
from ossicle.core.errors import FetchError

from .conftest import Kind
from .made import NAMES, QUICK, Watched, write

BATCH, N_FILES, CUTS = 100, 1000, 10
PUSH = """
import sys
from pathlib import Path
from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.transfer import push
from ossicle.app.steps.engine.step import Silent
push(Path(sys.argv[1]), FolderPlace(Path(sys.argv[2])), Silent())
"""


class Cut(BaseException):
    """The process ends here."""


def make_thousand(folder: Path, size: int) -> dict[str, str]:
    """Write a thousand files of about ``size`` bytes, some with odd names, and a link; return their SHA-256 by path."""
    draw = random.Random(3)
    block = draw.randbytes(size)
    paths = [*NAMES, *(f"tape {number % 20}/{number:04}.wav" for number in range(N_FILES - len(NAMES)))]
    made = {}
    for number, path in enumerate(paths):
        data = number.to_bytes(4, "big") + block[: size - draw.randrange(size // 10)]
        write(folder / path, data)
        made[path] = hashlib.sha256(data).hexdigest()
    os.symlink("a.wav", folder / "link.wav")
    return made


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of the files of a folder without Ossicle's own."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and ".ossicle-" not in path.as_posix()
    }


def cut_at(place: Watched, end: int) -> None:
    """Let a process end when ``end`` files have arrived."""

    def fewer(files: Mapping[str, FileState]) -> Mapping[str, FileState]:
        return dict(list(files.items())[: max(0, end - len(place.sent))])

    def stop() -> None:
        if len(place.sent) >= end:
            raise Cut

    place.before, place.after = fewer, stop


def push_to_the_end(kind: Kind, mine: Path, changing: Path) -> tuple[Transferred, Watched]:
    """Push while the first batch fails and is slow then, and a file of it changes after it was listed."""
    place = Watched(kind.open())
    calls: list[int] = []

    def before(files: Mapping[str, FileState]) -> Mapping[str, FileState]:
        calls.append(len(files))
        if len(calls) == 1:
            raise FetchError("the connection ended")
        if len(calls) == 2:
            time.sleep(0.3)
            write(changing, b"another take" * 5000, 1_700_000_500_000_000_000)
        return files

    place.before = before
    done = push(mine, place, Silent(), QUICK)
    # The batch that failed, its second attempt, at least one more batch, and the file that had changed.
    assert len(calls) >= 4
    assert calls[-1] == 1
    return done, place


@pytest.mark.parametrize(
    "kind",
    ["file", pytest.param("ssh", marks=pytest.mark.slow), pytest.param("modal", marks=pytest.mark.slow)],
    indirect=True,
)
def test_a_thousand_files_arrive_whatever_happens(kind: Kind, tmp_path: Path) -> None:
    mine, draw = tmp_path / "mine", random.Random(11)
    made = make_thousand(mine, 50_000)
    sent: list[str] = []
    for _ in range(CUTS):
        place = Watched(kind.open())
        # What is left after the cuts before it, so that every cut is one.
        cut_at(place, draw.randrange(1, max(2, (N_FILES - len(set(sent))) // 5)))
        with pytest.raises(Cut):
            push(mine, place, Silent(), QUICK)
        sent += place.sent
        result = digests(kind.folder)
        assert result.items() <= made.items()
        assert len(result) == len(set(sent))
    # Files of a batch that was cut are recognised by their bytes; nothing was sent twice.
    assert len(sent) == len(set(sent))
    cut_short = kind.folder / sent[0]
    os.truncate(cut_short, 1000)
    changing = mine / sorted(made.keys() - set(sent))[0]
    done, place = push_to_the_end(kind, mine, changing)
    made[changing.relative_to(mine).as_posix()] = hashlib.sha256(changing.read_bytes()).hexdigest()
    assert digests(kind.folder) == made
    assert list(done.left_out) == ["link.wav"]
    assert sent[0] in done.sent
    again = len(place.sent) - (N_FILES - len(set(sent)))
    assert 0 <= again <= BATCH
    place = Watched(kind.open())
    done = push(mine, place, Silent(), QUICK)
    assert (done.sent, done.unchanged, place.sent, place.read) == ({}, N_FILES, [], [])
    back = tmp_path / "back"
    assert len(pull(kind.open(), back, Silent(), QUICK).sent) == N_FILES
    assert digests(back) == made


def seconds_of_cpu(place: Place, mine: Path) -> tuple[float, float]:
    """The time of this process for the two listings, and for a push that sends nothing."""
    began = time.process_time()
    FolderPlace(mine).listing()
    place.listing()
    listed = time.process_time()
    assert push(mine, place, Silent()).n_bytes == 0
    return listed - began, time.process_time() - listed


@pytest.mark.slow
def test_two_gigabytes_killed_at_ten_moments(tmp_path: Path) -> None:
    mine, there, draw = tmp_path / "mine", tmp_path / "there", random.Random(5)
    made = make_thousand(mine, 2_000_000)
    command = [sys.executable, "-c", PUSH, str(mine), str(there)]
    began = time.monotonic()
    subprocess.run(command, check=True, timeout=900)
    whole_s = time.monotonic() - began
    assert digests(there) == made
    shutil.rmtree(there)
    before = 0
    for _ in range(CUTS):
        process = subprocess.Popen(command)
        time.sleep(draw.uniform(0.5, 0.5 + whole_s / CUTS))
        process.kill()
        process.wait(timeout=60)
        result = digests(there) if there.exists() else {}
        assert result.items() <= made.items()
        assert len(result) >= before
        before = len(result)
    place = Watched(FolderPlace(there))
    push(mine, place, Silent())
    assert digests(there) == made
    assert len(place.sent) == N_FILES - before
    listing_s, push_s = seconds_of_cpu(FolderPlace(there), mine)
    assert push_s <= 2.0 + listing_s
