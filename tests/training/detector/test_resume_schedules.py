"""Invariant 5 for every schedule: killed in any epoch and run again, a training ends with the same bytes."""

import multiprocessing
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.job import FitJob
from ossicle.training.selection.inner_loss import InnerLoss

from .test_resume import Stop, assert_like, end_by_error, stop_at

SCHEDULES: dict[str, dict[str, Any]] = {
    "cosine": {"warmup_epochs": 1, "final_learning_rate": 1e-3, "accumulate": 2, "optimiser": "adam"},
    "plateau": {"schedule": "plateau", "plateau_patience": 1, "warmup_epochs": 1, "inner_share": 0.3},
    "best": {"keep": "best", "patience": 2, "inner_share": 0.3},
}
# Better, worse, worse: the plateau falls, and patience ends the training before its last epoch.
LOSSES = [0.5, 0.6, 0.7, 0.4]


def job_of(corpus: Any, folder: Path, schedule: str) -> FitJob:
    made: FitJob = corpus.job(folder, fold=None, **SCHEDULES[schedule])
    return made


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_stopped_in_every_epoch(corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str) -> None:
    monkeypatch.setattr(InnerLoss, "_loss", lambda self, trainer, module: LOSSES[trainer.current_epoch])
    straight, job = job_of(corpus, tmp_path / "straight", schedule), job_of(corpus, tmp_path / "run", schedule)
    fit_job(straight)
    n_epochs = len(RunFolder(straight.folder).epochs())
    assert n_epochs == (3 if schedule == "best" else 4)
    stops = [("step" if epoch % 2 else "after_state", epoch) for epoch in range(n_epochs)]
    # The last stops are after the training has ended by itself, before its weights are there.
    stops += [("after_state", n_epochs - 1), ("before_weights", n_epochs - 1)]
    for where, epoch in dict.fromkeys(stops):
        with monkeypatch.context() as patched:
            stop_at(where, epoch, end_by_error, patched.setattr)
            with pytest.raises(Stop):
                fit_job(job)
    fit_job(job)
    assert_like(job.folder, straight.folder)
    assert RunFolder(job.folder).selection == RunFolder(straight.folder).selection


@pytest.mark.parametrize(
    ("schedule", "lines"),
    [
        ("plateau", 2),
        *(
            pytest.param(schedule, lines, marks=pytest.mark.slow)
            for schedule in SCHEDULES
            for lines in range(4)
            if (schedule, lines) != ("plateau", 2)
        ),
    ],
)
def test_killed(corpus: Any, tmp_path: Path, schedule: str, lines: int) -> None:
    straight, job = job_of(corpus, tmp_path / "straight", schedule), job_of(corpus, tmp_path / "run", schedule)
    fit_job(straight)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ossicle.training.detector.crossval"])
    child = context.Process(target=fit_job, args=(job,))
    child.start()
    deadline = time.monotonic() + 60
    while not job.folder.exists() or len(RunFolder(job.folder).epochs()) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    child.kill()
    child.join(60)
    # A training that patience ended may be done before it is killed.
    assert child.exitcode == (0 if RunFolder(job.folder).done else -signal.SIGKILL)
    fit_job(job)
    assert_like(job.folder, straight.folder)
