"""SIGKILL at random moments of a project of many short recordings: complete shards stay, and the rest ends the same."""

import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from ossicle.audio.wav import wav_bytes

from ..conftest import contents, ossicle, started, survivors

RATE, RECORDINGS, WORKERS, SHARDS = 8000, 600, 2, 200
STEPS = ("corpus", "dataset", "store", "logmel")
PROJECT = f"""
base = "recipe:tapes"
[corpus]
audio = "audio"
annotations = "events.csv"
name_template = "s{{session}}_*"
[split]
group = "session"
folds = 3
[project]
workers = {WORKERS}
[frontend]
rate = {RATE}
n_fft = 256
hop_samples = 160
n_mels = 16
fmax_hz = 4000.0
[features]
cache = true
[augment]
gain_db = 0.0
tilt_db = 0.0
background_probability = 0.0
"""


def project_of(folder: Path) -> Path:
    """Sessions of recordings of a fifth of a second, a hit in each."""
    (folder / "audio").mkdir(parents=True)
    lines = ["file,start_s,end_s,label"]
    for number in range(RECORDINGS):
        samples = np.random.default_rng(number).normal(0, 0.1, RATE // 5).astype(np.float32)
        name = f"s{number % 12}_{number:04d}.wav"
        (folder / "audio" / name).write_bytes(wav_bytes(samples, RATE))
        lines.append(f"{name},0.05,0.1,{'kick' if number % 3 else 'snare'}")
    (folder / "events.csv").write_text("\n".join(lines) + "\n")
    (folder / "ossicle.toml").write_text(PROJECT)
    return folder


def until_logmel(folder: Path, data: Path) -> tuple[object, ...]:
    return ("run", "-p", folder, "--data-root", data, "--until", "logmel", "--progress", "none")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_of(tmp_path_factory.mktemp("scale") / "project")


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> tuple[float, dict[str, str]]:
    """How long a run takes in seconds, and what it leaves."""
    began = time.monotonic()
    done = ossicle(*until_logmel(folder, folder / "undisturbed"))
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began, contents(folder / "undisturbed", STEPS)


def complete_shards(data: Path) -> dict[str, int]:
    """Name and time of change of each complete shard of the store and of spectrograms."""
    paths = [*data.glob("store/*/shards/*/[!.]*.h5"), *data.glob("logmel/*/shards/[!.]*.json")]
    return {path.name: path.stat().st_mtime_ns for path in paths}


def incomplete_files(data: Path) -> list[Path]:
    return [*data.glob("store/*/shards/*/.ossicle-*"), *data.glob("logmel/*/shards/.ossicle-*")]


@pytest.mark.parametrize(
    "moment", [7, 12, 17, *(pytest.param(k, marks=pytest.mark.slow) for k in range(20) if k not in (7, 12, 17))]
)
def test_what_is_complete_at_any_moment_stays(
    folder: Path, undisturbed: tuple[float, dict[str, str]], tmp_path: Path, moment: int
) -> None:
    duration_s, expected = undisturbed
    data = tmp_path / "data"
    process = started(*until_logmel(folder, data))
    time.sleep(duration_s * (moment + random.Random(moment).random()) / 20)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert survivors(process.pid) == []
    before, begun = complete_shards(data), incomplete_files(data)
    # A worker begins one shard: a file of the store with its temporary samples, or two arrays and a description.
    assert len({path.parent for path in begun}) <= WORKERS
    assert len(begun) <= 3 * WORKERS
    done = ossicle(*until_logmel(folder, data), "--set", f"project.workers={1 + moment % WORKERS}")
    assert done.returncode == 0, done.stderr
    after = complete_shards(data)
    assert len(after) == 2 * SHARDS
    assert {name: after[name] for name in before} == before
    assert contents(data, STEPS) == expected
    assert [path for path in data.rglob(".ossicle-*") if path.name != ".ossicle.lock"] == []
