"""Read a table of events in the format that it is recognised as."""

from pathlib import Path

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import ReadOptions, guess


def events(path: Path, options: ReadOptions | None = None) -> EventTable:
    known = guess(path, options)
    assert known is not None
    assert known.read is not None
    result = known.read(path, options or ReadOptions())
    assert isinstance(result, EventTable), known.name
    return result


def events_or_refusal(path: Path, options: ReadOptions | None = None) -> EventTable | str:
    """The events, or the message of the refusal."""
    try:
        return events(path, options)
    except FormatError as problem:
        return str(problem)
