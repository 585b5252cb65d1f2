"""Training of sliding-window networks: crops of several windows, with the targets that frame-wise networks have."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.inference.decisions.decide import Decider
from ossicle.inference.scorer import Scorer
from ossicle.models.predictor import load_predictor
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.training.batches.material import load_material
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.job import FitJob

FRONT = FrontEndSettings(
    rate=8000, n_fft=256, hop_samples=128, n_mels=24, fmin_hz=0.0, fmax_hz=4000.0, scale="linear", preemphasis=0.98
)
PLANS = {
    "snapped": window_plan(FRONT, 0.15, 0.05, 0.5),
    "exact": window_plan(FRONT, 0.15, 0.05, 0.5, exact=True),
}
MODEL = ModelSettings(name="window", window=WindowSettings(backbone="resnet10t"))


def job(corpus: Any, folder: Path, step: str, **changes: object) -> FitJob:
    made: FitJob = corpus.job(folder, **changes)
    return replace(made, plan=PLANS[step], front=FRONT, model=MODEL)


def test_targets_are_the_share_of_each_step_that_events_cover(corpus: Any) -> None:
    plan = PLANS["snapped"]
    material = load_material(corpus.dataset, corpus.store, ("high", "low"), plan)
    note = corpus.notes[0]
    at = int(note.start_s / plan.hop_s) - 2
    targets = material.targets(note.recording_id, at * plan.hop_samples)[:, material.labels.index(note.label)]
    assert targets.shape == (plan.core_frames,)
    share = 1 - (note.start_s / plan.hop_s - (at + 2))
    assert targets[:3] == pytest.approx([0.0, 0.0, share], abs=1e-5)


@pytest.mark.parametrize("step", ["snapped", pytest.param("exact", marks=pytest.mark.slow)])
def test_it_learns_and_finds_the_events(corpus: Any, tmp_path: Path, step: str) -> None:
    fitted = job(corpus, tmp_path / "run", step, epochs=8, steps_per_epoch=8, ema_decay=0.8, learning_rate=3e-3)
    fit_job(fitted)
    lines = RunFolder(fitted.folder).epochs()
    assert lines[-1]["train_loss"] < 0.4 * lines[0]["train_loss"]
    predictor = load_predictor(RunFolder(fitted.folder).weights, MODEL, fitted.labels, fitted.plan, FRONT)
    material = load_material(fitted.dataset, fitted.store, fitted.labels, fitted.plan)
    result = matched = truth = 0
    # On recordings of the held-out fold.
    for rid in ("rec0", "rec2"):
        samples = material.store.read(rid, 0, material.store.n_samples(rid))
        scorer = Scorer(predictor)
        scores = np.concatenate([scorer.feed(samples), scorer.finish()])
        decider = Decider(fitted.labels, {label: Decision(on=0.5) for label in fitted.labels}, fitted.plan.hop_s)
        events = [*decider.feed(scores), *decider.finish(len(samples) / fitted.plan.rate)]
        notes = [note for note in corpus.notes if note.recording_id == rid]
        for label in fitted.labels:
            ours = np.array([(e.start_s, e.end_s) for e in events if e.label == label]).reshape(-1, 2)
            theirs = np.array([(n.start_s, n.end_s) for n in notes if n.label == label]).reshape(-1, 2)
            result, truth = result + len(ours), truth + len(theirs)
            matched += int(pairs(theirs, ours))
    # Boundaries are those of steps of 48 ms, on bursts of 150 to 350 ms.
    assert matched >= 0.8 * truth
    assert matched >= 0.8 * result


def pairs(theirs: np.ndarray, ours: np.ndarray) -> int:
    """How many of ``theirs`` (n, 2) have an event of ``ours`` with an IoU of 0.4; none has two here."""
    low = np.maximum(theirs[:, None, 0], ours[None, :, 0])
    both = np.maximum(np.minimum(theirs[:, None, 1], ours[None, :, 1]) - low, 0)
    either = np.diff(theirs)[:, None, 0] + np.diff(ours)[None, :, 0] - both
    return int((both / either >= 0.4).any(axis=1).sum())


def test_the_same_seed_gives_the_same_bytes(corpus: Any, tmp_path: Path) -> None:
    bytes_of = []
    for name in ("one", "two"):
        fitted = job(corpus, tmp_path / name, "snapped", epochs=2, steps_per_epoch=2)
        fit_job(fitted)
        bytes_of.append(RunFolder(fitted.folder).weights.read_bytes())
    assert bytes_of[0] == bytes_of[1]
