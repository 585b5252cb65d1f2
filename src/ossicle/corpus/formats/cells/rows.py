"""One row of an annotation file of any format, and the conversion of its cells to numbers and labels.

Times are seconds from the start of the audio file of the row. ``begin_path`` names that file if the table does (tables
over several files). Every error names file and line, and says what to do.
"""

import math
import re
import unicodedata
from dataclasses import dataclass

from ossicle.core.errors import FormatError
from ossicle.core.text.controls import control_name
from ossicle.corpus.formats.cells.missing_values import MARKS, has_label, stated

_CLOCK = re.compile(r"\d{1,3}(:[0-5]?\d){1,2}([.,]\d*)?")
_MONTH = r"[^\W\d_]{3,9}\.?"
_DATE = re.compile(
    rf"\d{{1,2}}[-. /]+{_MONTH}([-. /]+\d{{2,4}})?|{_MONTH}[-. /]+\d{{1,4}}"
    r"|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T][\d:.]+)?"
)
_MOMENT = re.compile(
    r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[ T]+\d{1,2}:\d{2}(:\d{2}([.,]\d*)?)? ?(Z|UTC|[AP]M|[+-]\d{2}:?\d{2})?", re.I
)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,.'’ \u00a0\u2009\u202f]\d{3})+([,.]\d+)?")
_DASH = re.compile(r"[\u2012-\u2015\u2212]\s*\d")
_MOST_S = 1e9
"""The latest time that a recording can hold, about 31 years; times of the day since 1970 are later."""
# What a terminal that shows the text obeys: control characters other than tabs and line ends.
_ORDER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WITH_UNIT = re.compile(r"[+-]?\d+([.,]\d+)?\s*(s|sec|secs|seconds?|ms|min|k?hz)\.?", re.IGNORECASE)


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


def number(text: str, where: str, name: str) -> float:
    """Return the finite number in a cell; raises FormatError otherwise."""
    if text.strip() in MARKS:
        raise FormatError(f"{where}: {name} is {text.strip()!r}, a missing value; fill it in, or remove the row")
    try:
        # Python would read 1_000 as a thousand; no table means that.
        value = float("" if "_" in text else text)
    except ValueError:
        raise FormatError(f"{where}: {name} is {text!r}, not a number; {_number_hint(text.strip())}") from None
    if not math.isfinite(value):
        raise FormatError(f"{where}: {name} is {text!r}; give a finite number")
    return value


def _number_hint(text: str) -> str:
    """Return what to do about a cell that is not a number."""
    if match := _CLOCK.fullmatch(text):
        parts = [float(part.replace(",", ".")) for part in match[0].split(":")]
        seconds = sum(part * 60**power for power, part in enumerate(reversed(parts)))
        return (
            "clock times are not read, because spreadsheets change them: write seconds from the start of the "
            f"recording ({text} as {'hours:minutes:seconds' if len(parts) > 2 else 'minutes:seconds'} is {seconds:g})"
        )
    if _MOMENT.fullmatch(text):
        return "it looks like a date with a time of day: write seconds from the start of the recording"
    if _DATE.fullmatch(text):
        return "it looks like a date that a spreadsheet made of a number: format the column as text and enter it again"
    if _WITH_UNIT.fullmatch(text):
        return "write the number without its unit"
    if _THOUSANDS.fullmatch(text):
        return "write it without marks of thousands, and decimals with a dot"
    if _DASH.match(text):
        return "write a minus sign as -"
    return "write decimals with a dot" if "," in text else "correct the cell"


def optional_number(text: str, where: str, name: str) -> float | None:
    """Return the finite number in a cell, or None if it is empty or stands for a missing value."""
    return number(text, where, name) if stated(text) else None


def check_times(start_s: float, end_s: float, where: str) -> None:
    """Reject a negative start, an end before the start, and times that no recording holds."""
    if start_s < 0:
        raise FormatError(f"{where}: the start {start_s:g} s is negative; times count from the start of the recording")
    if end_s < start_s:
        raise FormatError(f"{where}: the start {start_s:g} s is after the end {end_s:g} s; swap or correct them")
    if not end_s <= _MOST_S:
        raise FormatError(
            f"{where}: the end {end_s:.10g} s lies beyond {_MOST_S:.10g} s (31 years), but times are seconds from the "
            "start of the recording; subtract that start (as from times since 1970), or convert the unit"
        )


def check_band(low_hz: float | None, high_hz: float | None, where: str) -> None:
    """Reject a negative frequency, and a low one above the high one; None stands for an unknown frequency."""
    for name, value in (("low", low_hz), ("high", high_hz)):
        if value is not None and value < 0:
            raise FormatError(f"{where}: the {name} frequency {value:g} Hz is negative; correct it, or leave it empty")
    if low_hz is not None and high_hz is not None and low_hz > high_hz:
        raise FormatError(f"{where}: the low frequency {low_hz:g} Hz is above the high {high_hz:g} Hz; correct them")


def parse_quality(text: str, where: str) -> int | None:
    """Return a quality of 1 to 4, written ``3``, ``3.0`` or ``Q3``; None if the cell is empty."""
    bare = stated(text).upper().removeprefix("Q").strip()
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
    """Return the label of a row (:func:`label_text`), or the default; raises FormatError if both are missing."""
    if has_label(text):
        return label_text(text)
    label = label_text(default or "")
    if not label:
        bare = text.strip()
        fault = f"{bare!r}, a missing value" if bare else "empty"
        raise FormatError(f"{where}: the label is {fault}; fill it in or give a default label")
    return label


def label_text(text: str) -> str:
    """Return a label in the form in which labels are compared: Unicode NFC, without outer blanks."""
    return unicodedata.normalize("NFC", text).strip()


def fits_in_cell(text: str) -> bool:
    """Return whether a text fits in a cell of a tab-separated table.

    Parameters
    ----------
    text
        The text.

    Returns
    -------
    bool
        Whether it holds no tab, line break or NUL.
    """
    return not any(mark in text for mark in "\t\r\n\0")


def cell_text(text: str, noun: str) -> str:
    """Return a text that fits in a cell of a tab-separated table; raises FormatError for any control character."""
    if not fits_in_cell(text):
        raise FormatError(f"{noun} {text!r} contains a tab or line break, which a table cannot contain; rename it")
    refuse_orders(text, noun)
    return text


def refuse_orders(text: str, noun: str) -> None:
    """Reject a text with a control character other than tabs and line ends, which a terminal would obey.

    Parameters
    ----------
    text
        The text of a cell.
    noun
        What the text is, for the message.

    Raises
    ------
    FormatError
        It holds such a character.
    """
    if not text.isprintable() and (order := _ORDER.search(text)):
        raise FormatError(f"{noun} {text!r} contains {control_name(order.group())}, which no table may hold; rename it")
