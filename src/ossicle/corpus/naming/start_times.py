"""The start of a recording from its name, as recorders and recording programs write it.

A time zone in the name is kept (``+1000``, ``Z``). Names that hold only a date, or a number that may be a counter as
well as a time (``180101_0001``), give no start: none is better than a wrong one.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

# A fraction of a second counts only in front of a zone; otherwise what follows a dot belongs to the name.
_ZONE = (
    r"(?:(?:[._,](?P<fraction>\d{1,6}))?[_ ]?"
    r"(?:(?P<utc>[Zz])(?![A-Za-z0-9])|(?P<sign>[-+])(?P<zone_h>0\d|1[0-4]):?(?P<zone_m>00|15|30|45)(?![\d.])))?"
)
_BETWEEN = r"(?:[-_ .$]{0,2}[Tt]?|[-_]birdnet[-_](?:RTSP_\d+[-_])?)"
_CLOCK = r"(?P<hour>[01]\d|2[0-3])(?P<mark>[-_:.h]?)(?P<minute>[0-5]\d)"

_FORMS = (
    # 20200101_050000, 2020-01-01T05:00:00.000Z, 20200101T050000+1000, 2020-01-01-birdnet-05:00:00, 20200101$050000
    rf"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<dash>[-_.]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d){_BETWEEN}"
    rf"{_CLOCK}(?:(?P=mark)|(?<=[hH]\d\d)m)(?P<second>[0-5]\d)(?!\d){_ZONE}",
    # site-2015-12-07_07-50, 20200101T0500Z: without seconds a mark or a T shows that it is a time.
    rf"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<dash>[-_.])(?P<month>\d\d)(?P=dash)(?P<day>\d\d)[-_ T]"
    rf"(?P<hour>[01]\d|2[0-3])(?P<mark>[-:.h])(?P<minute>[0-5]\d)(?![-:.\d]\d|\d){_ZONE}",
    rf"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<dash>)(?P<month>\d\d)(?P<day>\d\d)T{_CLOCK}(?!\d){_ZONE}",
    # 5678.200101050000: the serial number of a SoundTrap, and two digits of the year.
    rf"(?<![\d.])\d{{3,10}}\.(?P<year>[0-3]\d)(?P<month>\d\d)(?P<day>\d\d)"
    rf"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?!\d){_ZONE}",
    # 200531-060102: Zoom and HARP.
    rf"(?<!\d)(?P<year>[0-3]\d)(?P<month>\d\d)(?P<day>\d\d)[-_]"
    rf"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?!\d){_ZONE}",
)
_PATTERNS = tuple(re.compile(form) for form in _FORMS)
# The first AudioMoths named a recording after the seconds since 1970 in hexadecimal.
_HEXADECIMAL = re.compile(r"(?=[0-9A-F]*[A-F])[0-9A-F]{8}")
_AUDIOMOTH_YEARS = range(2015, 2040)


def start_time_of(stem: str) -> str | None:
    """Return the start of a recording as ISO 8601, with the zone that its name states; None if it states no start.

    Parameters
    ----------
    stem
        The file name without its suffix.

    Examples
    --------
    >>> start_time_of("siteD_20250613_052100.23_tape"), start_time_of("20200814T060000+1000_REC")
    ('2025-06-13T05:21:00', '2020-08-14T06:00:00+10:00')
    """
    if _HEXADECIMAL.fullmatch(stem):
        start = datetime.fromtimestamp(int(stem, 16), UTC)
        return start.isoformat() if start.year in _AUDIOMOTH_YEARS else None
    return next((start.isoformat() for pattern in _PATTERNS for start in _starts(pattern, stem)), None)


def _starts(pattern: re.Pattern[str], stem: str) -> Iterator[datetime]:
    """Yield the times of a form in a name."""
    position = 0
    while (match := pattern.search(stem, position)) is not None:
        start = _start(match.groupdict())
        if start is not None:
            yield start
        position = match.start() + 1


def _start(groups: dict[str, str | None]) -> datetime | None:
    """Return the time of a match; None for digits that are no date, such as a serial number."""
    year, month, day, hour, minute = (int(groups[part] or 0) for part in ("year", "month", "day", "hour", "minute"))
    second, fraction = int(groups.get("second") or 0), int((groups["fraction"] or "0").ljust(6, "0"))
    try:
        return datetime(year + 2000 * (year < 100), month, day, hour, minute, second, fraction, _zone(groups))
    except ValueError:
        return None


def _zone(groups: dict[str, str | None]) -> timezone | None:
    if groups["utc"]:
        return UTC
    if not groups["sign"]:
        return None
    offset = timedelta(hours=int(groups["zone_h"] or 0), minutes=int(groups["zone_m"] or 0))
    return timezone(-offset if groups["sign"] == "-" else offset)
