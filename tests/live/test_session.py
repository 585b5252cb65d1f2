"""A session: lines of events, gaps and heartbeats, with times that are true, whatever the device does."""

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.audio.decoding.mono import MonoStream
from ossicle.core.errors import UsageError
from ossicle.core.tracks import Event
from ossicle.live.capture import Capture, CaptureTiming
from ossicle.live.label_log import LabelLog
from ossicle.live.recording import Recording
from ossicle.live.session import Session, SessionOptions
from ossicle.live.sinks.fan_out import FanOut
from ossicle.live.sinks.queue import SinkQueue
from ossicle.live.sinks.sink import SinkClosed

from .simulated import FakeClock, SimulatedMicrophone

RATE, HOP_S = 200, 0.25


class EverySecond:
    """An engine that finds an event in the first half of each second, and an open one at the end."""

    rate = RATE

    def __init__(self) -> None:
        self.fed, self.given = 0, 0
        self.samples: list[np.ndarray] = []

    def feed(self, samples: np.ndarray) -> list[Event]:
        self.samples.append(samples)
        self.fed += len(samples)
        events = []
        while self.given + RATE <= self.fed:
            second = self.given // RATE
            events.append(Event(second, second + 0.5, "call", 0.9))
            self.given += RATE
        return events

    def finish(self) -> Sequence[Event]:
        return [Event(self.given / RATE, self.fed / RATE, "rest", 0.5)] if self.fed > self.given else []


class Listed:
    name = "list"

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def deliver(self, text: str) -> None:
        self.lines.append(json.loads(text))

    def close(self) -> None:
        pass


class Scene:
    """A session on a simulated microphone, driven by a list of (second, action)."""

    def __init__(self, recording: Recording | None = None, heartbeat_s: float = 0.0, **device: Any) -> None:
        self.clock = FakeClock()
        self.device = SimulatedMicrophone(self.clock, **device)
        self.engines: list[EverySecond] = []
        self.sink, self.log = Listed(), LabelLog(["call"])
        self.sinks = FanOut([SinkQueue(self.sink, most_lines=100_000)])
        timing = CaptureTiming(silent_s=1.5 * HOP_S, reopen_s=1.0, buffer_s=5.0)
        capture = Capture(self.device.open, RATE, self.clock, timing)
        options = SessionOptions(heartbeat_s=heartbeat_s)
        self.session = Session(capture, self._engine, RATE, self.sinks, self.log, self.clock, recording, options)

    def _engine(self) -> EverySecond:
        self.engines.append(EverySecond())
        return self.engines[-1]

    def run(self, seconds: float, *actions: tuple[float, Callable[["Scene"], None]]) -> list[dict[str, Any]]:
        began_s, left = self.clock.now_s, sorted(actions, key=lambda action: action[0])

        def stop() -> bool:
            elapsed_s = self.clock.now_s - began_s
            while left and elapsed_s >= left[0][0]:
                left.pop(0)[1](self)
            return elapsed_s >= seconds

        self.session.run(stop)
        self.sinks.end()
        return self.sink.lines


def unplug(scene: Scene) -> None:
    scene.device.plugged = False


def plug(scene: Scene) -> None:
    scene.device.plugged = True


def wall_of(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["time"]).timestamp()


def test_events_have_the_time_of_the_session_and_of_the_day() -> None:
    scene = Scene()
    lines = scene.run(10.2)
    assert [line["start_s"] for line in lines if line["label"] == "call"] == list(range(10))
    for line in lines:
        truth_s = scene.device.true_time(line["start_s"] * RATE) + scene.clock.wall() - scene.clock.monotonic()
        assert wall_of(line) == pytest.approx(truth_s, abs=0.002)
        assert line["decided_at_s"] >= line["end_s"]
    assert scene.session.summary()["heard_s"] >= 10.0


