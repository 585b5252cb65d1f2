from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ossicle.metrics.curves.diagnosis import (
    DIVERGENCE,
    EARLY_PLATEAU,
    OSCILLATION,
    RISING_VALIDATION,
    diagnose,
)

N = 60
EPOCHS = np.arange(N)
FALL = np.exp(-EPOCHS / 12)
WARMUP = 4


def lines(train: NDArray[Any], validation: NDArray[Any] | None = None, every: int = 1, noise: float = 0.0) -> list[Any]:
    """The log of a training with a warm-up of four epochs and a cosine."""
    rng = np.random.default_rng(5)
    result = []
    for epoch, loss in enumerate(train):
        rate = (epoch + 1) / WARMUP if epoch < WARMUP else 0.5 * (1 + np.cos(np.pi * (epoch - WARMUP) / len(train)))
        line = {"epoch": epoch, "learning_rate": rate, "train_loss": loss * (1 + noise * rng.standard_normal())}
        if validation is not None and (epoch + 1) % every == 0:
            line["val_loss"] = validation[epoch] * (1 + noise * rng.standard_normal())
        result.append(line)
    return result


def kinds(found: list[Any]) -> dict[str, int]:
    return {finding.kind: finding.epoch for finding in diagnose(found)}


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("every", [1, 5])
def test_a_training_that_goes_well_gives_no_finding(noise: float, every: int) -> None:
    assert kinds(lines(0.1 + FALL, 0.2 + FALL, every, noise)) == {}
    assert kinds(lines(0.02 + 0.5 * FALL, 0.02 + 0.5 * FALL, every, noise)) == {}
    # Augmentation makes the training loss the higher one.
    assert kinds(lines(0.4 + FALL, 0.2 + FALL, every, noise)) == {}


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_loss_that_stops_to_fall_early_is_a_plateau(noise: float) -> None:
    stuck = np.where(EPOCHS < 8, 2.0 - 0.1 * EPOCHS, 1.2)
    result = kinds(lines(stuck, stuck + 0.1, 1, noise))
    assert list(result) == [EARLY_PLATEAU]
    assert 6 <= result[EARLY_PLATEAU] <= 9
    # A loss that never falls is stuck from the end of the warm-up on.
    assert kinds(lines(np.full(N, 0.69), noise=0.005)) == {EARLY_PLATEAU: WARMUP}


def test_a_loss_near_zero_or_flat_at_the_end_is_no_plateau() -> None:
    assert kinds(lines(np.maximum(0.01, 1.0 - 0.2 * EPOCHS))) == {}
    assert kinds(lines(np.where(EPOCHS < 40, 2.0 - 0.03 * EPOCHS, 0.8))) == {}


@pytest.mark.parametrize(("every", "noise"), [(1, 0.0), (1, 0.03), (5, 0.0), (5, 0.02)])
def test_a_validation_loss_that_rises_after_its_lowest_point_is_found_there(every: int, noise: float) -> None:
    rising = np.where(EPOCHS < 20, 1.0 - 0.02 * EPOCHS, 0.6 + 0.01 * (EPOCHS - 20))
    assert abs(kinds(lines(0.55 + 0.5 * FALL, rising, every, noise))[RISING_VALIDATION] - 20) <= 5
    # The loss of the training need not fall on meanwhile.
    assert RISING_VALIDATION in kinds(lines(rising, rising, every, noise))


def test_a_noisy_validation_loss_that_stays_level_is_not_rising() -> None:
    assert kinds(lines(0.1 + FALL, 0.3 + FALL, 5, noise=0.12)) == {}


@pytest.mark.parametrize("period", [2, 3, 6])
def test_swings_after_the_warm_up_are_an_oscillation(period: int) -> None:
    swinging = 0.5 + FALL + np.where(EPOCHS >= WARMUP, 0.15 * np.sin(2 * np.pi * (EPOCHS + 0.3) / period), 0.0)
    result = kinds(lines(swinging))
    assert list(result) == [OSCILLATION]
    assert WARMUP < result[OSCILLATION] <= WARMUP + period + 1
    # Swings of the warm-up alone are none.
    assert kinds(lines(0.5 + FALL + np.where(EPOCHS < WARMUP, 0.3 * (-1.0) ** EPOCHS, 0.0))) == {}


def test_the_cause_of_swings_is_the_learning_rate_only_if_they_end_with_it() -> None:
    swings = np.where(EPOCHS >= WARMUP, 0.4 * (-1.0) ** EPOCHS, 0.0)
    (at_rest,) = diagnose(lines(0.5 + FALL + swings))
    (ending,) = diagnose(lines(0.5 + FALL + swings * (EPOCHS < 45)))
    assert "few and unlike crops" in at_rest.cause
    assert "learning rate is too high" in ending.cause


def test_swings_of_the_validation_loss_are_found_too() -> None:
    assert list(kinds(lines(0.4 + FALL, 0.5 + FALL + 0.2 * (-1.0) ** EPOCHS))) == [OSCILLATION]


@pytest.mark.parametrize(("every", "noise"), [(1, 0.0), (1, 0.03), (5, 0.02)])
def test_a_training_loss_that_leaves_the_validation_loss_behind_diverges(every: int, noise: float) -> None:
    result = kinds(lines(0.05 + FALL, np.maximum(0.6, 1.05 - 0.05 * EPOCHS), every, noise))
    assert list(result) == [DIVERGENCE]
    assert 4 <= result[DIVERGENCE] <= 20


def test_overfitting_is_both() -> None:
    overfit = np.where(EPOCHS < 15, 1.0 - 0.03 * EPOCHS, 0.58 + 0.01 * (EPOCHS - 15))
    assert set(kinds(lines(0.02 + FALL, overfit))) == {RISING_VALIDATION, DIVERGENCE}


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_a_few_epochs_say_nothing(n: int) -> None:
    assert diagnose(lines(np.full(n, 0.7), np.linspace(0.5, 2.0, n))) == ()


def test_each_finding_names_a_cause_and_what_to_try() -> None:
    findings = diagnose(lines(np.full(N, 0.69)))
    assert "learning rate" in findings[0].cause
