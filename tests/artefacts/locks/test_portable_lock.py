"""The lock where the system has no ``fcntl``, as on Windows: here, where importing it raises."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.locks.lock import LOCK_FILE
from ossicle.audio.wav import write_wav

NO_FCNTL = """
import sys, warnings
class NoFcntl:
    def find_spec(self, name, path=None, target=None):
        if name == "fcntl":
            raise ModuleNotFoundError("No module named 'fcntl'", name="fcntl")
sys.meta_path.insert(0, NoFcntl())
sys.modules.pop("fcntl", None)
warnings.filterwarnings("ignore", "only soft file lock is available")
"""
HOLDS = """
import sys
from pathlib import Path
from ossicle.artefacts.locks.lock import project_lock
with project_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""
TRIES = """
import sys
from pathlib import Path
from ossicle.artefacts.locks.lock import forget_work_unit_locks, project_lock, work_unit_lock
from ossicle.core.errors import LockedError
folder = Path(sys.argv[1])
def attempt():
    try:
        with project_lock(folder):
            return "held"
    except LockedError as error:
        return str(error)
print(attempt(), flush=True)
sys.stdin.readline()
print(attempt(), flush=True)
with project_lock(folder):
    print(attempt(), flush=True)
with work_unit_lock(folder, "fold0"), work_unit_lock(folder, "fold1"):
    pass
forget_work_unit_locks(folder)
"""


@pytest.fixture
def without_fcntl(tmp_path: Path) -> dict[str, str]:
    """The environment of a process in which importing fcntl fails, from its first line on."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "sitecustomize.py").write_text(NO_FCNTL)
    paths = [str(place), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def test_one_of_two_processes_holds_it_and_the_other_is_told_who(tmp_path: Path, without_fcntl: dict[str, str]) -> None:
    folder = tmp_path / "project"
    folder.mkdir()

    def started(script: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", script, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=without_fcntl,
        )

    with started(HOLDS) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        owner = json.loads((folder / LOCK_FILE).read_text())
        with started(TRIES) as second:
            assert second.stdout is not None
            result = second.stdout.readline()
            assert owner["pid"] == holder.pid
            holder_words = f"process {holder.pid} on {socket.gethostname()} since {owner['since']}"
            assert f"{folder} is in use by {holder_words};" in result
            holder.communicate("\n")
            rest, _ = second.communicate("\n")
            later, within = rest.splitlines()
            assert later == "held"
            assert f"is in use by process {second.pid} on" in within
            assert second.returncode == 0
    assert [path.name for path in folder.iterdir() if path.name.startswith(".ossicle-lock-")] == []


def test_help_and_predict_run_without_fcntl(tmp_path: Path, repository: Path, without_fcntl: dict[str, str]) -> None:
    bundle = repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"
    out = tmp_path / "out"

    def said(*words: object) -> str:
        command = [sys.executable, "-m", "ossicle", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=without_fcntl)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "audio").mkdir()
    write_wav(tmp_path / "audio" / "a.wav", np.zeros(16000, np.float32), 16000)
    assert "predict" in said("--help")
    said("predict", bundle, tmp_path / "audio", "-o", out)
    assert list(out.rglob("*.txt"))