def test_a_gap_ends_the_events_and_begins_a_new_engine_at_the_true_time() -> None:
    scene = Scene()
    lines = scene.run(40.0, (10.3, unplug), (20.0, plug))
    gaps = [line for line in lines if "gap" in line]
    assert [gap["gap"] for gap in gaps] == ["device", "device"]
    assert gaps[0]["end_s"] is None
    assert (gaps[0]["start_s"], gaps[0]["time"]) == (gaps[1]["start_s"], gaps[1]["time"])
    # The event that was open is given before the gap, and ends where the sound ended.
    place = lines.index(gaps[0])
    assert (lines[place - 1]["label"], lines[place - 1]["end_s"]) == ("rest", gaps[0]["start_s"])
    assert len(scene.engines) == 2
    after = [line for line in lines[lines.index(gaps[1]) + 1 :] if line["label"] == "call"]
    assert after[0]["start_s"] == pytest.approx(gaps[1]["end_s"], abs=0.001)
    for line in after:
        elapsed_s = line["start_s"]
        assert wall_of(line) == pytest.approx(1.7e9 + elapsed_s, abs=0.05)
    summary = scene.session.summary()
    assert summary["gaps"] == 1
    assert summary["gap_s"] == pytest.approx(gaps[1]["end_s"] - gaps[1]["start_s"], abs=0.001)


def test_an_hour_of_drift_with_a_gap_keeps_the_time_of_day_to_50_ms() -> None:
    scene = Scene(ppm=100.0, jitter_s=0.02)
    lines = scene.run(3600.0, (1800.0, unplug), (1830.0, plug))
    errors = []
    resumed_s = next(one["end_s"] for one in lines if one.get("gap") and one["end_s"] is not None)
    for line in lines:
        # What the engine was fed is on the device's own count; the gap is the one of the clock.
        if line.get("label") == "call" and line["start_s"] < 1790.0:
            errors.append(wall_of(line) - 1.7e9 - line["start_s"] * (1 + 1e-4))
        elif line.get("label") == "call":
            first = scene.engines[1].samples[0][0] * 2.0**20
            truth_s = first / RATE * (1 + 1e-4) + (line["start_s"] - resumed_s) * (1 + 1e-4)
            errors.append(wall_of(line) - 1.7e9 - truth_s)
    assert len(errors) > 3500
    assert max(map(abs, errors)) <= 0.05


def test_a_slow_engine_is_a_gap_and_no_end() -> None:
    scene = Scene()
    lines = scene.run(30.0, (10.0, lambda one: one.clock.sleep(12.0)))
    (gap,) = [line for line in lines if "gap" in line]
    assert gap["gap"] == "overflow"
    assert gap["end_s"] > gap["start_s"]


def test_heartbeats_tell_figures_and_states() -> None:
    lines = Scene(heartbeat_s=2.0).run(9.0)
    beats = [line for line in lines if "heartbeat" in line]
    assert len(beats) == 5
    assert {"time", "lag_s", "load", "gaps", "drift_ppm"} <= set(beats[-1])
    assert Scene().run(9.0)[0].keys() == {"start_s", "end_s", "label", "score", "decided_at_s", "time"}


def samples_of(path: Path) -> np.ndarray:
    return np.concatenate(list(MonoStream(path, RATE)))


def test_what_is_recorded_is_what_the_engine_got_one_file_between_gaps(tmp_path: Path) -> None:
    failures: list[str] = []
    recording = Recording(tmp_path / "heard.wav", RATE, failures.append)
    scene = Scene(recording=recording)
    scene.run(40.0, (10.1, unplug), (20.0, plug))
    assert recording.files == [tmp_path / "heard.wav", tmp_path / "heard.2.wav"]
    for engine, path in zip(scene.engines, recording.files, strict=True):
        assert np.array_equal(np.concatenate(engine.samples), samples_of(path))
    assert failures == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["heard.2.wav", "heard.wav"]


