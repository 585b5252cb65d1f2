"""The fields of a line of a manifest, as types that msgspec checks while it decodes.

A field that is not listed here is skipped without being decoded. Times are seconds from the start of the recording;
only the context of an event is in milliseconds, as ingesters write it.
"""

from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated

from msgspec import Meta, Struct

from ossicle.core.digest import normal_path
from ossicle.core.text.controls import control_name, first_control

Name = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Length = Annotated[float, Meta(ge=0, le=1e9)]
"""Times in seconds, and context in milliseconds: not negative, and small enough for sums to stay finite."""
Identity = str | int | None
"""Identities are text or whole numbers in manifests of different tools; they are kept as text."""

MISSING_WINDOW_S = 0.5
"""Length of an event that has neither context nor ``duration_seconds``."""


class ContextMs(Struct, gc=False, frozen=True):
    """Milliseconds before and after an onset that belong to the event."""

    pre: Length = 80.0
    post: Length = 200.0


class PlacedComponent(Struct, gc=False):
    """The fields of a component that verification reads."""

    label: Name
    velocity: Share | None = None
    openness: Share | None = None


class PlacedEvent(Struct, gc=False):
    """The fields of an event that place it, and the numbers that can be out of range: what verification reads."""

    source_set: Name
    audio_path: Name
    onset_time: Length
    components: list[PlacedComponent]
    context_ms: ContextMs = ContextMs()
    offset_time: Length | None = None
    duration_seconds: Length | None = None
    negative_example: bool = False


class Component(Struct, gc=False):
    """One sound of an event: its label, how hard and how it was played."""

    label: Name
    velocity: Share | None = None
    dynamic_bucket: str | None = None
    openness: Share | None = None


class Loudness(Struct, gc=False, frozen=True):
    """Integrated loudness in LUFS, and the peak in dB below full scale."""

    LUFS_i: float | None = None
    peak_dbfs: float | None = None


class Event(Struct, gc=False):
    """One event of a manifest with every field that is kept."""

    session_id: Name
    source_set: Name
    audio_path: Name
    onset_time: Length
    components: list[Component]
    context_ms: ContextMs = ContextMs()
    event_id: Identity = None
    offset_time: Length | None = None
    duration_seconds: Length | None = None
    is_synthetic: bool = False
    negative_example: bool = False
    techniques: list[str] | None = None
    sample_id: Identity = None
    drummer_id: Identity = None
    kit_id: Identity = None
    bleed_level: float | str | None = None
    mix_context: str | None = None
    loudness: Loudness | None = None
    split: str | None = None


def name_fault(key: str, name: str) -> str:
    r"""Return what is wrong with a label or another name, or no text.

    >>> name_fault("label", "kick"), name_fault("label", "kick\n")
    ('', "label is 'kick\\n', which contains a line end")
    """
    if (control := first_control(name)) is not None:
        return f"{key} is {name!r}, which contains {control_name(control)}"
    return "" if name.strip() else f"{key} is {name!r}, which is blank"


def path_fault(path: str) -> str:
    r"""Return why a path of a manifest cannot be the path of a recording below a root, or no text.

    A manifest may come from a stranger, so its paths never lead out of the roots that the user names. Backslashes
    count as slashes, as in manifests that were written on Windows.

    >>> path_fault("a/b.wav"), path_fault("a/../../b.wav")
    ('', "audio_path is 'a/../../b.wav', which leads out of its root; write the path below the root")
    """
    if fault := name_fault("audio_path", path):
        return fault
    windows = PureWindowsPath(path)
    if PurePosixPath(path).is_absolute() or windows.drive or windows.root:
        return f"audio_path is {path!r}, which is absolute; write the path below a root, and name the root's folder"
    if ".." in windows.parts:
        return f"audio_path is {path!r}, which leads out of its root; write the path below the root"
    return "" if windows.name else f"audio_path is {path!r}, which names no file"


def recording_path(stated: str) -> str:
    r"""Return a path of a manifest as that of a recording: forward slashes, each once, without ``.``, in Unicode NFC.

    >>> recording_path("a\\.//b.wav")
    'a/b.wav'
    """
    return PurePosixPath(normal_path(stated)).as_posix()


def order_fault(onset_s: float, offset_s: float | None) -> str:
    """Return what is wrong with the times of an event (seconds), or no text.

    >>> order_fault(1.5, 1.25)
    'offset_time 1.25 is before onset_time 1.5'
    """
    if offset_s is None or offset_s >= onset_s:
        return ""
    return f"offset_time {offset_s:g} is before onset_time {onset_s:g}"


def window_s(context: ContextMs, duration_s: float | None) -> float:
    """Return the length of an event's window in seconds: its context, else its duration, else half a second."""
    length_s = (context.pre + context.post) / 1000
    if length_s > 0:
        return length_s
    return MISSING_WINDOW_S if duration_s is None else duration_s
