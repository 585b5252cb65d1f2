"""Invariants 5 and 9: stopped anywhere and run again, a training ends with the same bytes."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.errors import ArtefactError
from ossicle.training.detector import fit as fit_module
from ossicle.training.detector.checkpoint import EpochEnd
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.module import FrameDetector
from ossicle.training.tracking.epoch_clock import TIMES

# (where, epoch): within the epoch, at its end before its line, between line and state, after its state; and after all
# epochs but before the weights.
STOPS = [
    ("step", 0),
    ("before_line", 1),
    ("after_line", 0),
    ("after_line", 2),
    ("after_state", 1),
    ("after_state", 2),
    ("step", 3),
    ("after_state", 3),
    ("before_weights", 3),
    ("after_weights", 3),
]


class Stop(Exception):
    """The power cut of a test."""


def stop_at(where: str, epoch: int, end: Callable[[], None], patch: Callable[[Any, str, Any], None]) -> None:
    """Have ``end`` called at one place of a training."""
    step, save, log = FrameDetector.training_step, EpochEnd.on_train_epoch_end, RunFolder.log_epoch

    def training_step(self: FrameDetector, batch: Any, index: int) -> Any:
        if where == "step" and (self.current_epoch, index) == (epoch, 1):
            end()
        return step(self, batch, index)

    def log_epoch(self: RunFolder, figures: Any) -> None:
        if where == "before_line" and figures["epoch"] == epoch:
            end()
        log(self, figures)
        if where == "after_line" and figures["epoch"] == epoch:
            end()

    def on_train_epoch_end(self: EpochEnd, trainer: Any, module: Any) -> None:
        save(self, trainer, module)
        if where == "after_state" and trainer.current_epoch == epoch:
            end()

    def save_undone(network: Any, shift: Sequence[float], path: Path) -> None:
        if where == "before_weights":
            end()
        original(network, shift, path)
        if where == "after_weights":
            end()

    original = fit_module.save_undone
    patch(FrameDetector, "training_step", training_step)
    patch(RunFolder, "log_epoch", log_epoch)
    patch(EpochEnd, "on_train_epoch_end", on_train_epoch_end)
    patch(fit_module, "save_undone", save_undone)


def end_by_error() -> None:
    raise Stop


def assert_like(folder: Path, straight: Path) -> None:
    """The same weights, each epoch told once with the same figures, and no state left."""
    ours, theirs = RunFolder(folder), RunFolder(straight)
    assert ours.weights.read_bytes() == theirs.weights.read_bytes()
    assert not ours.checkpoint.exists()

    def figures(run: RunFolder) -> list[dict[str, Any]]:
        return [{k: v for k, v in line.items() if k not in TIMES} for line in run.epochs()]

    assert figures(ours) == figures(theirs)


@pytest.mark.parametrize(("where", "epoch"), STOPS)
def test_stopped_by_an_error(
    corpus: Any, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, epoch: int
) -> None:
    job = corpus.job(tmp_path / "run")
    with monkeypatch.context() as patched:
        stop_at(where, epoch, end_by_error, patched.setattr)
        with pytest.raises(Stop):
            fit_job(job)
    torch.manual_seed(12345)
    fit_job(job)
    assert_like(job.folder, straight)


@pytest.mark.parametrize("lines", [0, 1, 2, 3])
def test_killed(corpus: Any, straight: Path, tmp_path: Path, lines: int) -> None:
    # A fork server imports torch once and forks a clean child for each kill.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ossicle.training.detector.crossval"])
    job = corpus.job(tmp_path / "run")
    child = context.Process(target=fit_job, args=(job,))
    child.start()
    deadline = time.monotonic() + 60
    while not job.folder.exists() or len(RunFolder(job.folder).epochs()) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    child.kill()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    fit_job(job)
    assert_like(job.folder, straight)


def test_stopped_in_every_epoch(corpus: Any, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = corpus.job(tmp_path / "run")
    for epoch in range(4):
        with monkeypatch.context() as patched:
            stop_at("after_state" if epoch % 2 else "step", epoch, end_by_error, patched.setattr)
            with pytest.raises(Stop):
                fit_job(job)
    fit_job(job)
    assert_like(job.folder, straight)


def test_only_epochs_after_the_state_are_computed_again(
    corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = corpus.job(tmp_path / "run")
    with monkeypatch.context() as patched:
        stop_at("after_state", 1, end_by_error, patched.setattr)
        with pytest.raises(Stop):
            fit_job(job)
    seen = []
    step = FrameDetector.training_step
    monkeypatch.setattr(
        FrameDetector,
        "training_step",
        lambda self, batch, index: (seen.append((self.current_epoch, self.global_step)), step(self, batch, index))[1],
    )
    fit_job(job)
    assert seen == [(epoch, 3 * epoch + index) for epoch in (2, 3) for index in range(3)]


@pytest.mark.parametrize(("number", "left_as"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_signals_leave_a_state_and_their_meaning(
    corpus: Any,
    straight: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    left_as: type[BaseException],
) -> None:
    job = corpus.job(tmp_path / "run")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patched:
        stop_at("step", 2, lambda: signal.raise_signal(number), patched.setattr)
        with pytest.raises(left_as) as left:
            fit_job(job)
    if left_as is SystemExit:
        assert left.value.code == 143
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert RunFolder(job.folder).checkpoint.exists()
    fit_job(job)
    assert_like(job.folder, straight)


def test_a_handler_of_the_caller_keeps_its_say(
    corpus: Any, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(number: int, frame: Any) -> None:
        raise SystemExit(7)

    job = corpus.job(tmp_path / "run")
    before = signal.signal(signal.SIGTERM, leave)
    try:
        with monkeypatch.context() as patched:
            stop_at("step", 2, lambda: signal.raise_signal(signal.SIGTERM), patched.setattr)
            with pytest.raises(SystemExit) as left:
                fit_job(job)
        assert left.value.code == 7
    finally:
        signal.signal(signal.SIGTERM, before)
    fit_job(job)
    assert_like(job.folder, straight)


@pytest.fixture(scope="module")
def stopped(corpus: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a training stopped after its second epoch."""
    job = corpus.job(tmp_path_factory.mktemp("stopped") / "run")
    with pytest.MonkeyPatch.context() as patched:
        stop_at("after_state", 1, end_by_error, patched.setattr)
        with pytest.raises(Stop):
            fit_job(job)
    return job.folder


