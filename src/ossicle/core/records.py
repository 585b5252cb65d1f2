"""Recordings, annotations and clips: the values every other package speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["ok", "partial", "silent", "left_out"]
Role = Literal["target", "noise", "window", "pseudo"]


@dataclass(frozen=True, slots=True)
class Recording:
    """One audio file below a named root.

    ``n_samples`` counts samples per channel at the file's own ``rate`` (Hz); ``duration_s`` is their quotient.
    ``status`` other than ``ok`` comes with a ``reason``; a ``partial`` recording ends where decoding ends.
    ``reviewed`` says that somebody annotated it: with no annotations it is then *reviewed empty*.
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

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.rate if self.rate else 0.0


@dataclass(frozen=True, slots=True)
class Annotation:
    """A timed label on a recording: ``start_s <= end_s`` in seconds, frequencies in Hz where known."""

    recording_id: str
    start_s: float
    end_s: float
    label: str
    low_hz: float | None = None
    high_hz: float | None = None
    quality: int | None = None
    confidence: float | None = None
    provenance: str = "annotated"


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
