"""Capture from a device that may overflow, vanish and come back: stretches of samples, and gaps of known length."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.damage import damage
from ossicle.core.time import to_samples
from ossicle.live.backoff import Backoff
from ossicle.live.clock import Clock
from ossicle.live.ring_buffer import Block, RingBuffer
from ossicle.live.sample_clock import SampleClock

Receive = Callable[[NDArray[np.float32], float, bool], None]
"""What a source calls: samples (n, channels), the monotonic time of the last one, and whether it lost some before."""

REOPENING = Backoff(0.25, 5.0)
"""Pauses between attempts to open a device."""
# Fewer missing samples than this may as well be a change of the device's latency.
_MISSING_S = 0.25
# No device keeps so much for later: a block that is so late follows a sleep of the machine.
_SLEEP_S = 5.0


class DeviceError(Exception):
    """A device cannot be opened now; the text says why."""


class Source(Protocol):
    """An open device that calls a :data:`Receive`."""

    @property
    def active(self) -> bool:
        """Whether the device still delivers."""
        ...

    def close(self) -> None:
        """Stop and release the device; raises nothing."""
        ...


OpenSource = Callable[[Receive], Source]
"""Opens the device, found by name each time; raises DeviceError if it is not there."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Captured samples without a gap: ``start_sample`` of the session, and float32 (n, channels)."""

    start_sample: int
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Gap:
    """Sound that was not captured.

    Parameters
    ----------
    reason
        ``overflow`` (the engine was too slow), ``device overflow``, ``device`` (it vanished or fell silent),
        ``missing`` (the clock shows that samples are missing), ``damaged`` (not finite numbers).
    start_sample, end_sample
        Samples of the session; the end is None while the gap lasts.
    """

    reason: str
    start_sample: int
    end_sample: int | None


@dataclass(frozen=True, slots=True)
class CaptureTiming:
    """When a device counts as silent, and when it is opened again; all in seconds.

    Parameters
    ----------
    silent_s
        A device that delivers nothing for so long opens a gap.
    reopen_s
        A device that delivers nothing for so long is closed and opened again; one that reports its end, at once.
    first_block_s
        How long a device may take after it was opened; sound servers need up to two seconds.
    buffer_s
        How far the engine may fall behind.
    backoff
        Pauses between attempts to open the device.
    """

    silent_s: float
    reopen_s: float = 2.0
    first_block_s: float = 5.0
    buffer_s: float = 10.0
    backoff: Backoff = REOPENING


