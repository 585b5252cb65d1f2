"""Processes: errors and names reach the caller, nothing is done twice, nobody is left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.errors import OssicleError, UsageError
from ossicle.training.detector import crossval
from ossicle.training.detector.crossval import ended_words, fit_all, fit_job

LONG = {"epochs": 2000}


@pytest.fixture
def quick_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of a fork server that has torch imported, where a spawned one would import it anew (6 s)."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ossicle.training.detector.crossval"])
    monkeypatch.setattr(crossval.multiprocessing, "get_context", lambda method: context)


@pytest.fixture(autouse=True)
def nobody_left_behind() -> Iterator[None]:
    """No test may leave a child of this process running."""
    yield
    assert multiprocessing.active_children() == []


def test_two_trainings_side_by_side_are_two_alone(corpus: Any, straight: Path, tmp_path: Path) -> None:
    done = corpus.job(tmp_path / "fold-done")
    done.folder.mkdir()
    RunFolder(done.folder).weights.write_bytes(b"done before")
    RunFolder(done.folder).checkpoint.write_bytes(b"left by a kill")
    jobs = [corpus.job(tmp_path / "fold-0"), done, corpus.job(tmp_path / "fold-1", fold=1)]
    heard: list[tuple[int, int, str]] = []
    fit_all(jobs, 2, lambda *state: heard.append(state))
    assert RunFolder(jobs[0].folder).weights.read_bytes() == RunFolder(straight).weights.read_bytes()
    fit_job(corpus.job(tmp_path / "alone", fold=1))
    assert RunFolder(jobs[2].folder).weights.read_bytes() == RunFolder(tmp_path / "alone").weights.read_bytes()
    assert [p.name for p in done.folder.iterdir()] == ["weights.safetensors"]
    assert RunFolder(done.folder).weights.read_bytes() == b"done before"
    counts = [state[0] for state in heard]
    assert counts == sorted(counts)
    assert (counts[0], heard[-1][:2]) == (4, (12, 12))


def test_nothing_is_started_where_all_is_done(corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = corpus.job(tmp_path / "run")
    job.folder.mkdir()
    RunFolder(job.folder).weights.write_bytes(b"done")
    monkeypatch.setattr(crossval, "_Running", None)
    fit_all([job], 2)
    fit_all([], 2)


def test_less_than_one_at_a_time_is_refused(corpus: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="parallel = 0"):
        fit_all([corpus.job(tmp_path / "run")], 0)


@pytest.mark.usefixtures("quick_processes")
def test_a_failing_training_says_its_name_and_stops_the_others(corpus: Any, straight: Path, tmp_path: Path) -> None:
    other = corpus.job(tmp_path / "fold-0", **LONG)
    missing = corpus.job(tmp_path / "fold-7", device="mps")
    with pytest.raises(UsageError, match=r"training fold-7: device 'mps' is not available") as refused:
        fit_all([other, missing], 2)
    assert refused.value.exit_code == 2
    assert not RunFolder(other.folder).done


@pytest.mark.usefixtures("quick_processes")
def test_an_unforeseen_error_comes_with_name_and_trace(corpus: Any, tmp_path: Path) -> None:
    job = replace(corpus.job(tmp_path / "fold-3"), model=None)
    with pytest.raises(OssicleError, match=r"(?s)training fold-3 failed: AttributeError.*Traceback"):
        fit_all([job], 1)


@pytest.mark.usefixtures("quick_processes")
def test_an_error_of_the_system_names_its_file(corpus: Any, tmp_path: Path) -> None:
    job = corpus.job(tmp_path / "fold-3")
    job.folder.write_text("a file where the folder should be")
    with pytest.raises(FileExistsError) as refused:
        fit_all([job], 1)
    assert refused.value.filename == str(job.folder)


@pytest.mark.usefixtures("quick_processes")
def test_a_killed_training_is_told_with_what_to_do(corpus: Any, tmp_path: Path) -> None:
    job = corpus.job(tmp_path / "fold-2", **LONG)

    def kill(done: int, every: int, note: str) -> None:
        if done:
            for child in multiprocessing.active_children():
                child.kill()

    with pytest.raises(OssicleError, match=r"training fold-2 was killed \(exit code -9; .*run again to resume it"):
        fit_all([job], 1, kill)


def test_a_training_that_never_began_is_not_called_killed() -> None:
    assert ended_words("fold-2", 1) == "training fold-2 ended with exit code 1 before it began; its message is above"


@pytest.mark.usefixtures("quick_processes")
def test_ctrl_c_ends_the_children_and_the_next_run_goes_on(corpus: Any, straight: Path, tmp_path: Path) -> None:
    # Slow enough to be met in the middle: the last epochs of the run alone take longer than a look at it.
    job = corpus.job(tmp_path / "fold-0", epochs=25)

    def interrupt(done: int, every: int, note: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_all([job], 1, interrupt)
    assert multiprocessing.active_children() == []
    folder = RunFolder(job.folder)
    assert folder.checkpoint.exists()
    assert not folder.done
    before = folder.metrics.read_bytes().splitlines()
    fit_all([job], 1)
    # All but the line past the state are the same lines, seconds included: they were not computed again.
    assert folder.metrics.read_bytes().splitlines()[: len(before) - 1] == before[:-1]
    assert [line["epoch"] for line in folder.epochs()] == list(range(25))


SCRIPT = """
import sys
from pathlib import Path
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.settings import AugmentSettings, CrnnSettings, ModelSettings
from ossicle.training.detector.crossval import fit_all
from ossicle.training.detector.job import FitJob
from ossicle.training.settings import TrainingSettings

