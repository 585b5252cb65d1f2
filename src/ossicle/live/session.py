"""One live session: from captured stretches and gaps, through the engine, to lines, log and recording."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.array_stream import mono_samples
from ossicle.core.decisions.states import StateChange
from ossicle.core.time import to_seconds
from ossicle.core.tracks import Event
from ossicle.inference.states.stream import StateStream
from ossicle.live.capture import Capture, Gap, Stretch
from ossicle.live.clock import Clock
from ossicle.live.label_log import LabelLog
from ossicle.live.latency import Latency
from ossicle.live.lines import Line, event_line, gap_line, heartbeat_line, time_of_day
from ossicle.live.recording import Recording
from ossicle.live.sinks.fan_out import FanOut
from ossicle.live.state_lines import StateLines

Result = Event | StateChange
_TIMES = frozenset({"start_s", "end_s", "time_s", "decided_at_s"})


class Engine(Protocol):
    """What turns samples into events or changes of state: an ``EventStream`` or a ``StateStream`` of ``inference``."""

    @property
    def rate(self) -> int:
        """Sample rate of what is fed, in Hz."""
        ...

    def feed(self, samples: NDArray[np.float32], /) -> Sequence[Result]:
        """Process the next samples, shape (n,), and return what became certain."""
        ...

    def finish(self) -> Sequence[Result]:
        """End the stream and return the rest."""
        ...


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session does besides detecting.

    Parameters
    ----------
    channel
        The channel to hear: ``mean``, ``first``, or a number from 1.
    heartbeat_s
        Seconds between heartbeat lines; 0 for none.
    priority
        Labels of the overall status of states, the most important first.
    only_changes
        Whether to leave out changes of state that do not change the overall status.
    poll_s
        The longest time in seconds between two looks at ``stop``.
    """

    channel: str = "mean"
    heartbeat_s: float = 10.0
    priority: tuple[str, ...] = ()
    only_changes: bool = False
    poll_s: float = 0.1


