"""One row of an annotation file of any format, and the conversion of such files to text and numbers.

Times are seconds from the start of the audio file of the row. ``begin_path`` names that file if the table does (tables
over several files). Every error names file and line, and says what to do.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from ossicle.core.errors import FormatError


@dataclass(frozen=True, slots=True)
class RawSelection:
    """A labelled stretch as stated in an annotation file; ``None`` and ``""`` stand for missing values."""

    start_s: float
    end_s: float
    label: str
    low_hz: float | None = None
    high_hz: float | None = None
    quality: int | None = None
    confidence: float | None = None
    begin_path: str = ""
    channel: int | None = None


def read_text(path: Path) -> str:
    """Return the text of an annotation file: UTF-16 or UTF-8 by its mark, else UTF-8, else Windows-1252, else
    Latin-1.
    """
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise FormatError(
            f"{path}: cannot be read ({problem.strerror}); check that it exists and is readable"
        ) from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in raw[:64]:
        encodings = ["utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FormatError(f"{path}: is not text in UTF-8, UTF-16 or Latin-1; save it again as UTF-8")


def split_lines(text: str) -> list[str]:
    """Return lines ended by LF, CR LF or CR only (``str.splitlines`` also cuts at characters that labels may
    contain).
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def number(text: str, where: str, name: str) -> float:
    """Return the finite number in a cell; raises FormatError otherwise."""
    try:
        # Python would read 1_000 as a thousand; no table means that.
        value = float("" if "_" in text else text)
    except ValueError:
        hint = "write decimals with a dot" if "," in text else "correct the cell"
        raise FormatError(f"{where}: {name} is {text!r}, not a number; {hint}") from None
    if not math.isfinite(value):
        raise FormatError(f"{where}: {name} is {text!r}; give a finite number")
    return value


def optional_number(text: str, where: str, name: str) -> float | None:
    """Return the finite number in a cell, or None if it is empty."""
    return number(text, where, name) if text.strip() else None


def check_times(start_s: float, end_s: float, where: str) -> None:
    """Reject a negative start and an end before the start."""
    if start_s < 0:
        raise FormatError(f"{where}: the start {start_s:g} s is negative; times count from the start of the recording")
    if end_s < start_s:
        raise FormatError(f"{where}: the start {start_s:g} s is after the end {end_s:g} s; swap or correct them")


def check_band(low_hz: float | None, high_hz: float | None, where: str) -> None:
    """Reject a negative frequency, and a low one above the high one; None stands for an unknown frequency."""
    for name, value in (("low", low_hz), ("high", high_hz)):
        if value is not None and value < 0:
            raise FormatError(f"{where}: the {name} frequency {value:g} Hz is negative; correct it, or leave it empty")
    if low_hz is not None and high_hz is not None and low_hz > high_hz:
        raise FormatError(f"{where}: the low frequency {low_hz:g} Hz is above the high {high_hz:g} Hz; correct them")


def parse_quality(text: str, where: str) -> int | None:
    """Return a quality of 1 to 4, written ``3``, ``3.0`` or ``Q3``; None if the cell is empty."""
    bare = text.strip().upper().removeprefix("Q").strip()
    if not bare:
        return None
    value = number(bare, where, "the quality")
    if value not in (1, 2, 3, 4):
        raise FormatError(f"{where}: the quality is {text.strip()!r}; it must be 1, 2, 3 or 4 (or Q1 to Q4)")
    return int(value)


def parse_channel(text: str, where: str) -> int | None:
    """Return a channel counted from 1; None if the cell is empty."""
    value = optional_number(text, where, "the channel")
    if value is None:
        return None
    if value != int(value) or not 0 <= value < 1 << 31:
        raise FormatError(f"{where}: the channel is {text.strip()!r}; write a whole number, counted from 1")
    return int(value)


def checked_label(text: str, default: str | None, where: str) -> str:
    """Return the label of a row without outer blanks, or the default; raises FormatError if both are missing."""
    label = text.strip() or (default or "")
    if not label:
        raise FormatError(f"{where}: the label is empty; fill it in or give a default label")
    return label


def cell_text(text: str, what: str) -> str:
    """Return a text that fits in a cell of a tab-separated table; raises FormatError for a tab or a line break."""
    if any(mark in text for mark in "\t\r\n\0"):
        raise FormatError(f"{what} {text!r} contains a tab or line break, which a table cannot contain; rename it")
    return text
