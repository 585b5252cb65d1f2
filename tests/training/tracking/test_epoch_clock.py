import time

import pytest
import torch

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
    result = clock.figures()
    assert result["samples_per_s"] == 32 / 16
    assert result["data_wait"] == 0.75
    assert result["device_use"] == pytest.approx(4 * 1.6 / (16 * 2))
    clock.start()
    assert clock.figures() == {}


class FakeEvent:
    """A mark on the timeline of a GPU, 10 ms after the one before it."""

    now_ms = 0.0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        FakeEvent.now_ms += 10.0
        self.at_ms = FakeEvent.now_ms

    def elapsed_time(self, later: "FakeEvent") -> float:
        return later.at_ms - self.at_ms

    def synchronize(self) -> None:
        """Do nothing."""


def test_a_gpu_waits_on_its_own_timeline_and_is_not_touched_before_the_first_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = EpochClock("cuda:1", 1)
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 2_000_000)
    clock.start()
    for _ in range(3):
        clock.batch_came()
        FakeEvent.now_ms += 20.0
        clock.batch_done(4)
    result = clock.figures()
    # Each step takes 30 ms, and 10 ms pass before it, however long this computer took.
    assert (result["data_wait"], result["device_use"], result["memory_mb"]) == (0.25, 0.75, 2.0)


def test_a_real_wait_is_measured() -> None:
    clock = EpochClock("cpu", 1)
    time.sleep(0.05)
    clock.batch_came()
    clock.batch_done(1)
    assert clock.figures()["data_wait"] > 0.9


def test_memory_is_that_of_a_process_with_numpy() -> None:
    result = peak_memory_mb()
    assert result is None or 20 < result < 100_000