def test_a_recording_that_cannot_be_written_does_not_end_the_session(tmp_path: Path) -> None:
    failures: list[str] = []
    recording = Recording(tmp_path / "new" / "heard.wav", RATE, failures.append)
    (tmp_path / "new").rmdir()
    (tmp_path / "new").write_text("a file in place of the folder")
    lines = Scene(recording=recording).run(5.0)
    assert len(lines) >= 4
    assert len(failures) == 1
    assert "new" in failures[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_recording_that_cannot_grow_keeps_what_was_written(tmp_path: Path) -> None:
    import resource

    failures: list[str] = []
    recording = Recording(tmp_path / "heard.wav", RATE, failures.append)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        lines = Scene(recording=recording).run(20.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(lines) >= 19
    kept = samples_of(tmp_path / "heard.wav")
    assert 1000 <= len(kept) < 1024
    assert recording.files == [tmp_path / "heard.wav"]
    assert len(failures) == 1
    assert re.search(r"heard\.wav: .*; the 5\.0 s before are kept", failures[0])
    assert [path.name for path in tmp_path.iterdir()] == ["heard.wav"]


def test_a_device_that_stays_away_is_a_gap_until_the_end() -> None:
    scene = Scene(heartbeat_s=1.0)
    lines = scene.run(20.0, (5.1, unplug))
    gaps = [line for line in lines if "gap" in line]
    assert [line["end_s"] is None for line in gaps] == [True, False]
    assert gaps[1]["end_s"] == pytest.approx(20.0, abs=0.3)
    summary = scene.session.summary()
    assert summary["gaps"] == 1
    assert summary["gap_s"] == pytest.approx(20.0 - gaps[0]["start_s"], abs=0.3)
    assert scene.session.ended_silent
    # A heartbeat in the gap says how long it is so far.
    last = [line for line in lines if "heartbeat" in line][-1]
    assert last["gap_s"] == pytest.approx(14.0, abs=1.1)


def test_a_device_that_is_back_did_not_end_silent() -> None:
    scene = Scene()
    scene.run(20.0, (5.1, unplug), (8.0, plug))
    assert not scene.session.ended_silent
    assert scene.session.silent_since_s is None


def test_no_recording_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "heard.2.wav").write_text("mine")
    recording = Recording(tmp_path / "heard.wav", RATE, lambda words: None)
    Scene(recording=recording).run(40.0, (10.1, unplug), (20.0, plug))
    assert [path.name for path in recording.files] == ["heard.wav", "heard.3.wav"]
    assert (tmp_path / "heard.2.wav").read_text() == "mine"
    with pytest.raises(UsageError, match=r"heard\.wav exists already"):
        Recording(tmp_path / "heard.wav", RATE, lambda words: None)
    (tmp_path / "link.wav").symlink_to(tmp_path / "other.wav")
    with pytest.raises(UsageError, match="symbolic link"):
        Recording(tmp_path / "link.wav", RATE, lambda words: None)


def test_two_sessions_that_record_under_one_name_both_keep_their_sound(tmp_path: Path) -> None:
    first, second = (Recording(tmp_path / "heard.wav", RATE, pytest.fail) for _ in range(2))
    for recording, value in ((first, 0.25), (second, 0.5)):
        recording.write(np.full(RATE, value, np.float32))
    second.end_part()
    first.end_part()
    assert (second.files, first.files) == ([tmp_path / "heard.wav"], [tmp_path / "heard.2.wav"])
    assert [samples_of(tmp_path / name)[0] for name in ("heard.wav", "heard.2.wav")] == [0.5, 0.25]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["heard.2.wav", "heard.wav"]


def test_what_a_power_cut_leaves_is_read_to_its_end(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "heard.wav", RATE, pytest.fail)
    heard = np.linspace(-0.5, 0.5, 30 * RATE, dtype=np.float32)
    recording.write(heard)
    (left,) = tmp_path.glob(".ossicle-part-*.wav")
    shutil.copy(left, tmp_path / "found.wav")
    assert np.array_equal(samples_of(tmp_path / "found.wav"), heard)


def test_an_error_of_the_engine_keeps_what_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(engine: EverySecond, samples: np.ndarray) -> list[Event]:
        raise RuntimeError("no memory left")

    recording = Recording(tmp_path / "heard.wav", RATE, lambda words: None)
    monkeypatch.setattr(EverySecond, "feed", fails)
    with pytest.raises(RuntimeError):
        Scene(recording=recording).run(5.0)
    assert len(samples_of(tmp_path / "heard.wav")) == 50


def test_a_session_ends_when_all_sinks_are_gone() -> None:
    scene = Scene()

    def gone(text: str) -> None:
        raise SinkClosed("nobody reads")

    scene.sink.deliver = gone  # type: ignore[method-assign]

    def stop() -> bool:
        time.sleep(0.001)
        return scene.clock.now_s > 1e5

    scene.session.run(stop)
    assert scene.clock.now_s < 1e5
