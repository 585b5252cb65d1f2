"""States on a microphone: the changes of a stream, unknown from a gap on."""

from pathlib import Path
from typing import Any

import numpy as np

from ossicle.audio.decoding.mono import MonoStream
from ossicle.inference.states.stream import StateStream
from ossicle.live.capture import Capture, CaptureTiming
from ossicle.live.label_log import LabelLog
from ossicle.live.recording import Recording
from ossicle.live.session import Session, SessionOptions
from ossicle.live.sinks.fan_out import FanOut
from ossicle.live.sinks.queue import SinkQueue
from ossicle.live.state_lines import StateLines

from ..inference.states.test_stream import DECISION, LABELS, RATE, hums, predictor_of
from .simulated import FakeClock, SimulatedMicrophone
from .test_session import Listed

# On from 10 s on, so over the gap from 20.3 to 26 s, and off from 40 s on.
SOUND = hums((10.0, 0, 0), (30.0, 0, 1), (20.0, 0, 0))


def session_lines(folder: Path) -> tuple[list[dict[str, Any]], Session, Recording]:
    clock = FakeClock()
    device = SimulatedMicrophone(clock, RATE, 125, sound=lambda numbers: SOUND[numbers % len(SOUND)])
    capture = Capture(device.open, RATE, clock, CaptureTiming(silent_s=0.375))
    sink, recording = Listed(), Recording(folder / "heard.wav", RATE, lambda words: None)
    sinks = FanOut([SinkQueue(sink, most_lines=10_000)])
    session = Session(
        capture,
        lambda: StateStream(predictor_of(hop_s=0.25), DECISION, RATE),
        RATE,
        sinks,
        LabelLog(list(LABELS)),
        clock,
        recording,
        SessionOptions(heartbeat_s=5.0, priority=LABELS),
    )

    def stop() -> bool:
        elapsed_s = clock.now_s - 1000.0
        device.plugged = not 20.3 <= elapsed_s < 26.0
        return elapsed_s >= 55.0

    session.run(stop)
    sinks.end()
    return sink.lines, session, recording


def test_states_are_unknown_from_a_gap_on_and_begin_again_after_it(tmp_path: Path) -> None:
    lines, session, _ = session_lines(tmp_path)
    opening, closing = (line for line in lines if "gap" in line)
    fridge = [(line["state"], line["time_s"]) for line in lines if line.get("label") == "fridge"]
    assert [state for state, _ in fridge] == ["off", "on", "unknown", "on", "off"]
    times = dict(zip(["off", "on", "gap", "again", "end"], (time_s for _, time_s in fridge), strict=True))
    assert times["gap"] == opening["start_s"]
    assert closing["end_s"] < times["again"] <= closing["end_s"] + 2.5
    # In seconds of the session, so true after the gap too.
    assert abs(times["on"] - 10.0) <= 1.6
    assert abs(times["end"] - 40.0) <= 1.6
    beats = [line for line in lines if "heartbeat" in line]
    assert beats[1]["states"] == {"ac": "off", "fridge": "off"}
    assert beats[1]["status"] == "both-off"
    assert "device" in next(line for line in beats if line["gaps"])

    result = {label["label"]: label for label in session.summary()["labels"]}
    on_s = times["gap"] - times["on"] + times["end"] - times["again"]
    assert abs(result["fridge"]["on_s"] - on_s) < 0.01
    assert result["fridge"]["count"] == 2


def moved(line: dict[str, Any], by_s: float) -> dict[str, Any]:
    return line | {name: round(line[name] + by_s, 6) for name in ("time_s", "decided_at_s")}


def test_each_recorded_file_streams_to_the_same_changes(tmp_path: Path) -> None:
    lines, _, recording = session_lines(tmp_path)
    starts_s = [0.0, next(line["end_s"] for line in lines if line.get("gap") and line["end_s"] is not None)]
    changes = [line for line in lines if line.get("state") in ("on", "off")]
    expected = []
    for start_s, path in zip(starts_s, recording.files, strict=True):
        stream = StateStream(predictor_of(hop_s=0.25), DECISION, RATE)
        state_changes = stream.feed(np.concatenate(list(MonoStream(path, RATE)))) + stream.finish()
        expected += [moved(line, start_s) for line in StateLines(LABELS, LABELS).of(state_changes)]
    assert [{name: value for name, value in line.items() if name != "time"} for line in changes] == expected