def copy_of(stopped: Path, place: Path) -> RunFolder:
    folder = RunFolder(place / "run")
    folder.path.mkdir()
    folder.checkpoint.write_bytes((stopped / "last.ckpt").read_bytes())
    folder.metrics.write_bytes((stopped / "metrics.jsonl").read_bytes())
    return folder


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_state_that_would_run_code_is_refused_unrun(corpus: Any, stopped: Path, tmp_path: Path) -> None:
    folder = copy_of(stopped, tmp_path)
    state = torch.load(folder.checkpoint, weights_only=True)
    trace = tmp_path / "it ran"
    torch.save({**state, "extra": Malicious(f"touch '{trace}'")}, folder.checkpoint)
    lines = folder.metrics.read_bytes()
    with pytest.raises(ArtefactError, match=r"last\.ckpt: not a readable training state .*delete the run folder"):
        fit_job(corpus.job(folder.path))
    assert not trace.exists()
    assert folder.metrics.read_bytes() == lines
    # The bait is live: what is refused above does run where pickles are trusted.
    torch.load(folder.checkpoint, weights_only=False)
    assert trace.exists()


@pytest.mark.parametrize("damage", ["empty", "half", "text", "a bit"])
def test_a_damaged_state_is_named_with_its_remedy(corpus: Any, stopped: Path, tmp_path: Path, damage: str) -> None:
    folder = copy_of(stopped, tmp_path)
    whole = folder.checkpoint.read_bytes()
    at = whole.index(b"archive/data.pkl") if b"archive/data.pkl" in whole else 200
    broken = {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "text": b"not a state",
        "a bit": whole[: at + 60] + bytes([whole[at + 60] ^ 0xFF]) + whole[at + 61 :],
    }
    folder.checkpoint.write_bytes(broken[damage])
    with pytest.raises(ArtefactError, match=r"last\.ckpt: .*; delete the run folder .*run and run again"):
        fit_job(corpus.job(folder.path))
    assert folder.checkpoint.read_bytes() == broken[damage]


@pytest.mark.parametrize("missing", ["epoch", "state_dict", "loops", "optimizer_states", "ossicle_made_from"])
def test_a_foreign_state_is_refused(corpus: Any, stopped: Path, tmp_path: Path, missing: str) -> None:
    folder = copy_of(stopped, tmp_path)
    state = torch.load(folder.checkpoint, weights_only=True)
    torch.save({key: value for key, value in state.items() if key != missing}, folder.checkpoint)
    with pytest.raises(ArtefactError, match="delete the run folder"):
        fit_job(corpus.job(folder.path))


@pytest.mark.parametrize("changes", [{"epochs": 5}, {"learning_rate": 1e-3}, {"seed": 1}])
def test_a_state_of_other_settings_is_refused(
    corpus: Any, stopped: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    folder = copy_of(stopped, tmp_path)
    with pytest.raises(ArtefactError, match="other settings or clips"):
        fit_job(corpus.job(folder.path, **changes))
    job = corpus.job(folder.path)
    with pytest.raises(ArtefactError, match="other settings or clips"):
        fit_job(replace(job, labels=("low", "high")))


def test_settings_that_cannot_change_the_result_do_not_matter(
    corpus: Any, straight: Path, stopped: Path, tmp_path: Path
) -> None:
    folder = copy_of(stopped, tmp_path)
    fit_job(corpus.job(folder.path, parallel=7, device="auto"))
    assert_like(folder.path, straight)


def test_a_torn_last_line_is_dropped(corpus: Any, straight: Path, stopped: Path, tmp_path: Path) -> None:
    folder = copy_of(stopped, tmp_path)
    with folder.metrics.open("a") as file:
        file.write('{"epoch": 2, "train_lo')
    assert [line["epoch"] for line in folder.epochs()] == [0, 1]
    fit_job(corpus.job(folder.path))
    assert_like(folder.path, straight)
