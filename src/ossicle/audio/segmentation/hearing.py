"""How the recordings of a project are heard before they become frames: the channel, and how they are cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from ossicle.audio.segmentation.settings import SILENCES, TABLE, SegmentSettings
from ossicle.core.model_input.channel import MEAN, channel_name
from ossicle.core.settings import digestible
from ossicle.core.value_checks import number_fault, raise_first

_KEYS = frozenset({"channel", "segments"})


@dataclass(frozen=True, slots=True)
class Hearing:
    """The channel and the segments of a project.

    Attributes
    ----------
    channel
        As in :mod:`ossicle.core.model_input.channel`.
    segments
        How recordings are cut; the path of a table of segments is not kept.
    """

    channel: str = MEAN
    segments: SegmentSettings = field(default_factory=SegmentSettings)

    @property
    def at_silences(self) -> SegmentSettings:
        """The settings for recordings without a table of segments: cut at silences, by the same levels."""
        return replace(self.segments, by=SILENCES, table="")

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads."""
        return {"channel": self.channel, "segments": digestible(self.segments)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote; nothing in it is trusted.

        Raises
        ------
        ValueError
            A key is unknown, or a value is none that the setting can have.

        Examples
        --------
        >>> Hearing.from_json(Hearing("first").to_json()) == Hearing("first")
        True
        """
        if not isinstance(value, Mapping) or set(value) != _KEYS or not isinstance(value["segments"], Mapping):
            raise ValueError(f"heard = {value!r} is not a channel and the settings of segments")
        known = {value.name: value.default for value in fields(SegmentSettings)}
        settings = dict(value["segments"])
        for key, spec in settings.items():
            if key not in known:
                raise ValueError(f"heard.segments: {key!r} is no setting of segments")
            if isinstance(known[key], float):
                raise_first("heard.segments", number_fault(key, spec))
            elif type(spec) is not type(known[key]):
                raise ValueError(f"heard.segments: {key} = {spec!r} is not a {type(known[key]).__name__}")
        # A table of segments lies beside the project, not beside the quantiser.
        settings["table"] = "a table" if settings.get("by") == TABLE else ""
        return cls(channel_name(value["channel"]), SegmentSettings(**settings))
