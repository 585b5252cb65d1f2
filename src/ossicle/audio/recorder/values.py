"""The values that recorder metadata give, and how their texts are read."""

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ossicle.core.text.controls import is_control

_LONGEST = 100
_NUMBER = re.compile(r"[-+]?\d{1,6}(?:\.\d{1,12})?(?![\d.eE])")
_COLDEST, _HOTTEST = -90.0, 90.0
_MOST_EXPANSION = 1000.0


@dataclass(frozen=True, slots=True)
class RecorderMetadata:
    """What a recorder says about a recording; None where it says nothing.

    Parameters
    ----------
    start
        Start of the recording; without a zone it is the local time of the recorder.
    site
        Name of the place, station or recorder prefix.
    latitude, longitude
        Degrees, north and east.
    temperature_c
        Temperature at the recorder in degrees Celsius.
    time_expansion
        How many times slower the file is than the sound was.
    recorder
        Model or serial number.
    """

    start: datetime | None = None
    site: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    temperature_c: float | None = None
    time_expansion: float | None = None
    recorder: str | None = None

    @property
    def known(self) -> dict[str, Any]:
        """The values that are stated, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


def clean_text(text: str) -> str | None:
    """Return a text from a file without controls and outer blanks, at most 100 characters; None if nothing is left.

    >>> clean_text(" Wood 3\\x00\\n"), clean_text(" ")
    ('Wood 3', None)
    """
    cleaned = "".join(" " if is_control(character) else character for character in text[: 4 * _LONGEST])
    return " ".join(cleaned.split())[:_LONGEST].strip() or None


def number_of(text: str, low: float, high: float) -> float | None:
    """Return the number at the start of a text if it lies in [low, high].

    >>> number_of("21.3C", -90, 90), number_of("none", 0, 1)
    (21.3, None)
    """
    match = _NUMBER.match(text[:_LONGEST].strip())
    value = float(match.group()) if match else None
    return value if value is not None and low <= value <= high else None


def temperature_of(text: str) -> float | None:
    """Return a temperature in degrees Celsius."""
    return number_of(text, _COLDEST, _HOTTEST)


def expansion_of(text: str) -> float | None:
    """Return a time expansion; 0, which some programs write, says nothing."""
    value = number_of(text, 0.0, _MOST_EXPANSION)
    return value or None


def position_of(latitude: str, longitude: str) -> dict[str, float]:
    """Return latitude and longitude in degrees, or nothing if one of them is none."""
    north, east = number_of(latitude, -90, 90), number_of(longitude, -180, 180)
    return {} if north is None or east is None else {"latitude": north, "longitude": east}


def time_of(text: str) -> datetime | None:
    """Return a time in ISO 8601; None for anything else.

    >>> time_of("2026-06-08T22:00:00.500+02:00").isoformat()
    '2026-06-08T22:00:00.500000+02:00'
    """
    try:
        return datetime.fromisoformat(text.strip()[:40])
    except ValueError:
        return None
