"""Lines of a manifest to events, with the number and the fault of every bad line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from ossicle.core.errors import FormatError
from ossicle.corpus.manifest.byte_blocks import MOST_LINE_BYTES
from ossicle.corpus.manifest.event_fields import Event, PlacedEvent

One = TypeVar("One", Event, PlacedEvent)

MOST_BAD_LINES = 20
"""How many bad lines are named; all are counted."""
_MALFORMED = re.compile(r"JSON is malformed: (.*) \(byte (\d+)\)")
_WRONG = re.compile(r"(.*) - at `\$\.?(.*)`")
_MOST_SHOWN = 40
_WORDS = tuple(
    (re.compile(pattern), description)
    for pattern, description in (
        (r"Object missing required field", "lacks"),
        (r"`float`|`int`", "a number"),
        (r"`str` of length >= 1", "text of at least 1 character"),
        (r"`str`", "text"),
        (r"`bool`", "true or false"),
        (r"`object`", "an object"),
        (r"`array`", "a list"),
        (r"`null`", "null"),
        (r" >= ([0-9]+)(\.0)?", r" of at least \1"),
        (r" <= ([0-9]+)(\.0)?", r" of at most \1"),
        (r"(\w) \| ", r"\1 or "),
    )
)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event: its number, from 1, and what is wrong with it."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded(Generic[One]):
    """Events with the numbers of their lines, bad lines, and the number of lines, blank ones included."""

    numbers: Sequence[int]
    events: list[One]
    bad: list[BadLine]
    n_lines: int


def decode(decoder: msgspec.json.Decoder[One], chunk: bytes | None, first: int) -> Decoded[One]:
    """Decode a chunk of whole lines (:func:`ossicle.corpus.manifest.byte_blocks.line_chunks`).

    Blank lines are no events, and a carriage return at the end of a line does not count.

    Parameters
    ----------
    decoder
        Decoder of the fields to read.
    chunk
        Whole lines; None for one line that is too long.
    first
        Number of the first line.
    """
    if chunk is None:
        return Decoded((), [], [BadLine(first, f"longer than {MOST_LINE_BYTES >> 20} MiB")], 1)
    n_lines = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
    try:
        events = decoder.decode_lines(chunk)
    except (msgspec.MsgspecError, RecursionError):
        events = []
    if len(events) == n_lines:
        return Decoded(range(first, first + n_lines), events, [], n_lines)
    return _line_by_line(decoder, chunk, first, n_lines)


def _line_by_line(decoder: msgspec.json.Decoder[One], chunk: bytes, first: int, n_lines: int) -> Decoded[One]:
    numbers: list[int] = []
    events: list[One] = []
    bad: list[BadLine] = []
    for number, line in enumerate(chunk.split(b"\n"), start=first):
        if not line.strip():
            continue
        try:
            events.append(decoder.decode(line))
            numbers.append(number)
        except (msgspec.MsgspecError, RecursionError) as error:
            bad.append(BadLine(number, _reason(error, line)))
    return Decoded(numbers, events, bad, n_lines)


def _reason(error: Exception, line: bytes) -> str:
    """Return what is wrong with a line, with the column or the key."""
    if isinstance(error, RecursionError):
        return "values are nested too deeply"
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line:
        return "not UTF-8 text; save the manifest as UTF-8"
    text = str(error)
    if "surrogate" in text or ("truncated" in text and b"\\ud" in line.lower()):
        return "an escape \\uD... stands for half a character"
    if match := _MALFORMED.fullmatch(text):
        # Trailing characters are reported by the byte after the first.
        column = int(match[2]) - match[1].startswith("trailing")
        shown = line[column : column + _MOST_SHOWN].decode(errors="replace").strip()
        where = f" at {shown!r}" if shown else ""
        return f"column {len(line[:column].decode(errors='replace')) + 1}: not JSON ({match[1]}{where})"
    if isinstance(error, msgspec.ValidationError):
        match = _WRONG.fullmatch(text)
        key, fault = (match[2], match[1]) if match else ("", text)
        return f"{key}: {_in_words(fault)}" if key else _in_words(fault)
    if "truncated" in text:
        return f"column {len(line.decode(errors='replace')) + 1}: the line ends in the middle of a value"
    return _in_words(text)


def _in_words(fault: str) -> str:
    """Return a message of msgspec in plain words.

    >>> _in_words("Expected `float` >= 0.0"), _in_words("Object missing required field `label`")
    ('expected a number of at least 0', "lacks 'label'")
    """
    for pattern, description in _WORDS:
        fault = pattern.sub(description, fault)
    return fault[:1].lower() + fault[1:].replace("`", "'")


def bad_line_error(file: Path, bad: BadLine) -> FormatError:
    """Return the error of a bad line, which names file and line and says what to do."""
    return FormatError(
        f"{file}, line {bad.line}: {bad.reason}. Correct the line, or leave out such lines (--skip-bad; in a project "
        "[corpus] skip_bad = true)"
    )
