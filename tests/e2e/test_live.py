"""`ossicle live` on a virtual microphone and a real broker: scripts/live_services.sh starts both.

Run with `make test-live`; skipped where there are none.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.audio.wav import write_wav
from ossicle.live.sinks.mqtt import MqttBroker
from ossicle.live.sinks.sink import SinkError

from ..made_up.state_bundle import hums, write_state_bundle

pytestmark = pytest.mark.live

OSSICLE = Path(sys.executable).parent / "ossicle"
RATE = 44100
HOP_S = 0.25


@pytest.fixture(scope="module", autouse=True)
def services() -> None:
    if shutil.which("pactl") is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("no PulseAudio or mosquitto: scripts/live_services.sh start installs and starts them on Debian")
    if subprocess.run(["timeout", "5", "pactl", "info"], capture_output=True, check=False).returncode:
        pytest.skip("PulseAudio does not answer: scripts/live_services.sh start, and PULSE_SERVER as it says")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of states that hears two tones."""
    folder = tmp_path_factory.mktemp("live") / "bundle"
    write_state_bundle(folder, hop_s=HOP_S, window_s=1.0)
    return folder


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def running_broker(port: int, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    command = [program, *(map(str, options) if options else ("-p", str(port)))]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        for _ in range(50):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield process
        process.send_signal(signal.SIGCONT)
        process.terminate()


@pytest.fixture
def broker() -> Iterator[tuple[str, int, subprocess.Popen[bytes]]]:
    """A broker of this test alone, so that it may be stopped."""
    port = free_port()
    with running_broker(port) as process:
        yield "127.0.0.1", port, process


class Reader:
    """The JSON lines of a process, each with the time at which it came."""

    def __init__(self, *command: object) -> None:
        self.process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[tuple[float, dict[str, Any]]] = []
        self.err: list[str] = []
        self._threads = [threading.Thread(target=self._read, daemon=True), threading.Thread(target=self._read_err)]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.time(), json.loads(line)))

    def _read_err(self) -> None:
        assert self.process.stderr is not None
        self.err += self.process.stderr

    def wait(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20.0) -> tuple[float, dict[str, Any]]:
        """Return the first line of this kind, and when it came."""
        deadline, seen = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            for at, line in self.lines[seen:]:
                seen += 1
                if wanted(line):
                    return at, line
            assert self.process.poll() is None, "".join(self.err)
            time.sleep(0.01)
        pytest.fail(f"no such line in {self.lines}: {''.join(self.err)}")

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        code = self.process.wait(20)
        for thread in self._threads:
            thread.join(5)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        return code


