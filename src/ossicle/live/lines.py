"""Lines as JSON objects: events, gaps, heartbeats."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ossicle.core.tracks import Event

Line = dict[str, Any]
"""One line: what ``json.dumps`` takes."""


def event_line(event: Event, decided_at_s: float) -> Line:
    """Return the line of an event, as ``ossicle stream`` prints it.

    >>> event_line(Event(1.0, 1.25, "call", 0.9), 1.5)
    {'start_s': 1.0, 'end_s': 1.25, 'label': 'call', 'score': 0.9, 'decided_at_s': 1.5}
    """
    return {
        "start_s": round(event.start_s, 6),
        "end_s": round(event.end_s, 6),
        "label": event.label,
        "score": round(event.score, 6),
        "decided_at_s": round(decided_at_s, 6),
    }


def gap_line(reason: str, start_s: float, end_s: float | None, wall_s: float) -> Line:
    """Return the line of a gap; ``end_s`` is None while it lasts, and ``wall_s`` is when it began."""
    return {
        "gap": reason,
        "start_s": round(start_s, 6),
        "end_s": None if end_s is None else round(end_s, 6),
        "time": time_of_day(wall_s),
    }


def heartbeat_line(heard_s: float, wall_s: float, states: Mapping[str, str], figures: Mapping[str, Any]) -> Line:
    """Return the line that says that the session lives: seconds heard, states if there are any, and figures."""
    line = {"heartbeat": round(heard_s, 3), "time": time_of_day(wall_s), **figures}
    return {**line, "states": dict(states)} if states else line


def time_of_day(wall_s: float) -> str:
    """Return seconds since 1970 as ISO 8601 text in UTC, to the millisecond.

    >>> time_of_day(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
