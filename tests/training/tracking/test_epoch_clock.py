import time

import pytest

from ossicle.training.tracking import epoch_clock
from ossicle.training.tracking.epoch_clock import EpochClock, peak_memory_mb


class Clocks:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now, self.cpu = 100.0, 10.0

    def monotonic(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.cpu


def test_waiting_and_computing_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks()
    monkeypatch.setattr(epoch_clock, "time", clocks)
    clock = EpochClock("cpu", 2)
    assert clock.figures() == {}
    for _ in range(4):
        clocks.now += 3.0  # a slow loader
        clock.batch_came()
        clocks.now += 1.0
        clocks.cpu += 1.6
        clock.batch_done(8)
    clocks.now += 50.0  # validation
    found = clock.figures()
    assert found["samples_per_s"] == 32 / 16
    assert found["data_wait"] == 0.75
    assert found["device_use"] == pytest.approx(4 * 1.6 / (16 * 2))
    clock.start()
    assert clock.figures() == {}


def test_a_real_wait_is_measured() -> None:
    clock = EpochClock("cpu", 1)
    time.sleep(0.05)
    clock.batch_came()
    clock.batch_done(1)
    assert clock.figures()["data_wait"] > 0.9


def test_memory_is_that_of_a_process_with_numpy() -> None:
    found = peak_memory_mb()
    assert found is None or 20 < found < 100_000
