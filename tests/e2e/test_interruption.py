"""Runs that are stopped anywhere, and run again, end with what an undisturbed run leaves (invariant 5)."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import Tiny, contents, ossicle, started, survivors, wait_for

COMPARED = ("corpus", "dataset", "store", "training", "scores", "decision", "evaluation")


def weights(data_root: Path) -> dict[str, bytes]:
    found = {}
    for path in (data_root / "training").glob("[!.]*/*/weights.safetensors"):
        found[path.parent.name] = path.read_bytes()
    return found


def epochs(data_root: Path) -> int:
    logs = list((data_root / "training").glob("*/*/metrics.jsonl"))
    return sum(len(log.read_text().splitlines()) for log in logs)


def begin(tiny: Tiny, data_root: Path, *more: str) -> subprocess.Popen[str]:
    # Published results go beside the project file, so a project of its own.
    return started("run", "-p", tiny.folder, "--data-root", data_root, "--progress", "plain", *more)


def require_same(tiny: Tiny, data_root: Path) -> None:
    assert contents(data_root, COMPARED) == contents(tiny.folder / "data", COMPARED)
    assert weights(data_root) == weights(tiny.folder / "data")
    assert set(weights(data_root)) == {"fold0", "fold1", "final"}


def test_stopped_by_every_signal_a_run_ends_the_same(tiny: Tiny, tmp_path: Path) -> None:
    data = tmp_path / "data"

    run = begin(tiny, data)
    wait_for(lambda: epochs(data) >= 1, run)
    second = ossicle("run", "-p", tiny.folder, "--data-root", data, "--progress", "none")
    assert second.returncode == 1
    assert second.stderr.startswith(f"ossicle: {data} is in use by process {run.pid} on ")
    assert run.poll() is None
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert survivors(run.pid) == []
    assert "interrupted; the same command goes on from here" in said
    assert "Traceback" not in said

    done = epochs(data)
    run = begin(tiny, data)
    wait_for(lambda: epochs(data) > done, run)
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 143
    assert survivors(run.pid) == []
    assert "terminated; the same command goes on from here" in said
    assert "Traceback" not in said

    run = begin(tiny, data)
    time.sleep(random.uniform(0.0, 15.0))
    run.kill()
    run.communicate(timeout=30)
    assert survivors(run.pid) == []

    last = ossicle("run", "-p", tiny.folder, "--data-root", data, "--progress", "none")
    assert last.returncode == 0, last.stderr
    require_same(tiny, data)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_moment_a_run_ends_the_same(tiny: Tiny, tmp_path: Path, seed: int) -> None:
    data = tmp_path / "data"
    moments = random.Random(seed)
    for _ in range(3):
        run = begin(tiny, data)
        time.sleep(moments.uniform(0.0, 45.0))
        run.kill()
        run.communicate(timeout=30)
        assert survivors(run.pid) == []
    last = ossicle("run", "-p", tiny.folder, "--data-root", data, "--progress", "none")
    assert last.returncode == 0, last.stderr
    require_same(tiny, data)
    again = ossicle("run", "-p", tiny.folder, "--data-root", data, "--progress", "none")
    assert again.returncode == 0


def test_predict_is_interrupted_cleanly(tiny: Tiny, tmp_path: Path) -> None:
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        run = started("predict", tiny.bundle, *[tiny.tapes / "audio"] * 2, "-o", tmp_path / "out", "--batch", 1)
        assert run.stderr is not None
        run.stderr.readline()
        run.send_signal(number)
        _, said = run.communicate(timeout=30)
        # It may have been faster than the signal.
        assert run.returncode in (expected, 0)
        assert "Traceback" not in said
