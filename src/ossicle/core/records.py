"""Recordings, annotations and clips: the values that every other package uses.

Recordings and annotations validate themselves when they are created, so a value that exists is valid. Hundreds of
thousands of them are created, so valid values cost one comparison of all fields; only a failed comparison looks for the
wrong field.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar, get_args

from ossicle.core.value_checks import (
    INFINITY,
    count_fault,
    number_fault,
    order_fault,
    raise_first,
    text_fault,
    times_fault,
)

Status = Literal["ok", "partial", "silent", "left_out"]
Role = Literal["target", "noise", "window", "pseudo"]

_STATUSES: tuple[str, ...] = get_args(Status)
_CLEAR = ("ok", "silent")


@dataclass(frozen=True, slots=True)
class Recording:
    """One audio file below a named root.

    Parameters
    ----------
    id
        Identifier, made of root and path; not empty.
    root, path
        Name of the root, and the path of the file below it with forward slashes; the path is not empty.
    rate
        The file's own sample rate in Hz; 0 only for a file that is ``left_out``.
    channels
        Number of channels; 0 only for a file that is ``left_out``.
    n_samples
        Samples per channel at ``rate``, at least 0.
    digest
        SHA-256 of the file's content.
    reviewed
        Whether somebody annotated it. With no annotations it is then *reviewed empty*.
    status, reason
        ``ok``, ``silent``, ``partial`` (the recording ends where decoding ends) or ``left_out``; the last two come
        with a reason.
    fields
        What is known about the recording by name: site, tape, speaker, start time.

    Raises
    ------
    ValueError
        Naming the field and the value, for an empty id or path, a count that is too small, an unknown status, or a
        reason that is missing.

    Examples
    --------
    >>> tape = Recording("a1", "tapes", "night/tape.wav", rate=48000, channels=2, n_samples=72000, digest="")
    >>> tape.duration_s
    1.5
    """

    id: str
    root: str
    path: str
    rate: int
    channels: int
    n_samples: int
    digest: str
    reviewed: bool = False
    status: Status = "ok"
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        least = 0 if self.status == "left_out" else 1
        try:
            if (
                self.id > ""
                and self.path > ""
                and type(self.rate) is type(self.channels) is type(self.n_samples) is int
                and self.rate >= least
                and self.channels >= least
                and self.n_samples >= 0
                and (self.status in _CLEAR or (self.status in _STATUSES and self.reason > ""))
            ):
                return
        except TypeError:
            pass
        raise_first(
            "Recording",
            text_fault("id", self.id),
            text_fault("path", self.path),
            count_fault("rate", self.rate, least),
            count_fault("channels", self.channels, least),
            count_fault("n_samples", self.n_samples, 0),
            "" if self.status in _STATUSES else f"status = {self.status!r} is not one of: {', '.join(_STATUSES)}",
            text_fault("reason", self.reason)
            and f"reason = {self.reason!r} must say why the status is {self.status!r}",
        )

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.rate if self.rate else 0.0


@dataclass(frozen=True, slots=True)
class Annotation:
    """A timed label on a recording.

    Parameters
    ----------
    recording_id
        The recording that it lies in; not empty.
    start_s, end_s
        Seconds from the start of the recording, ``0 <= start_s <= end_s``.
    label
        What is heard; not empty.
    low_hz, high_hz
        Frequency range in Hz where known, ``0 <= low_hz <= high_hz``.
    quality
        Quality of the call where graded, by custom 1 (best) to 4.
    confidence
        How sure its source is, where it says so; any finite number.
    provenance
        Where it comes from: ``annotated``, or the name of a step that made it.

    Raises
    ------
    ValueError
        Naming the field and the value, for times or frequencies that are negative, not finite or in the wrong order,
        and for an empty label or recording.

    Examples
    --------
    >>> Annotation("a1", 1.0, 1.25, "call").label
    'call'
    >>> Annotation("a1", 2.0, 1.0, "call")
    Traceback (most recent call last):
    ValueError: Annotation: start_s = 2.0 is after end_s = 1.0
    """

    recording_id: str
    start_s: float
    end_s: float
    label: str
    low_hz: float | None = None
    high_hz: float | None = None
    quality: int | None = None
    confidence: float | None = None
    provenance: str = "annotated"

    def __post_init__(self) -> None:
        try:
            if (
                0.0 <= self.start_s <= self.end_s < INFINITY
                and self.label > ""
                and self.recording_id > ""
                and (self.low_hz is None or 0.0 <= self.low_hz < INFINITY)
                and (self.high_hz is None or (self.low_hz or 0.0) <= self.high_hz < INFINITY)
                and (self.confidence is None or -INFINITY < self.confidence < INFINITY)
            ):
                return
        except TypeError:
            pass
        raise_first(
            "Annotation",
            times_fault(self.start_s, self.end_s),
            text_fault("label", self.label),
            text_fault("recording_id", self.recording_id),
            *("" if value is None else number_fault(name, value, least) for name, value, least in self._figures),
            order_fault("low_hz", self.low_hz, "is above", "high_hz", self.high_hz),
        )

    @property
    def _figures(self) -> tuple[tuple[str, float | None, float], ...]:
        """Return the figures that may be unknown: name, value and the smallest allowed value."""
        bands = (("low_hz", self.low_hz, 0.0), ("high_hz", self.high_hz, 0.0))
        return (*bands, ("confidence", self.confidence, -INFINITY))


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a recording with its role, fold and weight; its targets follow from the annotations in it.

    ``fold`` is the cross-validation fold in which the clip is held out.
    """

    recording_id: str
    start_s: float
    end_s: float
    role: Role
    fold: int
    group: str
    label: str = ""
    weight: float = 1.0


class _HasLabel(Protocol):
    @property
    def label(self) -> str: ...


_One = TypeVar("_One")
_Labelled = TypeVar("_Labelled", bound=_HasLabel)
_Key = TypeVar("_Key", bound=Hashable)


def grouped(records: Iterable[_One], key: Callable[[_One], _Key]) -> dict[_Key, list[_One]]:
    """Return records by a key, each list in the given order.

    >>> grouped(["wren", "robin", "rook"], lambda name: name[0])
    {'w': ['wren'], 'r': ['robin', 'rook']}
    """
    groups: dict[_Key, list[_One]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def by_label(items: Iterable[_Labelled]) -> dict[str, list[_Labelled]]:
    """Return annotations, events or candidates by label, each list in the given order."""
    return grouped(items, lambda item: item.label)
