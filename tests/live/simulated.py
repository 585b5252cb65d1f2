"""A microphone and a clock without a machine: time passes only where somebody waits, an hour in a second.

Sample k of the device has the value k / 2**20 modulo 1, unless ``sound`` is given: every sample tells which one it is.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ossicle.live.capture import DeviceError, Receive

SCALE = 2.0**20


class FakeClock:
    """A clock that stands still except in :meth:`wait` and :meth:`sleep`, where the devices deliver."""

    def __init__(self, start_s: float = 1000.0, wall_s: float = 1.7e9) -> None:
        self.now_s, self._wall_offset_s = start_s, wall_s - start_s
        self.devices: list[SimulatedMicrophone] = []

    def monotonic(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return self.now_s + self._wall_offset_s

    def set_wall(self, by_s: float) -> None:
        self._wall_offset_s += by_s

    def wait(self, ready: threading.Event, timeout_s: float) -> bool:
        deadline_s = self.now_s + timeout_s
        while not ready.is_set():
            due_s = min(device.due_s for device in self.devices)
            self.now_s = max(self.now_s, min(due_s, deadline_s))
            if due_s > deadline_s:
                break
            for device in self.devices:
                device.deliver(self.now_s)
        return ready.is_set()

    def sleep(self, seconds: float) -> None:
        """Let time pass while nobody reads."""
        deadline_s = self.now_s + seconds
        while (due_s := min(device.due_s for device in self.devices)) <= deadline_s:
            self.now_s = max(self.now_s, due_s)
            for device in self.devices:
                device.deliver(self.now_s)
        self.now_s = deadline_s


@dataclass
class SimulatedMicrophone:
    """A device whose quartz is off by ``ppm``, and whose blocks arrive late by up to ``jitter_s``."""

    clock: FakeClock
    rate: int = 200
    block: int = 50
    ppm: float = 0.0
    jitter_s: float = 0.0
    seed: int = 0
    plugged: bool = True
    silent: bool = False
    reports_end: bool = False
    opened: int = 0
    sound: Callable[[np.ndarray], np.ndarray] = lambda numbers: (numbers % SCALE) / SCALE
    due_s: float = field(default=float("inf"))

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._born_s, self._next, self._flag = self.clock.now_s, 0, False
        self._receive: Receive | None = None
        self.clock.devices.append(self)

    def true_time(self, sample: float) -> float:
        """When the device heard its sample."""
        return self._born_s + sample / self.rate * (1.0 + self.ppm * 1e-6)

    def open(self, receive: Receive) -> "SimulatedMicrophone":
        if not self.plugged:
            raise DeviceError("the microphone is not there")
        self._receive, self.opened = receive, self.opened + 1
        self._next = int(np.ceil((self.clock.now_s - self._born_s) / (1.0 + self.ppm * 1e-6) * self.rate))
        self._schedule()
        return self

    @property
    def active(self) -> bool:
        return self._receive is not None and (self.plugged or not self.reports_end)

    def close(self) -> None:
        self._receive, self.due_s = None, float("inf")

    def lose(self, n_samples: int) -> None:
        """Lose samples before the next block and report it, as a device that overflows."""
        self._next += n_samples
        self._flag = True
        self._schedule()

    def drop(self, n_samples: int) -> None:
        """Lose samples and say nothing."""
        self._next += n_samples
        self._schedule()

    def deliver(self, now_s: float) -> None:
        while now_s >= self.due_s:
            first = self._next
            self._next += self.block
            if self.plugged and not self.silent:
                assert self._receive is not None
                numbers = np.arange(first, self._next)
                samples = self.sound(numbers).astype(np.float32)[:, None]
                self._receive(samples, now_s, self._flag)
                self._flag = False
            self._schedule()

    def _schedule(self) -> None:
        if self._receive is not None:
            late_s = float(self._random.uniform(0.0, self.jitter_s)) if self.jitter_s else 0.0
            self.due_s = max(self.true_time(self._next + self.block) + late_s, self.clock.now_s)


def numbers_of(samples: np.ndarray) -> np.ndarray:
    """Which samples of the device these are (modulo 2**20)."""
    return np.round(samples[:, 0].astype(np.float64) * SCALE).astype(int)
