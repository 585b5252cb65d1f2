"""A failed write says which file and why, whoever wrote it."""

import errno
import os
import re
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.files import naming, whole_file, write_json
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.tables import write_csv, write_table
from ossicle.core.errors import ArtefactError, AudioError
from ossicle.core.tracks import ScoreTrack

from ..doubles.kills import file_limit

Usage = namedtuple("Usage", "free")


def fails(path: Path, error: Exception) -> OSError:
    with pytest.raises(OSError) as caught, naming(path):
        raise error
    return caught.value


def test_the_systems_error_gets_the_name_it_lacks(tmp_path: Path) -> None:
    result = fails(tmp_path / "a.npy", OSError(errno.ENOSPC, "no space"))
    assert str(result) == f"[Errno 28] No space left on device: '{tmp_path / 'a.npy'}'"
    own = OSError(errno.EACCES, "no", str(tmp_path / "other"))
    assert fails(tmp_path / "a", own) is own
    part = OSError(errno.ENOSPC, "no", str(tmp_path / ".ossicle-part-0123.json"))
    assert fails(tmp_path / "a.json", part).filename == str(tmp_path / "a.json")


@pytest.mark.parametrize(
    "words",
    [
        "Io error: No space left on device (os error 28)",
        "Unable to write (file write failed: errno = 28, error message = 'No space left on device')",
    ],
)
def test_a_librarys_words_become_the_systems_error(tmp_path: Path, words: str) -> None:
    assert fails(tmp_path / "a", RuntimeError(words)).errno == errno.ENOSPC


def test_any_failure_on_a_full_disk_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="file write failed"), naming(tmp_path / "a"):
        raise RuntimeError("file write failed")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(free=4096))
    assert fails(tmp_path / "a", RuntimeError("file write failed")).errno == errno.ENOSPC
    for error in (AudioError("bad file"), ArtefactError("damaged")):
        with pytest.raises(type(error), match=str(error)), naming(tmp_path / "a"):
            raise error


def test_a_whole_file_keeps_the_old_one_when_the_disk_is_full(tmp_path: Path) -> None:
    place = tmp_path / "a.json"
    write_json(place, {"old": 1})

    def write_half() -> None:
        with whole_file(place) as part:
            part.write_text("half")
            raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(OSError, match=re.escape(str(place))):
        write_half()
    assert os.listdir(tmp_path) == ["a.json"]
    assert "old" in place.read_text()


WRITERS = {
    "t.npy": lambda place: write_track(place / "t", ScoreTrack(("a",), np.zeros((10_000, 1), np.float32), 0.01, 100.0)),
    "t.json": lambda place: write_json(place / "t.json", ["x" * 100] * 1000),
    "t.parquet": lambda place: write_table(place / "t.parquet", noise_table(), ["x"]),
    "t.csv": lambda place: write_csv(place / "t.csv", noise_table()),
    "t.jsonl": lambda place: Journal(place / "t.jsonl").mark("a", text="x" * 50_000),
    "r.jsonl": lambda place: RunLog(place / "r.jsonl").work_unit("a", "x" * 50_000, "computed"),
}


def noise_table() -> pl.DataFrame:
    return pl.DataFrame({"x": np.random.default_rng(0).random(20_000)})


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_names_its_file_when_the_system_refuses(tmp_path: Path, name: str) -> None:
    with file_limit(20_000), pytest.raises(OSError) as caught:
        WRITERS[name](tmp_path)
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(tmp_path / name)
    assert [file for file in os.listdir(tmp_path) if file != name] == []
    # A log may end within a line, the journal may not.
    assert name == "r.jsonl" or not (tmp_path / name).exists() or (tmp_path / name).stat().st_size == 0


def test_the_file_is_named_where_its_part_cannot_even_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a read-only file system, the error was that of removing a hidden file."""

    def read_only(path: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr("ossicle.artefacts.files.remove_file", read_only)
    with pytest.raises(OSError, match="Read-only") as caught, whole_file(tmp_path / "page.html") as part:
        read_only(part)
    assert caught.value.filename == str(tmp_path / "page.html")