class Session:
    """Runs until it is stopped. Everything but the devices and the sinks is on the thread that calls :meth:`run`.

    Parameters
    ----------
    capture
        The device.
    start_engine
        Makes an engine; a new one begins after each gap.
    rate
        Sample rate of the device in Hz.
    sinks
        Where the lines go.
    log
        Counts and durations.
    clock
        The clocks.
    recording
        Where the samples are kept; None: nowhere.
    options
        Channel, heartbeat.
    """

    def __init__(
        self,
        capture: Capture,
        start_engine: Callable[[], Engine],
        rate: int,
        sinks: FanOut,
        log: LabelLog,
        clock: Clock,
        recording: Recording | None = None,
        options: SessionOptions = SessionOptions(),
    ) -> None:
        self._capture, self._start_engine, self._rate = capture, start_engine, rate
        self._sinks, self._log, self._clock = sinks, log, clock
        self._recording, self._options = recording, options
        self._latency = Latency()
        self._engine: Engine | None = None
        self._state_lines = self._new_state_lines()
        self._base = self._fed = self._heard = self._gap_samples = 0
        self._gaps = 0
        self._open_gap_s: float | None = None
        self._ended_silent = False
        self._next_heartbeat_s = 0.0

    @property
    def heard_s(self) -> float:
        """Seconds of sound that the engine has had; gaps do not count."""
        return to_seconds(self._heard, self._rate)

    @property
    def silent_since_s(self) -> float | None:
        """Second of the session since which the device delivers nothing; None while it delivers."""
        return self._open_gap_s

    @property
    def ended_silent(self) -> bool:
        """Whether the device delivered nothing when the session ended."""
        return self._ended_silent

    def run(self, stop: Callable[[], bool]) -> None:
        """Capture and detect until ``stop`` returns True or every sink is gone, then end the engine and the recording.

        Raises
        ------
        DeviceError
            The device cannot be opened at the start.
        """
        self._capture.start()
        # The first one at once: it shows whether the sinks work.
        self._next_heartbeat_s = self._clock.monotonic()
        try:
            while not stop() and not self._sinks.all_gone:
                self._heartbeat()
                for piece in self._capture.read(self._options.poll_s):
                    if isinstance(piece, Gap):
                        self._on_gap(piece)
                    else:
                        self._on_stretch(piece)
            self._end_engine()
            if (gap := self._capture.end_gap()) is not None:
                self._on_gap(gap)
                self._ended_silent = True
        finally:
            self._capture.close()
            if self._recording is not None:
                self._recording.end_part()

    def figures(self) -> dict[str, Any]:
        """Return latency, gaps and drift of the session so far."""
        return {
            "gaps": self._gaps,
            "gap_s": round(to_seconds(self._gap_samples + self._capture.open_gap_samples, self._rate), 3),
            "drift_ppm": round(self._capture.drift_ppm, 1),
            **self._latency.summary(),
        }

    def summary(self) -> dict[str, Any]:
        """Return what was heard: seconds, figures by label, gaps, latency."""
        end_s = to_seconds(self._capture.position, self._rate)
        return {
            "heard_s": round(self.heard_s, 3),
            "labels": self._log.summary(end_s, self.heard_s),
            **self.figures(),
        }

    def _on_stretch(self, piece: Stretch) -> None:
        if self._engine is None:
            self._engine, self._base, self._fed = self._start_engine(), piece.start_sample, 0
            self._state_lines = self._new_state_lines()
        samples = mono_samples(piece.samples, self._options.channel)
        if self._recording is not None:
            self._recording.write(samples)
        began_s = self._clock.monotonic()
        results = self._engine.feed(samples)
        self._fed += len(samples)
        self._heard += len(samples)
        self._put_results(results)
        now_s = self._clock.monotonic()
        lag_s = now_s - self._capture.monotonic_of(piece.start_sample + len(samples))
        self._latency.add(lag_s, now_s - began_s, to_seconds(len(samples), self._rate))

    def _on_gap(self, gap: Gap) -> None:
        self._end_engine(at_gap=True)
        start_s = to_seconds(gap.start_sample, self._rate)
        end_s = None if gap.end_sample is None else to_seconds(gap.end_sample, self._rate)
        if self._open_gap_s is None:
            self._gaps += 1
        self._open_gap_s = start_s if gap.end_sample is None else None
        if gap.end_sample is not None:
            self._gap_samples += gap.end_sample - gap.start_sample
        self._log.gap(start_s, start_s if end_s is None else end_s)
        self._sinks.put(gap_line(gap.reason, start_s, end_s, self._capture.wall_of(gap.start_sample)))

    def _end_engine(self, *, at_gap: bool = False) -> None:
        """Let the engine return what it still holds; the next samples begin a new one."""
        engine, self._engine = self._engine, None
        if engine is not None:
            # States end as unknown where the sound ends, instead of holding.
            rest = engine.gap(0.0) if at_gap and isinstance(engine, StateStream) else engine.finish()
            self._put_results(rest)
        if self._recording is not None:
            self._recording.end_part()

    def _put_results(self, results: Sequence[Result]) -> None:
        """Count results and put their lines."""
        base_s = to_seconds(self._base, self._rate)
        for result in results:
            if isinstance(result, Event):
                self._log.event(result.label, base_s + result.start_s, base_s + result.end_s)
                self._put_moved(event_line(result, to_seconds(self._fed, self._rate)), base_s)
            else:
                self._log.change(result.label, result.state, base_s + result.time_s)
        for line in self._state_lines.of([result for result in results if isinstance(result, StateChange)]):
            self._put_moved(line, base_s)

    def _put_moved(self, line: Line, base_s: float) -> None:
        """Put a line in seconds of the session, with the time of day at which its event or state began."""
        moved = line | {name: round(line[name] + base_s, 6) for name in line.keys() & _TIMES}
        began_s = moved["start_s"] if "start_s" in moved else moved["time_s"]
        wall_s = self._capture.wall_of(round(began_s * self._rate))
        self._sinks.put({**moved, "time": time_of_day(wall_s)})

    def _new_state_lines(self) -> StateLines:
        return StateLines(self._log.labels, self._options.priority, only_changes=self._options.only_changes)

    def _heartbeat(self) -> None:
        now_s = self._clock.monotonic()
        if not self._options.heartbeat_s or now_s < self._next_heartbeat_s:
            return
        # From now on, not from when it was due: after a sleep there is one, not a thousand.
        self._next_heartbeat_s = now_s + self._options.heartbeat_s
        figures = self.figures()
        if lost := {report.name: report.lost for report in self._sinks.reports() if report.lost}:
            figures["lost_lines_by_sink"] = lost
        if self._open_gap_s is not None:
            figures["device"] = self._capture.last_error or "silent"
        if isinstance(self._engine, StateStream) and self._engine.status:
            figures["status"] = self._engine.status
        self._sinks.put(heartbeat_line(self.heard_s, self._clock.wall(), self._log.states(), figures))
