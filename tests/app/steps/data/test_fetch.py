"""``ossicle fetch`` and the first step of ``ossicle run``: exit codes, what goes on, what is refused."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.corpus.formats.cells.delimited import write_delimited

PROJECT = """
base = "recipe:birds"
[corpus]
audio = "audio"
[split]
folds = 2
[fetch]
table = "files.csv"
"""


class Flaky(BaseHTTPRequestHandler):
    """Serves a folder; breaks off the first answer for every file after some bytes, and knows ranges."""

    folder: Path
    dropped: set[str]
    asked: list[str]
    ranges: list[str]
    slowly = False

    def do_GET(self) -> None:
        self.asked.append(self.path)
        file = self.folder / self.path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        body, stated = file.read_bytes(), self.headers.get("Range", "")
        self.ranges.append(f"{self.path} {stated}")
        start = int(stated.removeprefix("bytes=").rstrip("-")) if stated else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        while self.slowly and start < len(body):
            self.wfile.write(body[start : start + 50_000])
            start += 50_000
            time.sleep(0.02)
        whole = self.path in self.dropped
        self.dropped.add(self.path)
        self.wfile.write(body[start:] if whole else body[start : start + 3000])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str, type[Flaky]]]:
    folder = tmp_path / "served"
    for number in range(6):
        file = folder / ("wren", "robin")[number % 2] / f"{number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).standard_normal(8000) * 0.1
        soundfile.write(file, noise, 8000)
    handler = type("Own", (Flaky,), {"folder": folder, "dropped": set(), "asked": [], "ranges": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def project(folder: Path, served: Path, address: str, more: tuple[tuple[str, ...], ...] = ()) -> Path:
    rows = []
    for file in sorted(served.rglob("*.wav")):
        path, body = file.relative_to(served).as_posix(), file.read_bytes()
        rows.append((f"{address}/{path}", str(len(body)), hashlib.sha256(body).hexdigest(), path))
    folder.mkdir(exist_ok=True)
    write_delimited(folder / "files.csv", ("address", "size", "sha256", "path"), [*rows, *more])
    (folder / "ossicle.toml").write_text(PROJECT)
    return folder


def test_files_come_once_whatever_the_connection_does(ossicle, served, tmp_path: Path) -> None:
    place = project(tmp_path / "work", served[0], served[1])
    result = ossicle("fetch", "-p", place, "--progress", "plain")
    assert result.code == 0, result.err
    assert "6 fetched (96.3 kB), 0 present, 0 failed" in result.out
    assert "fetch" in result.err or not result.err
    for file in served[0].rglob("*.wav"):
        assert (place / "audio" / file.relative_to(served[0])).read_bytes() == file.read_bytes()
    assert len(served[2].asked) == 12
    again = ossicle("fetch", "-p", place, "--json")
    assert json.loads(again.out) | {"folder": ""} == {
        "folder": "", "computed": 0, "reused": 6, "n_bytes": 0, "failed": [],
    }  # fmt: skip
    assert len(served[2].asked) == 12


def test_what_cannot_be_had_is_named_and_the_rest_is_there(ossicle, served, tmp_path: Path) -> None:
    gone = (f"{served[1]}/gone.wav", "9", "0" * 64, "gone.wav")
    place = project(tmp_path / "work", served[0], served[1], (gone,))
    result = ossicle("fetch", "-p", place)
    assert result.code == 3
    assert "gone.wav: http://127.0.0.1" in result.err
    assert "404" in result.err
    assert "6 fetched" in result.out
    assert ossicle("fetch", "-p", place).code == 3
    ran = ossicle("run", "corpus", "-p", place)
    assert ran.code == 1
    assert "1 of the files could not be fetched; the first: gone.wav" in ran.err
    alone = project(tmp_path / "alone", tmp_path / "nothing", served[1], (gone,))
    assert ossicle("fetch", "-p", alone).code == 1


def test_run_fetches_first_and_then_leaves_the_server_alone(ossicle, served, tmp_path: Path) -> None:
    place = project(tmp_path / "work", served[0], served[1])
    result = ossicle("run", "--until", "dataset", "-p", place)
    assert result.code == 0, result.err
    asked = len(served[2].asked)
    assert asked == 12
    assert ossicle("run", "--until", "dataset", "-p", place).code == 0
    assert len(served[2].asked) == asked
    (place / "audio/wren/0.wav").unlink()
    assert ossicle("run", "--until", "dataset", "-p", place).code == 0
    assert len(served[2].asked) == asked + 1


def test_check_says_what_is_to_be_fetched(ossicle, served, tmp_path: Path) -> None:
    place = project(tmp_path / "work", served[0], served[1])
    before = ossicle("check", "-p", place, "--json")
    assert {
        entry["what"]: entry["ok"] for entry in json.loads(before.out) if entry["what"] in ("fetch", "recordings")
    } == {
        "fetch": False,
        "recordings": False,
    }
    assert all(not entry["blocks"] for entry in json.loads(before.out) if entry["what"] in ("fetch", "recordings"))
    assert ossicle("fetch", "-p", place).code == 0
    after = ossicle("check", "-p", place, "--json")
    assert {entry["what"]: entry["ok"] for entry in json.loads(after.out)}["fetch"]
    (place / "files.csv").write_text("address\n")
    assert [
        entry["blocks"] for entry in json.loads(ossicle("check", "-p", place, "--json").out) if entry["what"] == "fetch"
    ] == [True]


def test_killed_at_any_moment_the_next_call_goes_on(served, tmp_path: Path) -> None:
    body = np.random.default_rng(5).bytes(3_000_000)
    (served[0] / "large.wav").write_bytes(body)
    place = project(tmp_path / "work", served[0], served[1])
    served[2].slowly = True
    run = [sys.executable, "-m", "ossicle", "fetch", "-p", str(place), "--progress", "none"]
    first = subprocess.Popen(run)
    while not any(one.stat().st_size > 200_000 for one in place.glob("audio/.ossicle-fetch-*")):
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    assert not (place / "audio/large.wav").exists()
    (part,) = [one for one in place.glob("audio/.ossicle-fetch-*") if one.stat().st_size > 200_000]
    have = part.stat().st_size
    served[2].slowly = False
    assert subprocess.run(run, check=False).returncode == 0
    assert (place / "audio/large.wav").read_bytes() == body
    assert f"/large.wav bytes={have}-" in served[2].ranges


def test_verify_reads_what_is_there(ossicle, served, tmp_path: Path) -> None:
    place = project(tmp_path / "work", served[0], served[1])
    assert ossicle("fetch", "-p", place).code == 0
    file = place / "audio/wren/0.wav"
    state, body = file.stat(), bytearray(file.read_bytes())
    body[-1] ^= 1
    file.write_bytes(body)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert ossicle("fetch", "-p", place).code == 0
    result = ossicle("fetch", "-p", place, "--verify")
    assert result.code == 3
    assert "wren/0.wav: already exists and differs from the table" in result.err


def test_strangers_projects_write_nowhere_else(ossicle, served, tmp_path: Path) -> None:
    place = project(tmp_path / "work", served[0], served[1])
    for folder in ("/tmp/elsewhere", "../elsewhere"):
        text = PROJECT + f'folder = "{folder}"\n'
        (place / "ossicle.toml").write_text(text)
        result = ossicle("fetch", "-p", place)
        assert result.code == 2
        assert "[fetch] folder" in result.err
        assert "not below the folder of the project file" in result.err
    (place / "ossicle.toml").write_text(PROJECT)
    (place / "audio").symlink_to(tmp_path)
    result = ossicle("fetch", "-p", place)
    assert result.code == 2
    assert "is a symbolic link" in result.err
    (place / "audio").unlink()
    wished = ossicle("fetch", "-p", place, "--set", f"fetch.folder={tmp_path / 'wished'}")
    assert wished.code == 0, wished.err
    assert (tmp_path / "wished/wren/0.wav").is_file()


def test_a_project_without_a_table_and_a_bad_table(ossicle, tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:birds"\n[corpus]\naudio = "audio"\n')
    result = ossicle("fetch", "-p", tmp_path)
    assert result.code == 2
    assert "[fetch] table is empty" in result.err
    bad = ("ftp://x/y", "1", "0" * 64, "")
    place = project(tmp_path / "work", tmp_path / "nothing", "", (bad,))
    result = ossicle("fetch", "-p", place)
    assert result.code == 2
    assert "files.csv, line 2: the address" in result.err


def test_a_full_disk_is_told_before_the_first_byte(ossicle, served, tmp_path: Path) -> None:
    huge = (f"{served[1]}/huge.wav", str(10**17), "0" * 64, "huge.wav")
    place = project(tmp_path / "work", served[0], served[1], (huge,))
    result = ossicle("fetch", "-p", place)
    assert result.code == 1
    assert "No space left" in result.err
    assert served[2].asked == []