def streamed(bundle: Path, path: Path) -> list[dict[str, Any]]:
    done = subprocess.run([OSSICLE, "stream", bundle, path], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_virtual_microphone_is_listed() -> None:
    done = subprocess.run([OSSICLE, "live", "--list-devices", "--json"], capture_output=True, text=True, check=True)
    pulse = next(entry for entry in json.loads(done.stdout) if entry["name"] == "pulse")
    assert {44100, 48000} <= set(pulse["rates"])
    # Nothing that ALSA says about other devices.
    assert done.stderr == ""


def test_what_is_played_reaches_file_and_broker_and_streams_to_the_same_lines(
    bundle: Path, tmp_path: Path, broker: tuple[str, int, subprocess.Popen[bytes]]
) -> None:
    host, port, process = broker
    log, played = tmp_path / "log.jsonl", tmp_path / "played.wav"
    write_wav(played, hums((2.0, 0, 0), (2.0, 0, 1), (2.0, 0, 0), rate=RATE), RATE)
    hearing = Reader("mosquitto_sub", "-h", host, "-p", port, "-t", "home/#", "-q", "1")
    live = Reader(
        OSSICLE, "live", bundle, "--device", "pulse", "--heartbeat-s", 0.25, "--record", tmp_path / "heard.wav",
        "--sink", "stdout", "--sink", f"jsonl:{log}", "--sink", f"mqtt://{host}:{port}/home/kitchen",
    )  # fmt: skip
    live.wait(lambda line: line.get("heartbeat", 0.0) > 0.5)
    played_from_s = time.time()
    with subprocess.Popen(["paplay", "--device=loop", played]) as playing:
        # A broker that stands still for a while slows nobody and loses nothing that fits its queue.
        time.sleep(1.0)
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        process.send_signal(signal.SIGCONT)
        assert playing.wait(20) == 0
    time.sleep(1.0)
    assert live.end() == 130
    time.sleep(0.5)
    hearing.end()

    lines = [line for _, line in live.lines]
    assert [line for _, line in hearing.lines] == lines
    assert [json.loads(line) for line in log.read_text().splitlines()] == lines
    beats_s = [at for at, line in live.lines if "heartbeat" in line]
    assert max(np.diff(beats_s)) < 1.0
    assert "duty cycle" in "".join(live.err)
    assert not [line for line in lines if "gap" in line]
    changes = [line for line in lines if "state" in line]
    recorded = streamed(bundle, tmp_path / "heard.wav")
    assert [{name: value for name, value in line.items() if name != "time"} for line in changes] == recorded

    # Played file against file: within a hop and 50 ms, once the delay until it was played is taken off.
    result, expected = switches(changes), switches(streamed(bundle, played))
    assert [state for state, _ in result] == [state for state, _ in expected] == ["on", "off"]
    heard, _ = soundfile.read(tmp_path / "heard.wav")
    delay_s = float(np.argmax(np.abs(heard) > 0.05)) / RATE - 2.0
    for (_, found_s), (_, expected_s) in zip(result, expected, strict=True):
        assert abs(found_s - delay_s - expected_s) <= HOP_S + 0.05
    # And the time of day is that of the sound: it was played after `paplay` began, and before it ended.
    began_s = datetime.fromisoformat(next(change["time"] for change in changes if change["state"] == "on")).timestamp()
    assert played_from_s < began_s - 1.5 < played_from_s + 2.0


def switches(changes: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """The switches of the fridge after its first state."""
    return [(change["state"], change["time_s"]) for change in changes if change["label"] == "fridge"][1:]


def deliver(sink: MqttBroker, text: str) -> list[str]:
    """Deliver a line as its queue does, and return the failures on the way."""
    failures: list[str] = []
    for _ in range(100):
        try:
            sink.deliver(text)
        except SinkError as error:
            failures.append(str(error))
        else:
            return failures
    pytest.fail(f"never delivered: {failures[-1]}")


def test_a_broker_that_comes_back_gets_the_line_that_waited() -> None:
    port = free_port()
    sink = MqttBroker("127.0.0.1", port, "home/kitchen", timeout_s=0.2)
    try:
        with running_broker(port):
            deliver(sink, '{"n": 1}')
        with pytest.raises(SinkError, match=r"connection|does not answer"):
            sink.deliver('{"n": 2}')
        with running_broker(port):
            hearing = Reader("mosquitto_sub", "-p", port, "-t", "home/#", "-q", "1")
            # Without it the message could be there before its reader.
            time.sleep(0.3)
            deliver(sink, '{"n": 2}')
            assert hearing.wait(lambda line: True)[1]["n"] in (2, 3)
            deliver(sink, '{"n": 3}')
            hearing.wait(lambda line: line["n"] == 3)
            hearing.end()
    finally:
        sink.close()


def test_a_broker_that_refuses_the_password_says_so_without_it(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n")
    with running_broker(port, "-c", tmp_path / "broker.conf"):
        sink = MqttBroker("127.0.0.1", port, "home/kitchen", "ann", "geheim", timeout_s=1.0)
        with pytest.raises(SinkError, match="the broker refuses the connection: Not authorized") as raised:
            sink.deliver("{}")
        assert "geheim" not in str(raised.value)
        sink.close()


def test_a_microphone_that_vanishes_is_a_gap_within_two_hops_and_comes_back(bundle: Path) -> None:
    live = Reader(OSSICLE, "live", bundle, "--device", "pulse", "--heartbeat-s", 0.25)
    live.wait(lambda line: line.get("heartbeat", 0.0) > 1.0)
    subprocess.run(["pactl", "unload-module", "module-null-sink"], check=True)
    gone_s = time.time()
    try:
        opened_s, gap = live.wait(lambda line: "gap" in line)
        assert (gap["gap"], gap["end_s"]) == ("device", None)
        assert opened_s - gone_s <= 2 * HOP_S
        time.sleep(1.0)
    finally:
        subprocess.run(["pactl", "load-module", "module-null-sink", "sink_name=loop"], check=True, capture_output=True)
        subprocess.run(["pactl", "set-default-source", "loop.monitor"], check=True)
    _, closed = live.wait(lambda line: line.get("gap") == "device" and line["end_s"] is not None)
    beat_s, beat = live.wait(lambda line: "heartbeat" in line and line["gap_s"] > 0 and line["heartbeat"] > 2.0)
    assert live.end(signal.SIGTERM) == 143
    assert "Expression" not in "".join(live.err)
    # Sound and gaps together are the time that passed, to the delay of a block and what the machine adds.
    heard_s = beat["heartbeat"] + beat["gap_s"]
    began_s = datetime.fromisoformat(gap["time"]).timestamp() - gap["start_s"]
    assert abs(beat_s - began_s - heard_s) < 0.5
    assert closed["end_s"] - closed["start_s"] == pytest.approx(beat["gap_s"], abs=0.01)
