"""Input devices as values, and the choice of one by number or by a part of its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ossicle.core.errors import UsageError

_MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that can record.

    Parameters
    ----------
    index
        Its number at present; it may change when devices are plugged in.
    name
        Its name, and that of the system's interface that offers it, for example ``ALSA``.
    interface
        The system's interface.
    inputs
        Number of its input channels.
    default_rate
        The sample rate in Hz that it prefers.
    rates
        The usual sample rates in Hz that it accepts.
    default
        Whether the system uses it if nothing is chosen.
    """

    index: int
    name: str
    interface: str
    inputs: int
    default_rate: int
    rates: tuple[int, ...] = ()
    default: bool = False

    def facts(self) -> dict[str, Any]:
        """Return the device as JSON has it."""
        return {
            "index": self.index,
            "name": self.name,
            "interface": self.interface,
            "inputs": self.inputs,
            "default_rate": self.default_rate,
            "rates": list(self.rates),
            "default": self.default,
        }


def choose_device(devices: Sequence[InputDevice], wanted_name: str) -> InputDevice:
    """Return the device that the user means.

    Parameters
    ----------
    devices
        All input devices.
    wanted_name
        The number of a device, its name, or a part of its name (case does not count); empty for the default device.

    Raises
    ------
    UsageError
        No device fits, or several do; the message lists them.

    Examples
    --------
    >>> devices = [InputDevice(0, "USB Audio", "ALSA", 1, 48000), InputDevice(3, "pulse", "ALSA", 32, 44100)]
    >>> choose_device(devices, "usb").index, choose_device(devices, "3").name
    (0, 'pulse')
    """
    if not devices:
        raise UsageError("no input device was found; connect a microphone, or start the sound server")
    if not wanted_name:
        input_devices = [device for device in devices if device.default]
        return _only_device(input_devices or list(devices), devices, "no default input device is set")
    if wanted_name.isascii() and wanted_name.isdecimal():
        input_devices = [device for device in devices if device.index == int(wanted_name)]
        return _only_device(input_devices, devices, f"--device {wanted_name}: no input device has this number")
    part = wanted_name.casefold()
    exact = [device for device in devices if device.name.casefold() == part]
    input_devices = exact or [device for device in devices if part in device.name.casefold()]
    reason = f"fits {len(input_devices)} input devices" if input_devices else "no input device has this in its name"
    return _only_device(input_devices, devices, f"--device {wanted_name!r}: {reason}")


def _only_device(input_devices: Sequence[InputDevice], devices: Sequence[InputDevice], reason: str) -> InputDevice:
    if len(input_devices) == 1:
        return input_devices[0]
    listed = input_devices or devices
    names = ", ".join(
        f"{input_device.index} ({input_device.name}, {input_device.interface})"
        for input_device in listed[:_MOST_LISTED]
    )
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    raise UsageError(f"{reason}; choose one with --device NUMBER: {names}{more}")


def channels_to_open(device: InputDevice, channel: str) -> int:
    """Return how many channels to open so that ``channel`` can be chosen.

    Parameters
    ----------
    device
        The device.
    channel
        ``mean`` (of the first two channels), ``first``, or a number from 1.

    Raises
    ------
    UsageError
        The device has fewer channels, or the choice needs the whole recording.

    Examples
    --------
    >>> pulse = InputDevice(3, "pulse", "ALSA", 32, 44100)
    >>> channels_to_open(pulse, "mean"), channels_to_open(pulse, "4")
    (2, 4)
    """
    if channel == "loudest":
        raise UsageError("which channel is the loudest is not known while listening; give --channel mean, first or N")
    if channel == "mean":
        return min(2, device.inputs)
    # The first of two: a sound server mixes all channels where only one is opened.
    number = 1 if channel == "first" else int(channel)
    if number > device.inputs:
        raise UsageError(f"--channel {channel}: {device.name!r} has {device.inputs} input channels; choose one of them")
    return min(device.inputs, max(2, number))