class Capture:
    """Samples and gaps of a device, in order, on one count of samples.

    Parameters
    ----------
    open_source
        Opens the device.
    rate
        Sample rate in Hz at which the device is opened.
    clock
        The clocks.
    timing
        When a device counts as silent, and when it is opened again.
    """

    def __init__(self, open_source: OpenSource, rate: int, clock: Clock, timing: CaptureTiming) -> None:
        self._open_source, self._rate, self._clock, self._timing = open_source, rate, clock, timing
        self._ring = RingBuffer(max(1, to_samples(timing.buffer_s, rate)))
        self._samples = SampleClock(rate)
        self._position = 0
        self._started = self._fresh = False
        self._source: Source | None = None
        self._gap: Gap | None = None
        self._heard_s = self._next_try_s = 0.0
        self._failures = 0
        self.last_error = ""
        """Why the device could not be opened the last time; empty while it is open."""

    @property
    def drift_ppm(self) -> float:
        """How much longer a nominal second of the device lasts than one of the clock, in parts per million."""
        return self._samples.drift_ppm

    @property
    def position(self) -> int:
        """Samples of the session so far, those of gaps included."""
        return self._position

    @property
    def open_gap_samples(self) -> int:
        """Samples of the gap that lasts at present, by the clock; 0 if there is none."""
        return 0 if self._gap is None else self._samples.samples_until(self._gap.start_sample, self._clock.monotonic())

    def end_gap(self) -> Gap | None:
        """End the gap that lasts at present, because nothing more is captured; return it, or None if there is none."""
        gap, self._gap = self._gap, None
        return None if gap is None else self._closed_gap(gap, self._clock.monotonic())

    def start(self) -> None:
        """Open the device for the first time.

        Raises
        ------
        DeviceError
            It cannot be opened. Later failures are gaps, and the device is tried again.
        """
        self._open()
        self._samples.restart(0, self._heard_s)

    def close(self) -> None:
        """Release the device."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def monotonic_of(self, sample: int) -> float:
        """Return the monotonic time at which a sample of the current stretch was heard, in seconds."""
        return self._samples.time_of(sample)

    def wall_of(self, sample: int) -> float:
        """Return when a sample of the current stretch was heard, in seconds since 1970 (UTC)."""
        # The wall clock may be set while we listen, so the difference between the clocks is taken now.
        return self.monotonic_of(sample) + self._clock.wall() - self._clock.monotonic()

    def read(self, timeout_s: float) -> Iterator[Stretch | Gap]:
        """Wait for samples, at most ``timeout_s`` seconds, and yield what came: stretches and gaps in order."""
        if self._source is None and self._clock.monotonic() >= self._next_try_s:
            self._try_again()
        self._clock.wait(self._ring.ready, self._patience(timeout_s))
        blocks = self._ring.read()
        if blocks:
            self._heard_s = self._clock.monotonic()
        for block in blocks:
            yield from self._taken(block)
        if not blocks:
            yield from self._silence()

    def _patience(self, timeout_s: float) -> float:
        """Return how long to wait: until something is due."""
        now_s = self._clock.monotonic()
        due_s = [now_s + timeout_s]
        if self._source is None:
            due_s.append(self._next_try_s)
        elif self._gap is None:
            due_s.append(self._heard_s + self._silent_s)
        return max(0.0, min(due_s) - now_s)

    @property
    def _silent_s(self) -> float:
        return self._timing.first_block_s if self._fresh else self._timing.silent_s

    def _open(self) -> None:
        self._ring.clear()
        self._source = self._open_source(self._receive)
        self._heard_s, self._fresh = self._clock.monotonic(), True
        self.last_error = ""

    def _receive(self, samples: NDArray[np.float32], end_time_s: float, lost: bool) -> None:
        self._ring.write(samples, end_time_s, device_lost=lost)

    def _try_again(self) -> None:
        try:
            self._open()
        except DeviceError as error:
            self.last_error = str(error)
            self._next_try_s = self._clock.monotonic() + self._timing.backoff.pause_s(self._failures)
            self._failures += 1

    def _silence(self) -> Iterator[Gap]:
        """Open a gap, and close a device that delivers nothing."""
        if self._source is None:
            return
        silent_s, active = self._clock.monotonic() - self._heard_s, self._source.active
        if self._gap is None and (silent_s >= self._silent_s or not active):
            self._gap = Gap("device", self._position, None)
            yield self._gap
        if silent_s >= max(self._silent_s, self._timing.reopen_s) or not active:
            self.close()
            self._next_try_s = self._clock.monotonic() + self._timing.backoff.pause_s(self._failures)
            self._failures += 1

    def _taken(self, block: Block) -> Iterator[Stretch | Gap]:
        n_samples = len(block.samples)
        # A device that is opened reports a loss before its first block, which is no loss of ours.
        device_lost, self._fresh, self._failures = block.device_lost and not self._fresh, False, 0
        start_s = block.end_time_s - n_samples / self._rate
        if not self._started:
            self._started = True
            self._samples.restart(self._position, start_s)
        if self._gap is not None:
            yield self._closed_gap(self._gap, start_s)
            self._gap = None
        elif device_lost:
            yield self._closed_gap(Gap("device overflow", self._position, None), start_s)
        elif not block.lost_samples and start_s - self._samples.time_of(self._position) >= _SLEEP_S:
            yield self._closed_gap(Gap("missing", self._position, None), start_s)
        elif block.lost_samples:
            yield self._skipped("overflow", block.lost_samples)
        if damage(block.samples) is not None:
            yield self._skipped("damaged", n_samples)
            return
        step_s = self._samples.observe(self._position + n_samples, block.end_time_s)
        if step_s >= _MISSING_S:
            yield self._skipped("missing", to_samples(step_s, self._rate))
            self._samples.restart(self._position, start_s)
        start = self._position
        self._position += n_samples
        yield Stretch(start, block.samples)

    def _skipped(self, reason: str, n_samples: int) -> Gap:
        """Return a gap whose samples were counted."""
        start = self._position
        self._position += n_samples
        return Gap(reason, start, self._position)

    def _closed_gap(self, gap: Gap, resumed_s: float) -> Gap:
        """Return a gap that ends at ``resumed_s``; its length is that of the clock."""
        end = gap.start_sample + self._samples.samples_until(gap.start_sample, resumed_s)
        self._position = end
        self._samples.restart(end, resumed_s)
        return replace(gap, end_sample=end)
