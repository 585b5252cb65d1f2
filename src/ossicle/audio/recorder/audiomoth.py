"""The comment that AudioMoth and HydroMoth write into a WAV file, in all wordings of their firmware."""

import re
from datetime import datetime, timedelta, timezone

from ossicle.audio.recorder.values import RecorderMetadata, clean_text, temperature_of

_START = re.compile(
    r"Recorded at (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.\d+)? "
    r"(?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d{4})"
    r" \(UTC(?:(?P<sign>[+-])(?P<zone_h>\d{1,2})(?::?(?P<zone_m>\d\d))?)?\)"
)
_DEVICE = re.compile(r"(?:AudioMoth|HydroMoth) (?P<serial>[0-9A-F]{16})")
_DEPLOYMENT = re.compile(r"during deployment (?P<site>[0-9A-F]{16})")
_TEMPERATURE = re.compile(r"temperature was (?P<degrees>-?\d+(?:\.\d+)?) ?C")


def read_comment(content: bytes) -> RecorderMetadata:
    """Return what the comment of an AudioMoth says; nothing for other comments."""
    text = content.decode("utf-8", "replace")[:1000]
    start = _START.search(text)
    if start is None:
        return RecorderMetadata()
    device, deployment, temperature = _DEVICE.search(text), _DEPLOYMENT.search(text), _TEMPERATURE.search(text)
    return RecorderMetadata(
        start=_time(start),
        site=None if deployment is None else clean_text(deployment["site"]),
        temperature_c=None if temperature is None else temperature_of(temperature["degrees"]),
        recorder=None if device is None else clean_text(f"AudioMoth {device['serial']}"),
    )


def _time(match: re.Match[str]) -> datetime | None:
    offset = timedelta(hours=int(match["zone_h"] or 0), minutes=int(match["zone_m"] or 0))
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    hour, minute, second = (int(match[part]) for part in ("hour", "minute", "second"))
    try:
        zone = timezone(-offset if match["sign"] == "-" else offset)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
