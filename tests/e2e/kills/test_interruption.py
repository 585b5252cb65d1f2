"""Runs that are stopped anywhere, and run again, end with what an undisturbed run leaves (invariant 5)."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from ..conftest import Tiny, contents, half_done, ossicle, started, survivors, wait_for

COMPARED = ("corpus", "dataset", "store", "training", "scores", "decision", "second_stage", "evaluation")


def weights(data_root: Path) -> dict[str, bytes]:
    result = {}
    for path in (data_root / "training").glob("[!.]*/*/weights.safetensors"):
        result[path.parent.name] = path.read_bytes()
    return result


def epochs(data_root: Path) -> int:
    logs = list((data_root / "training").glob("*/*/metrics.jsonl"))
    return sum(len(log.read_text().splitlines()) for log in logs)


def test_a_training_stopped_by_signals_ends_the_same(tiny: Tiny, tmp_path: Path) -> None:
    # Beginning at the training: what is before it has its own tests, and takes as long as they do.
    project = half_done(tiny, tmp_path, "training")
    data = project / "data"
    # One training at a time, held while another command looks: else all is done before a signal comes.
    command = ("run", "-p", project, "--until", "training", "--progress", "plain", "--set", "training.parallel=1")

    run = started(*command)
    wait_for(lambda: epochs(data) >= 1, run)
    os.killpg(run.pid, signal.SIGSTOP)
    second = ossicle("run", "-p", project, "--until", "corpus", "--progress", "none")
    assert second.returncode == 1
    assert second.stderr.startswith(f"ossicle: {data} is in use by process {run.pid} on ")
    assert run.poll() is None
    os.killpg(run.pid, signal.SIGINT)
    os.killpg(run.pid, signal.SIGCONT)
    _, result = run.communicate(timeout=30)
    assert run.returncode == 130
    assert survivors(run.pid) == []
    assert "interrupted; run the same command again to continue" in result
    assert "Traceback" not in result

    done = epochs(data)
    run = started(*command)
    wait_for(lambda: epochs(data) > done, run)
    run.send_signal(signal.SIGTERM)
    _, result = run.communicate(timeout=30)
    assert run.returncode == 143
    assert survivors(run.pid) == []
    assert "terminated; run the same command again to continue" in result
    assert "Traceback" not in result

    last = ossicle(*command)
    assert last.returncode == 0, last.stderr
    assert contents(data, ("training",)) == contents(tiny.folder / "data", ("training",))
    assert weights(data) == weights(tiny.folder / "data")
    assert set(weights(data)) == {"fold0", "fold1", "final"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_a_run_ends_the_same(tiny: Tiny, tmp_path: Path, seed: int) -> None:
    data = tmp_path / "data"
    command = ("run", "-p", tiny.folder, "--data-root", data, "--progress", "none")
    moments = random.Random(seed)
    for _ in range(3):
        run = started(*command)
        time.sleep(moments.uniform(0.0, 45.0))
        run.kill()
        run.communicate(timeout=30)
        assert survivors(run.pid) == []
    for _ in range(2):
        last = ossicle(*command)
        assert last.returncode == 0, last.stderr
    assert contents(data, COMPARED) == contents(tiny.folder / "data", COMPARED)
    assert weights(data) == weights(tiny.folder / "data")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_predict_goes_on_where_it_was(tiny: Tiny, tmp_path: Path, number: int, code: int) -> None:
    out = tmp_path / "out"
    command = ("predict", tiny.bundle, tiny.tapes / "audio", "-o", out, "--batch", 1)
    run = started(*command)
    assert run.stderr is not None
    run.stderr.readline()
    run.send_signal(number)
    _, result = run.communicate(timeout=30)
    # It may have been faster than the signal.
    assert run.returncode in (code, 0)
    assert "Traceback" not in result
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.selections.txt")}
    assert before
    again = ossicle(*command)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("(done before)") >= len(before) - 1
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.selections.txt")}
    assert len(after) == 4
    assert sum(after[name] == time_ns for name, time_ns in before.items()) >= len(before) - 1
