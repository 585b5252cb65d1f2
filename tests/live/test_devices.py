"""The choice of a device, and messages where it is not possible."""

import sys
from types import ModuleType
from typing import Any

import pytest

from ossicle.core.errors import UsageError
from ossicle.live import portaudio
from ossicle.live.capture import DeviceError
from ossicle.live.clock import SystemClock
from ossicle.live.devices import InputDevice, channels_to_open, choose_device

DEVICES = [
    InputDevice(0, "HDA Intel: ALC257 Analog", "ALSA", 2, 44100),
    InputDevice(2, "USB Audio: one", "ALSA", 1, 48000),
    InputDevice(3, "USB Audio: two", "ALSA", 1, 48000),
    InputDevice(7, "pulse", "ALSA", 32, 44100),
    InputDevice(8, "default", "ALSA", 32, 44100, default=True),
]


@pytest.mark.parametrize(
    ("wanted", "index"), [("", 8), ("2", 2), ("usb audio: TWO", 3), ("hda", 0), ("pulse", 7), ("two", 3)]
)
def test_a_device_is_chosen_by_number_or_part_of_its_name(wanted: str, index: int) -> None:
    assert choose_device(DEVICES, wanted).index == index


def test_an_exact_name_wins_over_parts_of_others() -> None:
    assert choose_device([*DEVICES, InputDevice(9, "pulse monitor", "ALSA", 2, 44100)], "Pulse").index == 7


def test_several_that_fit_are_listed() -> None:
    with pytest.raises(UsageError, match=r"fits 2 input devices.*2 \(USB Audio: one, ALSA\), 3 \(USB"):
        choose_device(DEVICES, "usb")


@pytest.mark.parametrize("wanted", ["1", "99", "bluetooth"])
def test_none_that_fits_lists_all(wanted: str) -> None:
    with pytest.raises(UsageError, match=r"no input device .*0 \(HDA.*8 \(default"):
        choose_device(DEVICES, wanted)


def test_no_device_at_all_has_a_remedy() -> None:
    with pytest.raises(UsageError, match="connect a microphone"):
        choose_device([], "")


@pytest.mark.parametrize(("channel", "opened"), [("mean", 2), ("first", 2), ("1", 2), ("2", 2), ("5", 5)])
def test_channels_to_open(channel: str, opened: int) -> None:
    assert channels_to_open(DEVICES[3], channel) == opened


def test_one_input_is_opened_as_one() -> None:
    assert channels_to_open(DEVICES[1], "mean") == channels_to_open(DEVICES[1], "first") == 1
    with pytest.raises(UsageError, match="has 1 input"):
        channels_to_open(DEVICES[1], "2")
    with pytest.raises(UsageError, match="loudest"):
        channels_to_open(DEVICES[0], "loudest")


class PortAudioError(Exception):
    pass


class Stream:
    """What sounddevice opens."""

    def __init__(self, library: "Library", **options: Any) -> None:
        if options["device"] in library.busy:
            raise PortAudioError("Device unavailable")
        self.options, self.active = options, True
        library.streams.append(self)

    def start(self) -> None:
        pass

    def abort(self, ignore_errors: bool) -> None:
        self.active = False

    def close(self, ignore_errors: bool) -> None:
        self.active = False


class Library(ModuleType):
    """As much of sounddevice as is used."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.names, self.busy, self.streams = ["speaker", "usb mic", "other"], set[int](), list[Stream]()
        self.default = type("Default", (), {"hostapi": 0})

    def _terminate(self) -> None:
        pass

    def _initialize(self) -> None:
        pass

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "ALSA", "default_input_device": 1}]

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "hostapi": 0,
                "max_input_channels": 0 if name == "speaker" else 2,
                "default_samplerate": 44100.0,
            }
            for name in self.names
        ]

    def check_input_settings(self, samplerate: int, **options: Any) -> None:
        if samplerate not in (44100, 48000):
            raise PortAudioError("Invalid sample rate")

    def InputStream(self, **options: Any) -> Stream:
        return Stream(self, **options)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


def test_devices_are_listed_with_rates_and_default(library: Library) -> None:
    first, second = portaudio.input_devices(with_rates=True)
    assert first == InputDevice(1, "usb mic", "ALSA", 2, 44100, (44100, 48000), default=True)
    assert first.facts()["rates"] == [44100, 48000]
    assert not second.default
    with pytest.raises(UsageError, match=r"22050 Hz.*--rate"):
        portaudio.require_rate(first, 22050, 1)
    portaudio.require_rate(first, 48000, 1)


def test_a_microphone_is_found_again_by_its_name_and_its_blocks_have_times(library: Library) -> None:
    microphone = portaudio.input_devices()[0]
    opening = portaudio.microphone(microphone, 48000, 1, 480, SystemClock())
    library.names = ["other", "speaker", "usb mic"]
    got: list[tuple[Any, float, bool]] = []
    source = opening(lambda *block: got.append(block))
    assert library.streams[0].options["device"] == 2
    library.streams[0].options["callback"]("samples", 480, None, type("Status", (), {"input_overflow": True}))
    ((samples, end_s, lost),) = got
    assert (samples, lost) == ("samples", True)
    assert SystemClock().monotonic() - end_s == pytest.approx(0.0, abs=0.5)
    assert source.active
    source.close()
    assert not source.active
    library.names = ["other", "speaker"]
    with pytest.raises(DeviceError, match="usb mic"):
        opening(lambda *block: None)
    library.names, library.busy = ["usb mic"], {0}
    with pytest.raises(DeviceError, match="Device unavailable"):
        opening(lambda *block: None)


def test_a_card_with_another_number_is_the_same_device(library: Library) -> None:
    library.names = ["speaker", "USB Audio: - (hw:1,0)", "HDA: - (hw:0,0)"]
    opening = portaudio.microphone(portaudio.input_devices()[0], 48000, 1, 480, SystemClock())
    library.names = ["HDA: - (hw:0,0)", "speaker", "USB Audio: - (hw:2,0)"]
    opening(lambda *block: None)
    assert library.streams[0].options["device"] == 2
    library.names = ["USB Audio: - (hw:2,0)", "HDA: - (hw:0,0)", "USB Audio: - (hw:3,0)"]
    with pytest.raises(DeviceError, match="USB Audio"):
        opening(lambda *block: None)


def test_a_missing_portaudio_is_named_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(UsageError, match="apt install libportaudio2"):
        portaudio.input_devices()
