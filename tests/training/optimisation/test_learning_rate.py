"""Schedules: warm-up by share or epochs, a cosine with a lowest rate, and the optimisers they drive."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.settings import digestible
from ossicle.training.detector.crossval import fit_job
from ossicle.training.optimisation.learning_rate import LearningRate
from ossicle.training.optimisation.optimisers import build_optimiser
from ossicle.training.settings import TrainingSettings


def test_the_default_is_a_tenth_of_warm_up_and_a_cosine_to_zero() -> None:
    schedule = LearningRate(TrainingSettings(epochs=10), steps=10)
    assert [schedule(step) for step in range(10)] == pytest.approx([(step + 1) / 10 for step in range(10)])
    for step in range(10, 101):
        assert schedule(step) == pytest.approx(0.5 * (1 + math.cos(math.pi * (step - 10) / 90)))
    assert schedule(100) == 0.0


def test_the_warm_up_lasts_whole_epochs_and_the_cosine_ends_at_the_final_rate() -> None:
    settings = TrainingSettings(epochs=8, warmup_epochs=4, learning_rate=4.5e-4, final_learning_rate=2e-5)
    schedule = LearningRate(settings, steps=6)
    rates = [settings.learning_rate * schedule(step) for step in range(49)]
    assert rates[23] == pytest.approx(4.5e-4)
    assert all(low < high for low, high in pairwise(rates[:24]))
    assert all(high > low for high, low in pairwise(rates[24:]))
    assert rates[48] == pytest.approx(2e-5)


def test_a_preset_that_is_shortened_still_reaches_its_highest_rate() -> None:
    schedule = LearningRate(TrainingSettings(epochs=2, warmup_epochs=4), steps=5)
    assert [schedule(step) for step in range(10)] == pytest.approx([(step + 1) / 10 for step in range(10)])


def test_a_final_rate_above_the_highest_is_refused() -> None:
    with pytest.raises(ValueError, match=r"final_learning_rate = 0.01 is above learning_rate = 0.002.*set it lower"):
        TrainingSettings(final_learning_rate=0.01)


def test_settings_that_were_added_leave_earlier_fingerprints_valid() -> None:
    digested = digestible(TrainingSettings())
    new = {"accumulate", "subset", "subset_seed", "final_learning_rate", "warmup_epochs"}
    assert new.isdisjoint(digested)
    for name, value in {"accumulate": 2, "subset": 0.5, "final_learning_rate": 1e-5, "warmup_epochs": 1}.items():
        assert digestible(TrainingSettings(**{name: value})) == {**digested, name: value}


def test_adam_adds_its_weight_decay_to_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimiser = build_optimiser([weight], TrainingSettings(optimiser="adam", learning_rate=0.1, weight_decay=0.5))
    weight.grad = torch.zeros(1)
    optimiser.step()
    # The first step of Adam is as long as the learning rate, whatever the gradient; AdamW would multiply by 0.95.
    assert weight.item() == pytest.approx(1.9)


def test_a_run_logs_the_final_learning_rate(corpus: Any, tmp_path: Path) -> None:
    fit_job(corpus.job(tmp_path / "run", epochs=2, final_learning_rate=1e-3))
    assert RunFolder(tmp_path / "run").epochs()[-1]["learning_rate"] == pytest.approx(1e-3)
