"""Devices through PortAudio: the only module that imports sounddevice.

ALSA and PortAudio print about devices that are not there, or not any more; this is kept off the terminal.
"""

import re
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.readers.c_messages import no_c_messages
from ossicle.core.errors import UsageError
from ossicle.live.capture import DeviceError, OpenSource, Receive, Source
from ossicle.live.clock import Clock
from ossicle.live.devices import InputDevice, choose_device

# As in "USB Audio Device: - (hw:1,0)".
_CARD = re.compile(r"\s*\(hw:\d+,\d+\)$")
_USUAL_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 192000)


def input_devices(*, with_rates: bool = False) -> list[InputDevice]:
    """Return the devices that can record, as they are now.

    Parameters
    ----------
    with_rates
        Whether to try the usual sample rates on each, which takes a moment.

    Raises
    ------
    UsageError
        PortAudio is not installed.
    ModuleNotFoundError
        sounddevice is not installed (the extra ``live``).
    """
    library = _library()
    with no_c_messages():
        # PortAudio lists devices once, when it starts.
        library._terminate()
        library._initialize()
        interfaces = library.query_hostapis()
        default = interfaces[library.default.hostapi]["default_input_device"] if interfaces else -1
        return [
            InputDevice(
                index,
                str(device["name"]),
                str(interfaces[device["hostapi"]]["name"]),
                int(device["max_input_channels"]),
                round(device["default_samplerate"]),
                _rates(library, index) if with_rates else (),
                index == default,
            )
            for index, device in enumerate(library.query_devices())
            if device["max_input_channels"] > 0
        ]


def microphone(device: InputDevice, rate: int, channels: int, block_samples: int, clock: Clock) -> OpenSource:
    """Return a function that opens a device, found again by its name each time.

    Parameters
    ----------
    device
        The device.
    rate, channels
        Sample rate in Hz and number of channels.
    block_samples
        Samples per callback.
    clock
        The clock that gives blocks their time.
    """

    def open_source(receive: Receive) -> Source:
        library = _library()
        with no_c_messages():
            try:
                input_device = _again(device)
                return _Microphone(library, input_device.index, rate, channels, block_samples, clock, receive)
            except (library.PortAudioError, UsageError) as error:
                raise DeviceError(f"{device.name}: {error}") from None

    return open_source


def require_rate(device: InputDevice, rate: int, channels: int) -> None:
    """Raise UsageError if a device cannot record at a rate."""
    library = _library()
    with no_c_messages():
        try:
            library.check_input_settings(device=device.index, channels=channels, samplerate=rate, dtype="float32")
        except library.PortAudioError as error:
            raise UsageError(
                f"{device.name!r} does not record {channels} channels at {rate} Hz ({error}); see --list-devices "
                "for its rates, and give one with --rate"
            ) from None


class _Microphone:
    """An open input stream of PortAudio."""

    def __init__(
        self,
        library: ModuleType,
        index: int,
        rate: int,
        channels: int,
        block_samples: int,
        clock: Clock,
        receive: Receive,
    ) -> None:
        self._library = library

        def callback(samples: NDArray[np.float32], n_samples: int, times: Any, status: Any) -> None:
            # PortAudio's own time of the first sample is off by up to a second behind a sound server.
            receive(samples, clock.monotonic(), bool(status.input_overflow))

        self._stream = library.InputStream(
            device=index,
            samplerate=rate,
            channels=channels,
            blocksize=block_samples,
            dtype="float32",
            latency="high",
            callback=callback,
        )
        try:
            self._stream.start()
        except library.PortAudioError:
            self._stream.close(ignore_errors=True)
            raise
        # PortAudio's own thread prints where a device vanishes; a gap says the same.
        self._silence = ExitStack()
        self._silence.enter_context(no_c_messages())

    @property
    def active(self) -> bool:
        """Whether the stream runs."""
        try:
            return bool(self._stream.active)
        except self._library.PortAudioError:
            return False

    def close(self) -> None:
        """Stop the stream at once."""
        with self._silence:
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)


def _library() -> ModuleType:
    try:
        # It cannot be imported where PortAudio is missing.
        with no_c_messages():
            import sounddevice
    except OSError as error:
        raise UsageError(
            f"sounddevice finds no PortAudio ({error}); install it: apt install libportaudio2 (Debian, Ubuntu), "
            "dnf install portaudio (Fedora), brew install portaudio (macOS)"
        ) from None
    library: ModuleType = sounddevice
    return library


def _again(device: InputDevice) -> InputDevice:
    """Return a device as PortAudio lists it now: by interface and name, and by its number if several have the name."""
    devices = [input_device for input_device in input_devices() if input_device.interface == device.interface]
    same = [input_device for input_device in devices if input_device.name == device.name]
    same = same or [
        input_device for input_device in devices if _without_card(input_device.name) == _without_card(device.name)
    ]
    if len(same) == 1:
        return same[0]
    return next((input_device for input_device in same if input_device.index == device.index), None) or choose_device(
        same or devices, device.name
    )


def _without_card(name: str) -> str:
    """Return a name without the numbers of its card, which may be others once it is plugged in again."""
    return _CARD.sub("", name)


def _rates(library: ModuleType, index: int) -> tuple[int, ...]:
    def accepts(rate: int) -> bool:
        try:
            library.check_input_settings(device=index, samplerate=rate, dtype="float32")
        except library.PortAudioError:
            return False
        return True

    return tuple(filter(accepts, _USUAL_RATES))
