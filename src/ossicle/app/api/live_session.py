"""A live session of a bundle: its device, timing and sinks put together, as ``ossicle live`` runs it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ossicle.app.api.bundles.loaded_bundle import LoadedBundle
from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.artefacts.filesystem.links import settled_above
from ossicle.core.errors import UsageError
from ossicle.core.time import to_samples
from ossicle.live.capture import Capture, CaptureTiming, OpenSource
from ossicle.live.clock import Clock, SystemClock
from ossicle.live.devices import channels_to_open, choose_device
from ossicle.live.label_log import LabelLog
from ossicle.live.portaudio import input_devices, microphone, require_rate
from ossicle.live.recording import Recording
from ossicle.live.session import Engine, Session, SessionOptions
from ossicle.live.sinks.addresses import SinkAddress
from ossicle.live.sinks.fan_out import FanOut
from ossicle.live.sinks.json_lines import JsonLinesFile
from ossicle.live.sinks.queue import MOST_LINES, SinkQueue
from ossicle.live.sinks.sink import Sink
from ossicle.live.sinks.standard_output import StandardOutput
from ossicle.live.sinks.webhook import Webhook

MQTT_USER, MQTT_PASSWORD, HTTP_TOKEN = "OSSICLE_MQTT_USER", "OSSICLE_MQTT_PASSWORD", "OSSICLE_HTTP_TOKEN"
"""The environment variables of secrets: they are in no command line and in no output."""

_SHORTEST_HOP_S, _LONGEST_HOP_S = 0.1, 0.5
_BLOCKS_A_HOP = 4
_LONGEST_BLOCK_S = 0.1
# A gap must be reported within two hops.
_SILENT_HOPS = 1.5


@dataclass(frozen=True, slots=True)
class LiveTiming:
    """How often a live session looks at its sound, from the hop of the model.

    Parameters
    ----------
    step_s
        Seconds from one result of the model to the next.

    Examples
    --------
    >>> LiveTiming(0.25).silent_s, LiveTiming(10.0).hop_s, LiveTiming(0.25).block_s
    (0.375, 0.5, 0.0625)
    """

    step_s: float

    @property
    def hop_s(self) -> float:
        """The step, between 0.1 and 0.5 s."""
        return min(_LONGEST_HOP_S, max(_SHORTEST_HOP_S, self.step_s))

    @property
    def block_s(self) -> float:
        """Seconds of sound that the device delivers at a time."""
        return min(_LONGEST_BLOCK_S, self.hop_s / _BLOCKS_A_HOP)

    @property
    def silent_s(self) -> float:
        """Seconds without sound after which a gap is reported."""
        return _SILENT_HOPS * self.hop_s


@dataclass(frozen=True, slots=True)
class LiveInput:
    """What is listened to.

    Parameters
    ----------
    open_source
        Opens the device.
    rate
        Its sample rate in Hz.
    timing
        How often its sound is looked at.
    buffer_s
        Seconds that the engine may fall behind.
    clock
        The clocks.
    """

    open_source: OpenSource
    rate: int
    timing: LiveTiming
    buffer_s: float = 10.0
    clock: Clock = field(default_factory=SystemClock)


def timing_of(bundle: LoadedBundle) -> LiveTiming:
    """Return the timing that fits a bundle."""
    plan = bundle.predictor.plan
    return LiveTiming(plan.core_samples / plan.rate)


def live_session(
    bundle: LoadedBundle,
    heard: LiveInput,
    sinks: FanOut,
    recording: Recording | None = None,
    options: SessionOptions = SessionOptions(),
) -> Session:
    """Put a session together.

    Parameters
    ----------
    bundle
        The bundle that detects.
    heard
        The device.
    sinks
        Where lines go.
    recording
        Where samples are kept.
    options
        Channel and heartbeat.

    Raises
    ------
    UsageError
        The bundle needs whole recordings.
    """
    start_engine = engine_starter(bundle, heard.rate)
    # Before the device is opened: a bundle that cannot stream is an error of the command, and what is loaded with the
    # first chunk, which takes a second, must not make the first sound late.
    _warm_up(start_engine(), bundle)
    if bundle.gives_states:
        options = replace(options, priority=bundle.states.decision.priority)
    timing = CaptureTiming(heard.timing.silent_s, buffer_s=heard.buffer_s)
    capture = Capture(heard.open_source, heard.rate, heard.clock, timing)
    log = LabelLog(list(bundle.labels))
    return Session(capture, start_engine, heard.rate, sinks, log, heard.clock, recording, options)


def _warm_up(engine: Engine, bundle: LoadedBundle) -> None:
    """Feed a chunk of silence to an engine that is not used further."""
    plan = bundle.predictor.plan
    engine.feed(np.zeros(to_samples((plan.chunk_samples + plan.core_samples) / plan.rate, engine.rate), np.float32))
    engine.finish()


def engine_starter(bundle: LoadedBundle, rate: int) -> Callable[[], Engine]:
    """Return a function that starts a stream of events or of states, whichever the bundle gives."""
    if bundle.gives_states:
        states = bundle.states
        return lambda: states.stream(rate)
    if bundle.whole_recordings:
        raise UsageError(f"{bundle.folder}: decides on whole recordings, so nothing would be found before the end")
    return lambda: bundle.stream(rate)


def open_sinks(
    addresses: Sequence[SinkAddress], most_lines: int = MOST_LINES, environment: Mapping[str, str] = os.environ
) -> FanOut:
    """Open sinks, each behind a queue and a thread of its own.

    Parameters
    ----------
    addresses
        The sinks.
    most_lines
        Lines that may wait for each.
    environment
        Where secrets come from.

    Raises
    ------
    OssicleError, OSError
        A file cannot be written.
    ModuleNotFoundError
        paho-mqtt is not installed (the extra ``live``).
    """
    return FanOut([SinkQueue(sink, most_lines) for sink in [_open(address, environment) for address in addresses]])


def _open(address: SinkAddress, environment: Mapping[str, str]) -> Sink:
    if address.kind == "stdout":
        return StandardOutput()
    if address.kind == "jsonl":
        return JsonLinesFile(settled_above(Path(address.target), PROJECT_FILE))
    if address.kind == "webhook":
        return Webhook(address.target, environment.get(HTTP_TOKEN, ""))
    from ossicle.live.sinks.mqtt import MqttBroker

    user, password = environment.get(MQTT_USER, ""), environment.get(MQTT_PASSWORD, "")
    return MqttBroker(address.host, address.port, address.target, user, password, tls=address.tls)


def microphone_input(
    bundle: LoadedBundle, device: str, rate: int, channel: str, buffer_s: float = 10.0
) -> tuple[LiveInput, str]:
    """Choose a device, and check that it can record what the bundle needs.

    Parameters
    ----------
    bundle
        The bundle.
    device
        Number, or part of the name of the device; empty for the default.
    rate
        Sample rate in Hz; 0 for the one that the device prefers.
    channel
        The channel to hear.
    buffer_s
        Seconds that the engine may fall behind.

    Returns
    -------
    The input, and the name of the device.

    Raises
    ------
    UsageError
        PortAudio is missing, no or several devices fit, or the device lacks the channel or the rate.
    """
    chosen = choose_device(input_devices(), device)
    channels, rate = channels_to_open(chosen, channel), rate or chosen.default_rate
    require_rate(chosen, rate, channels)
    timing, clock = timing_of(bundle), SystemClock()
    block_samples = max(1, to_samples(timing.block_s, rate))
    source = microphone(chosen, rate, channels, block_samples, clock)
    return LiveInput(source, rate, timing, buffer_s, clock), chosen.name
