"""Networks that are averaged learn side by side, each as it would alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.models.predictor import load_predictor
from ossicle.training.batches.material import load_material
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.job import FitJob


def job(corpus: Any, folder: Path, n: int, **changes: object) -> FitJob:
    made: FitJob = corpus.job(folder, **changes)
    return replace(made, model=replace(made.model, networks=n))


def test_the_first_of_two_has_the_weights_that_it_has_alone(corpus: Any, tmp_path: Path) -> None:
    # Gradients this small a norm are clipped at every step: by the norm of each network, not of both.
    fit_job(job(corpus, tmp_path / "alone", 1, gradient_clip=0.05))
    fit_job(job(corpus, tmp_path / "two", 2, gradient_clip=0.05))
    alone, two = (load_file(RunFolder(tmp_path / name).weights) for name in ("alone", "two"))
    assert len(two) == 2 * len(alone)
    assert all(np.array_equal(two[f"networks.0.{name}"], one) for name, one in alone.items())
    assert not all(np.array_equal(two[f"networks.1.{name}"], one) for name, one in alone.items())


def test_curves_are_of_the_average_and_the_loss_of_one_network(corpus: Any, tmp_path: Path) -> None:
    fitted = job(corpus, tmp_path / "two", 2, epochs=8, steps_per_epoch=10, ema_decay=0.8, validate_every=1)
    fit_job(fitted)
    lines = RunFolder(fitted.folder).epochs()
    assert lines[-1]["train_loss"] < 0.4 * lines[0]["train_loss"]
    # A sum over both networks would be about twice the loss of their average.
    assert lines[-1]["train_loss"] < 1.5 * lines[-1]["val_loss"]
    predictor = load_predictor(RunFolder(fitted.folder).weights, fitted.model, fitted.labels, fitted.plan, fitted.front)
    material = load_material(fitted.dataset, fitted.store, fitted.labels, fitted.plan)
    assert predictor.predict(material.samples("rec0", 0)[None]).shape == (1, fitted.plan.core_frames, 2)
