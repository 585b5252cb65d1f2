"""A store of many short recordings, killed with its workers: at most one shard per worker is done again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.files import tree_digest
from ossicle.audio.store import StoreItem, build_store
from ossicle.audio.wav import wav_bytes

RATE, RECORDINGS, WORKERS = 16000, 400, 2
SHARDS = 200

_BUILD = """
import sys
from pathlib import Path
from ossicle.audio.store import StoreItem, build_store
if __name__ == "__main__":
    items = [StoreItem(p.stem, p, p.stem, 16000, 800) for p in Path(sys.argv[1]).glob("*.wav")]
    told = lambda line: print(line, flush=True)
    build_store(items, Path(sys.argv[2]), 16000, workers=2, shard_s=1.0, progress=told)
"""


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of 50 ms."""
    folder = tmp_path_factory.mktemp("audio")
    rng = np.random.default_rng(1)
    for number in range(RECORDINGS):
        samples = rng.normal(0, 0.1, RATE // 20).astype(np.float32)
        (folder / f"r{number:03d}.wav").write_bytes(wav_bytes(samples, RATE))
    return folder


@pytest.fixture(scope="module")
def undisturbed(audio: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the store of one process that nobody killed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    lines = built(audio, folder)
    assert len(lines) == SHARDS
    return tree_digest(folder)


def built(audio: Path, folder: Path) -> list[str]:
    items = [StoreItem(path.stem, path, path.stem, RATE, RATE // 20) for path in audio.glob("*.wav")]
    lines: list[str] = []
    build_store(items, folder, RATE, shard_s=1.0, progress=lines.append)
    return lines


@pytest.mark.parametrize("seen", [1, 60, *(pytest.param(k, marks=pytest.mark.slow) for k in range(10, 200, 11))])
def test_a_killed_build_repeats_at_most_a_shard_per_worker(
    audio: Path, undisturbed: str, tmp_path: Path, seen: int
) -> None:
    folder, script = tmp_path / "store", tmp_path / "build.py"
    script.write_text(_BUILD)
    command = [sys.executable, os.fspath(script), os.fspath(audio), os.fspath(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        for _ in range(seen):
            assert "computed" in process.stdout.readline()
        os.killpg(process.pid, signal.SIGKILL)
    complete = list((folder / "shards").rglob("*.h5"))
    begun = [path for path in complete if path.name.startswith(".")]
    assert len(begun) <= WORKERS
    assert seen <= len(complete) - len(begun) < SHARDS
    lines = built(audio, folder)
    assert sum("reused" in line for line in lines) == len(complete) - len(begun)
    assert sum("computed" in line for line in lines) == SHARDS - len(complete) + len(begun)
    assert tree_digest(folder) == undisturbed
    # At most 1 % of the recordings were begun when both workers were killed.
    assert len(begun) * RECORDINGS // SHARDS <= RECORDINGS // 100


def test_no_folder_holds_more_than_a_share_of_the_shards(audio: Path, tmp_path: Path) -> None:
    built(audio, tmp_path / "store")
    sizes = [len(list(place.iterdir())) for place in (tmp_path / "store" / "shards").iterdir()]
    assert sum(sizes) == SHARDS
    assert len(sizes) > SHARDS // 4
    assert max(sizes) < 10
