"""``ossicle live`` as a command: lines, summary, exit codes, on a microphone that is a thread."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.api.live_session import LiveInput, LiveTiming
from ossicle.app.cli import main
from ossicle.app.cli.use import live
from ossicle.core.decisions.states import StateDecision
from ossicle.live.capture import DeviceError, Receive
from ossicle.live.session import Session
from ossicle.live.sinks.json_lines import JsonLinesFile

from ....made_up.state_bundle import RATE as STATE_RATE
from ....made_up.state_bundle import TONES_HZ, write_state_bundle

RATE = 8000
BLOCK = 800


def noise(first: int, n_samples: int) -> np.ndarray:
    return np.random.default_rng(first).normal(0, 0.1, n_samples)


class ThreadMicrophone:
    """Delivers sound from a thread, faster than it would be heard."""

    def __init__(
        self,
        receive: Receive,
        sound: Callable[[int, int], np.ndarray] = noise,
        block: int = BLOCK,
        pause_s: float = 0.025,
    ) -> None:
        self._receive, self._sound, self._block, self._pause_s = receive, sound, block, pause_s
        self._open = threading.Event()
        self._open.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        first = 0
        while self._open.is_set():
            time.sleep(self._pause_s)
            samples = self._sound(first, self._block)[:, None].astype(np.float32)
            first += self._block
            self._receive(samples, time.monotonic(), False)

    @property
    def active(self) -> bool:
        return self._open.is_set()

    def close(self) -> None:
        self._open.clear()
        self._thread.join()


@pytest.fixture
def bundle(repository: Path) -> Path:
    return repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"


@pytest.fixture(autouse=True)
def microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = LiveInput(ThreadMicrophone, RATE, LiveTiming(0.25))
    monkeypatch.setattr(live, "microphone_input", lambda *options: (heard, "noise"))


@pytest.fixture
def after() -> Iterator[Callable[[float, int], None]]:
    """Send a signal to this process some seconds after a command has begun to handle it."""
    senders: list[threading.Thread] = []

    def send(seconds: float, number: int) -> None:
        until = time.monotonic() + 60

        def wait_and_send() -> None:
            # Without its own handler the signal would end the process of the tests.
            while not _noted_by_live(number) and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(seconds)
            os.kill(os.getpid(), number)

        senders.append(threading.Thread(target=wait_and_send))
        senders[-1].start()

    yield send
    for sender in senders:
        sender.join()


def _noted_by_live(number: int) -> bool:
    """Whether a session listens: before, a signal ends the command while it loads, which may take long."""
    return "_noting_signals" in getattr(signal.getsignal(number), "__qualname__", "")


def ossicle(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["ossicle", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_listens_until_a_signal_and_prints_what_was_heard(
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    after: Callable[[float, int], None],
    number: int,
    code: int,
) -> None:
    after(1.5, number)
    assert ossicle(monkeypatch, "live", bundle, "--heartbeat-s", 0.2) == code
    out, err = capfd.readouterr()
    lines = lines_of(out)
    assert any("heartbeat" in line for line in lines)
    events = [line for line in lines if "label" in line]
    assert {"call"} <= {line["label"] for line in events}
    assert all(line["time"].endswith("Z") for line in lines)
    assert "duty cycle" in err
    assert f"stdout: {len(lines)} lines delivered, 0 lost" in err
    assert "run the same command again" not in err


def test_what_is_recorded_streams_to_the_same_lines_and_the_summary_is_json(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log, wav = tmp_path / "log.jsonl", tmp_path / "heard.wav"
    words = ("--sink", f"jsonl:{log}", "--record", wav, "--only-changes", "--for-s", 1.5, "--json")
    assert ossicle(monkeypatch, "live", bundle, *words) == 0
    (last,) = lines_of(capfd.readouterr().out)
    summary = last["summary"]
    assert (summary["recorded"], summary["gaps"]) == ([str(wav)], 0)
    lines = lines_of(log.read_text())
    assert summary["sinks"] == [{"name": f"jsonl:{log}", "delivered": len(lines), "lost": 0, "last_error": ""}]
    assert sum(label["count"] for label in summary["labels"]) == len(lines)
    assert ossicle(monkeypatch, "stream", bundle, wav) == 0
    streamed = lines_of(capfd.readouterr().out)

    def events(of: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return sorted((one["start_s"], one["end_s"], one["label"], one["score"]) for one in of)

    assert events(lines) == events(streamed)
    assert len(lines) > 3


def fridge(first: int, n_samples: int) -> np.ndarray:
    """A tone that the head of the bundle of states calls fridge, from 4 s on, over noise."""
    numbers = first + np.arange(n_samples)
    tone = 0.1 * np.sin(2 * np.pi * TONES_HZ[1] * numbers / STATE_RATE) * (numbers >= 4 * STATE_RATE)
    return np.random.default_rng(first).normal(0, 1e-3, n_samples) + tone


def test_states_of_a_microphone_are_those_of_its_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_state_bundle(tmp_path / "bundle")

    def opening(receive: Receive) -> ThreadMicrophone:
        return ThreadMicrophone(receive, fridge, STATE_RATE // 8, 0.02)

    heard = LiveInput(opening, STATE_RATE, LiveTiming(0.5))
    monkeypatch.setattr(live, "microphone_input", lambda *options: (heard, "fridge"))
    words = ("--record", tmp_path / "heard.wav", "--for-s", 2.5, "--only-changes")
    assert ossicle(monkeypatch, "live", tmp_path / "bundle", *words) == 0
    lines = lines_of(capfd.readouterr().out)
    assert [(line["label"], line["state"], line["status"]) for line in lines] == [
        ("ac", "off", "both-off"),
        ("fridge", "off", "both-off"),
        ("fridge", "on", "fridge-on"),
    ]
    assert ossicle(monkeypatch, "stream", tmp_path / "bundle", tmp_path / "heard.wav") == 0
    streamed = lines_of(capfd.readouterr().out)
    assert [{name: value for name, value in line.items() if name != "time"} for line in lines] == streamed


def test_a_bundle_without_a_decision_about_states_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_state_bundle(tmp_path / "bundle", states=StateDecision())
    assert ossicle(monkeypatch, "live", tmp_path / "bundle") == 2
    assert "the step state_decision" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give a bundle folder, or --list-devices"),
        (("BUNDLE", "--sink", "mqtt://ann:geheim@h/t"), "OSSICLE_MQTT_PASSWORD"),
        (("BUNDLE", "--sink", "log.jsonl"), "is not one of: stdout, jsonl:FILE"),
        (("BUNDLE", "--channel", "left"), "--channel"),
    ],
)
def test_wrong_usage_ends_before_anything_is_opened(
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    assert ossicle(monkeypatch, "live", *[bundle if word == "BUNDLE" else word for word in words]) == 2
    err = capfd.readouterr().err
    assert message in err
    assert "geheim" not in err


def test_a_device_that_cannot_be_opened_is_an_error(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def missing(receive: Receive) -> ThreadMicrophone:
        raise DeviceError("noise: Device unavailable")

    monkeypatch.setattr(live, "microphone_input", lambda *options: (LiveInput(missing, RATE, LiveTiming(0.25)), "x"))
    assert ossicle(monkeypatch, "live", bundle) == 2
    assert "Device unavailable; is it in use" in capfd.readouterr().err


class Vanishing(ThreadMicrophone):
    """Ends after a block, and is not there any more."""

    opened = 0

    def __init__(self, receive: Receive) -> None:
        if Vanishing.opened:
            raise DeviceError("noise: unplugged")
        Vanishing.opened += 1
        super().__init__(receive)

    def _run(self) -> None:
        self._receive(noise(0, BLOCK)[:, None].astype(np.float32), time.monotonic(), False)
        self._open.clear()


def test_a_device_that_stays_away_is_told_at_once_and_counts(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    Vanishing.opened = 0
    heard = LiveInput(Vanishing, RATE, LiveTiming(0.25))
    monkeypatch.setattr(live, "microphone_input", lambda *options: (heard, "USB"))
    assert ossicle(monkeypatch, "live", bundle, "--for-s", 1.5) == 3
    err = capfd.readouterr().err
    assert err.count("USB: no sound since second 0.1 of the session") == 1
    assert "1 gap, 0.0 s" not in err


def test_a_project_is_no_bundle_and_its_bundle_is_named(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "."\nannotations = "."\n')
    for stated in (tmp_path, tmp_path / "ossicle.toml"):
        assert ossicle(monkeypatch, "live", stated) == 2
        assert f"has no bundle yet: run `ossicle run {tmp_path}`" in capfd.readouterr().err
    shutil.copytree(bundle, tmp_path / "bundle")
    for words in (["live", tmp_path], ["stream", tmp_path, "a.wav"], ["predict", tmp_path, "a.wav", "-o", "out"]):
        assert ossicle(monkeypatch, *words) == 2
        assert f"is a project and not a bundle; give its bundle: {tmp_path / 'bundle'}" in capfd.readouterr().err


def test_a_recording_replaces_no_lines(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "heard"
    assert ossicle(monkeypatch, "live", bundle, "--record", file, "--sink", f"jsonl:{file}") == 2
    assert "--record and --sink name the same file" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_model_delivers_the_lines_that_wait(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(*arguments: object) -> None:
        raise MemoryError

    def slowly(sink: JsonLinesFile, text: str) -> None:
        time.sleep(0.5)
        deliver(sink, text)

    deliver = JsonLinesFile.deliver
    monkeypatch.setattr(JsonLinesFile, "deliver", slowly)
    monkeypatch.setattr(Session, "_on_stretch", fails)
    with pytest.raises(MemoryError):
        ossicle(monkeypatch, "live", bundle, "--sink", f"jsonl:{tmp_path / 'lines.jsonl'}")
    assert "heartbeat" in (tmp_path / "lines.jsonl").read_text()


def test_a_sink_that_fails_is_told_at_once_and_once(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("--sink", "http://127.0.0.1:1/secret", "--for-s", 1.0, "--heartbeat-s", 0.1)
    assert ossicle(monkeypatch, "live", bundle, *words) == 3
    err = capfd.readouterr().err
    assert err.count("Connection refused; its lines wait, and it is tried again") == 1
    assert "secret" not in err


@pytest.mark.parametrize("library", ["sounddevice", "paho"])
def test_a_missing_library_names_the_extra(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], library: str
) -> None:
    def missing(*options: object, **named: object) -> None:
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    monkeypatch.setattr(live, "open_sinks" if library == "paho" else "input_devices", missing)
    words = (bundle,) if library == "paho" else ("--list-devices",)
    assert ossicle(monkeypatch, "live", *words) == 2
    assert "pip install 'ossicle[live]'" in capfd.readouterr().err