runs, dataset, store = map(Path, sys.argv[1:])
front = FrontEndSettings(rate=8000, n_fft=256, hop_samples=80, n_mels=16, fmax_hz=4000.0)
plan = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=60, context_frames=10)
model = ModelSettings(crnn=CrnnSettings(channels=(4, 8), pools=(4, 2), hidden=8))
training = TrainingSettings(epochs=5000, steps_per_epoch=3, batch_size=4, validation_crops=0, device="cpu")
if __name__ == "__main__":
    parts = (DatasetFolder(dataset), store, ("high", "low"), plan, model, front, training, AugmentSettings())
    fit_all([FitJob(runs / f"fold-{fold}", (fold,), *parts) for fold in (0, 1)], 2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_its_run(corpus: Any, tmp_path: Path, number: int) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), str(corpus.dataset.path), str(corpus.store)],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    folders = [RunFolder(tmp_path / f"fold-{fold}") for fold in (0, 1)]
    try:
        deadline = time.monotonic() + 120
        while not all(folder.checkpoint.exists() for folder in folders):
            assert time.monotonic() < deadline
            assert parent.poll() is None
            time.sleep(0.05)
        if number == signal.SIGINT:
            # As a terminal does: to every process of the group.
            os.killpg(parent.pid, number)
        else:
            parent.send_signal(number)
        assert parent.wait(30) == -number
        deadline = time.monotonic() + 15
        while survivors(parent.pid):
            assert time.monotonic() < deadline, survivors(parent.pid)
            time.sleep(0.1)
    finally:
        for pid in survivors(parent.pid):
            os.kill(pid, signal.SIGKILL)
    # Every state is whole.
    for fold, folder in enumerate(folders):
        job = corpus.job(folder.path, fold=fold)
        with pytest.raises(OssicleError, match="other settings"):
            fit_job(job)


def survivors(session: int) -> list[int]:
    """Processes of a session that run."""
    listing = subprocess.run(["ps", "-eo", "pid=,sid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, sid, stat in rows if sid == str(session) and not stat.startswith("Z")]


def test_gpus_have_one_training_each(corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossval, "devices", lambda asked: ("cuda:0", "cuda:1") if asked == "auto" else (asked,))
    job = corpus.job(tmp_path / "run", device="auto")

    def on(*names: str) -> list[Any]:
        return [SimpleNamespace(job=corpus.job(tmp_path / name, device=name)) for name in names]

    places = [crossval._free_place(job, running, 1) for running in (on(), on("cuda:0"), on("cuda:1"))]
    assert places == ["cuda:0", "cuda:1", "cuda:0"]
    assert crossval._free_place(job, on("cuda:0", "cuda:1"), 5) == ""
    cpu = corpus.job(tmp_path / "run", device="cpu")
    assert [crossval._free_place(cpu, on(*["cpu"] * n), 2) for n in range(3)] == ["cpu", "cpu", ""]
